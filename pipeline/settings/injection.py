"""Subsection ``validation.injection``: sums of the run's single stars; the binary fraction."""

from typing import Self

from pydantic import Field, model_validator

from pipeline.settings.section import Section


class InjectionSettings(Section):
    """Companions injected into single stars: the grid, and what the binary fraction assumes."""

    stars: int = Field(1000, ge=1)
    """Single stars that get companions at most. Each adds a spectrum to every bin of mass ratio and
    S/N. [assumed]"""

    companion_snr_min: float = Field(10.0, gt=0)
    """Companions have a higher S/N in g than this: a faint companion adds a small part of its
    noise only. [assumed]"""

    snr_edges: tuple[float, ...] = (20.0, 35.0, 60.0, 110.0, 200.0)
    """Bins of S/N in g; single stars have a S/N above `composites.pool_snr_min`, to which noise is
    added. [paper: 20; the others assumed]"""

    teff_edges_k: tuple[float, ...] = (4300.0, 4900.0, 5300.0, 5800.0)
    """Bins of Teff, of a pair the mean weighted by light in G. [assumed: the colours of the
    paper's sample]"""

    feh_edges: tuple[float, ...] = (-0.8, -0.1, 0.5)
    """Bins of [Fe/H]. [assumed]"""

    q_lowest: float = Field(0.1, gt=0, lt=1)
    """Lowest mass ratio that counts as a binary in the binary fraction. [assumed]"""

    q_power: float = 0.0
    """Mass ratios go as q to this power, up to 1. [assumed: flat, Raghavan et al. 2010]"""

    density_power: float = Field(1.3, ge=0)
    """Stars within a distance d go as d to this power, so that pairs, which are brighter, are
    over-represented in a magnitude-limited sample; 0 for a sample limited in volume. [assumed: as
    `simulate.survey.density_power`]"""

    delta_m_g_min: float = 0.0
    """Single stars lie this far from the ridge at least. [assumed: pairs of a low mass ratio, which
    are labelled as single too, lie on its bright side]"""

    fraction_snr_min: float = 35.0
    """Stars of lower S/N do not count in the binary fraction. [assumed: below, residuals of sky
    lines, which noise added to better spectra lacks, change p_b]"""

    seed: int = Field(1, ge=0)
    """Seed of companions, velocities and noise. [assumed]"""

    @model_validator(mode="after")
    def _edges_rise(self) -> Self:
        for name in ("snr_edges", "teff_edges_k", "feh_edges"):
            edges = getattr(self, name)
            if len(edges) < 2 or sorted(set(edges)) != list(edges):
                raise ValueError(f"{name}: at least two numbers that rise are needed, not {edges}")
        if min(self.snr_edges) <= 0:
            raise ValueError(f"snr_edges must be above 0, not {self.snr_edges}")
        return self
