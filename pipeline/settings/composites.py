"""How composites of real spectra are made."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.settings.section import Section


class CompositeSettings(Section):
    """Composites of the survey's own single stars, as training examples with a known answer.

    They come in couples that share everything but the second star: the class 0 of a couple is a
    pair of twins, the class 1 a pair of unequal stars.
    """

    training_couples: int = Field(10_000, ge=0)
    """Couples, of two spectra each, drawn from the stars of the training part. [assumed]"""

    validation_couples: int = Field(1_000, ge=0)
    """Couples drawn from the stars of the validation part. [assumed]"""

    test_couples: int = Field(1_000, ge=0)
    """Couples drawn from the stars of the test part. [assumed]"""

    block_couples: int = Field(512, ge=1)
    """Couples a unit of work. [assumed]"""

    block_shards: int = Field(4, ge=1)
    """Shards of the store that a unit of work takes its stars from. [assumed: as many as fit
    into memory; small surveys have fewer]"""

    q_min: float = Field(0.71, gt=0, lt=1)
    """Lowest mass ratio of an unequal pair. [paper]"""

    q_max: float = Field(0.93, gt=0, lt=1)
    """Highest mass ratio of an unequal pair. [paper]"""

    twin_q_min: float = Field(0.985, gt=0, lt=1)
    """Lowest mass ratio of twins. [assumed: the spectrum is that of one star]"""

    feh_tolerance_dex: float = Field(0.2, gt=0)
    """Largest difference in [Fe/H] of the stars of a pair. [assumed: twice the error of LAMOST's
    [Fe/H]; born together, they have the same]"""

    feh_min: float = -1.0
    """Stars have a higher [Fe/H] than this. [assumed]"""

    pool_snr_min: float = Field(40.0, gt=0)
    """Stars have a higher S/N in g than this, since noise can only be added. [assumed]"""

    pool_logg_min: float | None = None
    """Stars have a higher log g than this; none: `sample.logg_min`. [assumed: estimated labels
    scatter below the sample's limit]"""

    snr_min: float = Field(20.0, gt=0)
    """Lowest S/N a pixel in g of a composite. [paper: the sample's cut]"""

    snr_max: float = Field(100.0, gt=0)
    """Highest S/N a pixel in g of a composite. [assumed]"""

    snr_share: float = Field(0.9, gt=0, le=1)
    """Highest S/N of a composite over what the sums of its couple have. [assumed: some noise is
    always added, so that no pixel tells how much]"""

    log_age: float = Field(9.0, ge=8.4, le=10.2)
    """log10 age in years of the isochrone that gives masses and M_G. [assumed: the oldest round
    number at which it still reaches 6500 K at every [Fe/H]; cool dwarfs hardly depend on it]"""

    light_min_angstrom: float = Field(4000.0, gt=0)
    """Blue end of the window that stands for Gaia's G. [assumed]"""

    light_max_angstrom: float = Field(8700.0, gt=0)
    """Red end of that window. [assumed]"""

    twin_velocity: Literal["same", "none"] = "same"
    """Velocity difference of twins: that of the unequal pair of the couple, or none. [assumed:
    then broadened lines alone, which fast rotation makes too, tell nothing]"""

    vary: bool = False
    """Make the training composites of new stars: the mean spectrum of the pool at other labels,
    with the residuals of a star and of one near to it in Teff and [Fe/H]. Validation and test keep
    to real stars. [assumed]"""

    vary_teff_dex: float = Field(0.006, ge=0)
    """Standard deviation of the step in log10 Teff, the same for all stars of a couple. [assumed:
    80 K at 5800 K, the error of LAMOST's Teff]"""

    vary_feh_dex: float = Field(0.05, ge=0)
    """Standard deviation of the step in [Fe/H], the same for all stars of a couple. [assumed]"""

    vary_neighbours: int = Field(24, ge=1)
    """Nearest stars in Teff and [Fe/H] of which one lends its residuals. [assumed]"""

    seed: int = Field(1, ge=0)
    """Seed of pairs, velocities and noise. [assumed]"""

    @model_validator(mode="after")
    def _ranges_are_open(self) -> Self:
        for name, low, high in (
            ("mass ratios: q_min, q_max", self.q_min, self.q_max),
            ("mass ratios: q_max, twin_q_min", self.q_max, self.twin_q_min),
            ("S/N: snr_min, snr_max", self.snr_min, self.snr_max),
            ("light: light_min_angstrom, ..._max_...", self.light_min_angstrom,
             self.light_max_angstrom),
        ):  # fmt: skip
            if not low < high:
                raise ValueError(f"{name} must rise, not {low}, {high}")
        return self
