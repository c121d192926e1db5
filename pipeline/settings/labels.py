"""Section ``labels``: ridge, labels and split."""

from pydantic import Field, model_validator

from pipeline.settings.section import Section


class LabelSettings(Section):
    """The main-sequence ridge, the labels made from it, and the split by star."""

    single_min_mag: float = -0.25
    """Singles are fainter than this against the ridge. [paper]"""

    single_max_mag: float = 0.25
    """Singles are brighter than this against the ridge. [paper]"""

    binary_min_mag: float = -0.5
    """Binaries are fainter than this and brighter than `single_min_mag`; what is brighter still
    is excluded. [paper]"""

    exclude_blended: bool = True
    """Keep stars with the bit BLENDED out of the ridge and out of the labels: their light is that
    of two unrelated stars. [derived: a chance blend looks like a binary]"""

    feh_step: float = Field(0.2, gt=0)
    """Width of the ridge's bins in [Fe/H]. [assumed]"""

    ridge_min_stars: int = Field(200, ge=50)
    """Stars that a bin must have, else it is pooled with its poorer neighbour. [assumed]"""

    ridge_window_mag: float = Field(0.1, gt=0)
    """Half width in colour of the window in which the mode is taken. [assumed]"""

    ridge_window_stars: int = Field(40, ge=10)
    """Stars that a window must have, else it is widened. [assumed]"""

    ridge_knot_mag: float = Field(0.3, gt=0)
    """Smallest distance in colour of the knots of the smoothing spline. [assumed]"""

    ridge_knot_stars: int = Field(400, gt=0)
    """Stars that each inner knot of the spline must have. [assumed]"""

    ridge_mode_sigma: float = Field(1.0, gt=0)
    """Width of the Gaussian kernel of the mode, over the scatter of the stars. [assumed]"""

    clip_bright_sigma: float = Field(1.5, gt=0)
    """Stars brighter than the ridge by more than this many standard deviations are clipped.
    [assumed: harder than on the other side, since binaries are there]"""

    clip_faint_sigma: float = Field(3.0, gt=0)
    """The same on the faint side. [assumed]"""

    ridge_iterations: int = Field(30, gt=0)
    """Most rounds of clipping and fitting. [assumed]"""

    log_age: float = Field(9.5, ge=8.0, le=10.1)
    """log10 age in years of the isochrone that turns magnitudes into mass ratios. [assumed]"""

    seed: int = Field(1, ge=0)
    """Seed of the split: the same seed puts a star always into the same part. [assumed]"""

    training_fraction: float = Field(0.8, gt=0, lt=1)
    """Share of the stars in the training part. [paper]"""

    validation_fraction: float = Field(0.1, gt=0, lt=1)
    """Share of the stars in the validation part; the rest is the test part. [paper]"""

    binary_share: float = Field(0.5, gt=0, lt=1)
    """Share of the binaries among the spectra that the sampler draws for training.
    [assumed: the paper oversamples the binaries, it does not say how far]"""

    @model_validator(mode="after")
    def _bands_and_parts(self) -> "LabelSettings":
        if not self.binary_min_mag < self.single_min_mag < self.single_max_mag:
            raise ValueError(
                "the label bands must follow binary_min_mag < single_min_mag < single_max_mag, "
                f"not {self.binary_min_mag}, {self.single_min_mag}, {self.single_max_mag}"
            )
        if self.training_fraction + self.validation_fraction >= 1:
            raise ValueError("training_fraction and validation_fraction leave nothing for the test")
        return self
