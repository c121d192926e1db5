"""Section ``sample``: the cuts."""

from pydantic import model_validator

from pipeline.settings.section import Section


class SampleSettings(Section):
    """Cuts of the sample; every limit is strict, so a value at a limit is out."""

    teff_min_k: float = 3800.0
    """Coolest Teff. [paper]"""

    teff_max_k: float = 6500.0
    """Hottest Teff. [paper]"""

    logg_min: float = 4.0
    """Lowest log g. [paper]"""

    colour_min: float = 1.5
    """Bluest (G-Ks)0. [paper]"""

    colour_max: float = 2.6
    """Reddest (G-Ks)0. [paper]"""

    snr_g_min: float = 20.0
    """Lowest S/N in g. [paper]"""

    training_parallax_min_mas: float = 3.0
    """Smallest parallax of the training sample, less the zero point. [paper; that the zero point
    is taken off first is assumed]"""

    training_m_g_min: float = 4.0
    """Brightest M_G of the training sample. [paper]"""

    missing_values: tuple[float, ...] = (-9999.0, -999.0, 99.0)
    """Numbers that stand for a missing value, besides null, NaN and infinity: such a value never
    passes a cut. In S/N and parallax only the negative ones do: 99 is a possible value there.
    [source: the survey's catalogues, -9999; the others assumed]"""

    def stand_ins(self, column: str) -> tuple[float, ...]:
        """Return the numbers that stand for a missing value in a column.

        Parameters
        ----------
        column : str
            Name of the column.
        """
        if column in ("snr_g", "parallax_mas"):
            return tuple(value for value in self.missing_values if value < 0)
        return self.missing_values

    @model_validator(mode="after")
    def _ranges_are_open(self) -> "SampleSettings":
        for name, low, high in (
            ("teff", self.teff_min_k, self.teff_max_k),
            ("colour", self.colour_min, self.colour_max),
        ):
            if not low < high:
                raise ValueError(f"the {name} limits leave nothing: {low} to {high}")
        return self
