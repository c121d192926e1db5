"""Section ``validation``: the catalogue beside what is known of its stars from elsewhere."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from pipeline.settings.injection import InjectionSettings
from pipeline.settings.section import Section


class ValidationSettings(Section):
    """Which validations run, and what they count."""

    names: tuple[str, ...] = ()
    """Validations that run (also as arguments of the command); empty: all."""

    thresholds: tuple[float, ...] = (0.3, 0.5, 0.8)
    """Thresholds on p_b. [paper: 0.5 and 0.8; 0.3 assumed]"""

    radius_arcsec: float = Field(3.0, gt=0)
    """Stars of other catalogues are matched by position within this radius. [assumed: as the match
    with Gaia]"""

    eclipsing_epoch_yr: float = 2018.5
    """Epoch of the positions of `inputs.eclipsing`. [assumed: the middle of the ZTF data of Chen
    et al. 2020]"""

    planets_epoch_yr: float = 2015.5
    """Epoch of the positions of `inputs.planets`. [assumed: the archive takes most from Gaia
    DR2]"""

    compare_epoch_yr: float = 2016.0
    """Epoch of the positions of `inputs.compare`. [assumed: Gaia DR3]"""

    compare_source_id: str = "source_id"
    """Column of `inputs.compare` with Gaia DR3 ids; without it positions are taken."""

    compare_ra: str = "ra"
    """Column of `inputs.compare` with right ascensions in degrees."""

    compare_dec: str = "dec"
    """Column of `inputs.compare` with declinations in degrees."""

    compare_binary: str = ""
    """Column of `inputs.compare` with a score that grows with the chance of a binary; empty: all
    of its stars are binaries."""

    compare_threshold: float = 0.5
    """Stars of a higher score are the other catalogue's binaries. [assumed]"""

    period_edges_day: tuple[float, ...] = (0.1, 0.3, 0.5, 1.0, 2.0, 5.0, 20.0)
    """Bins of the period of eclipsing binaries. [assumed]"""

    rv_variable_kms: float = Field(25.0, gt=0)
    """Stars whose velocities differ by more are variable. [paper]"""

    rv_stable_kms: float = Field(5.0, gt=0)
    """Stars whose velocities differ by less are stable. [paper]"""

    stable_spectra: int = Field(4, ge=2)
    """Spectra that a stable star has at least. [paper]"""

    constant_probability: float = Field(1e-3, gt=0, lt=0.5)
    """Stars whose velocities are less likely than this to be constant, by chi-square, are variable;
    those above 0.1 are constant. [assumed]"""

    q_edges: tuple[float, ...] = (0.1, 0.3, 0.5, 0.6, 0.71, 0.82, 0.93, 1.0)
    """Bins of the mass ratio. [paper: 0.71 and 0.93; the others assumed]"""

    ruwe_max: float = 1.4
    """A single star's astrometry has a lower RUWE. [source: Lindegren 2018,
    GAIA-C3-TN-LU-LL-124]"""

    rv_error_excess: float = Field(2.0, gt=1)
    """Gaia's radial_velocity_error over the median of stars of that brightness, above which the
    velocity varies. [assumed]"""

    g_edges_mag: tuple[float, ...] = (8.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 18.0)
    """Bins of G. [assumed]"""

    injection: InjectionSettings = InjectionSettings()

    @field_validator("period_edges_day", "q_edges", "g_edges_mag", "thresholds")
    @classmethod
    def _edges_rise(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) < 2 or sorted(set(value)) != list(value):
            raise ValueError(f"at least two numbers that rise are needed, not {value}")
        return value

    @model_validator(mode="after")
    def _thresholds_of_the_paper(self) -> Self:
        if not {0.5, 0.8} <= set(self.thresholds):
            raise ValueError(f"thresholds must hold the paper's 0.5 and 0.8: {self.thresholds}")
        return self
