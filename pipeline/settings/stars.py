"""Stellar physics of section ``simulate``: the population, and how stars differ."""

from pydantic import Field

from pipeline.settings.section import Section


class ScatterSettings(Section):
    """How stars of one temperature, gravity and metallicity differ from each other."""

    enabled: bool = True
    """Switch all of it off for spectra that depend on the labels alone."""

    abundance_sigma: float = Field(0.013, ge=0)
    """Scatter of the natural logarithm of the line depth of one group of lines. [derived: scatter
    of 272 real dwarfs about a fit in their labels, beyond noise and errors of the labels]"""

    group_angstrom: float = Field(9.0, gt=0)
    """Length over which the lines of one random group hang together. [assumed]"""

    n_random_groups: int = Field(24, ge=0)
    """Number of random groups beside the named ones. [assumed]"""

    shared_fraction: float = Field(0.95, ge=0, le=1)
    """Share of the abundance variance that two stars of one pair have in common. [assumed: born
    from one cloud]"""

    activity_median: float = Field(0.03, ge=0)
    """Median chromospheric fill-in of the Ca II H and K cores of a 5000 K star, over the continuum.
    [assumed]"""

    activity_sigma: float = Field(0.8, ge=0)
    """Scatter of its natural logarithm. [assumed]"""

    vsini_median_kms: float = Field(6.0, gt=0)
    """Median v sin i. [assumed: old dwarfs]"""

    vsini_sigma: float = Field(0.7, ge=0)
    """Scatter of its natural logarithm. [assumed]"""


class PopulationSettings(Section):
    """Which stars there are."""

    mh_mean: float = -0.10
    """Mean metallicity [M/H]. [assumed: the LAMOST disc]"""

    mh_sigma: float = Field(0.22, gt=0)
    """Its scatter, cut to the isochrones' -1.2 .. 0.3. [assumed]"""

    log_age_min: float = 8.6
    """Youngest log10 age in years. [assumed]"""

    log_age_max: float = 10.1
    """Oldest log10 age in years; ages are uniform between. [assumed]"""

    binary_fraction: float = Field(0.42, ge=0, le=1)
    """Stars with a companion. [source: Raghavan et al. 2010, 0.33-0.46]"""

    log_period_mean: float = 5.03
    """Mean log10 of the period in days. [source: Raghavan et al. 2010]"""

    log_period_sigma: float = Field(2.28, gt=0)
    """Scatter of log10 period. [source: Raghavan et al. 2010]"""

    q_min: float = Field(0.10, gt=0, lt=1)
    """Smallest mass ratio; q is uniform up to 1. [source: Raghavan et al. 2010, roughly flat]"""

    systemic_sigma_kms: float = Field(35.0, ge=0)
    """Scatter of the velocities of the systems. [assumed: the thin disc]"""
