"""The cuts of the sample: named predicates on a frame of spectra, of pandas or of dask."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.settings.sample import SampleSettings
from schemas.quality import CutFlag

APPLICATION, TRAINING = "application", "training"
"""The samples; a training spectrum passes the cuts of both."""


@dataclass(frozen=True)
class Cut:
    """One open interval of one column.

    Limits are compared in the type of the column: a single-precision 2.6 is at the limit 2.6,
    and out.

    Parameters
    ----------
    flag : CutFlag
        Name and bit.
    sample : str
        ``application`` for both samples, or ``training``.
    column : str
        Column of the frame.
    low, high : float or None
        Limits, both excluded; None for no limit.
    missing_values : tuple of float
        Numbers that stand for a missing value.
    """

    flag: CutFlag
    sample: str
    column: str
    low: float | None
    high: float | None
    missing_values: tuple[float, ...]

    @property
    def meaning(self) -> str:
        """What is cut, in words."""
        return self.flag.meaning

    @property
    def condition(self) -> str:
        """The interval as text, e.g. ``3800 < teff_k < 6500``."""
        low = "" if self.low is None else f"{self.low:g} < "
        high = "" if self.high is None else f" < {self.high:g}"
        return f"{low}{self.column}{high}"

    def missing(self, frame: Any) -> Any:
        """Return where the value is missing: null, not finite, or a number that stands for it.

        Parameters
        ----------
        frame : pandas.DataFrame or dask.dataframe.DataFrame
            Has the column, as a NumPy floating type.

        Returns
        -------
        Series of bool, (B,)
            Lazy where the frame is.
        """
        value = frame[self.column]
        # Neither NaN nor an infinite value is below infinity.
        missing = ~(value.abs() < np.inf)
        for stand_in in self.missing_values:
            missing |= value == stand_in
        return missing

    def within(self, frame: Any, missing: Any) -> Any:
        """Return where a value that is not missing lies strictly within the limits.

        Parameters
        ----------
        frame : pandas.DataFrame or dask.dataframe.DataFrame
            Has the column, as a NumPy floating type.
        missing : Series of bool, (B,)
            As from :meth:`missing`.

        Returns
        -------
        Series of bool, (B,)
            Lazy where the frame is.
        """
        value, passed = frame[self.column], ~missing
        if self.low is not None:
            passed &= value > self.low
        if self.high is not None:
            passed &= value < self.high
        return passed


def make_cuts(settings: SampleSettings) -> tuple[Cut, ...]:
    """Return the cuts in the order of the cut flow: first those of both samples."""
    s = settings
    open_end = None
    rows: tuple[tuple[CutFlag, str, str, float | None, float | None], ...] = (
        (CutFlag.TEFF, APPLICATION, "teff_k", s.teff_min_k, s.teff_max_k),
        (CutFlag.LOGG, APPLICATION, "logg", s.logg_min, open_end),
        (CutFlag.COLOUR, APPLICATION, "g_ks_0", s.colour_min, s.colour_max),
        (CutFlag.SNR_G, APPLICATION, "snr_g", s.snr_g_min, open_end),
        (CutFlag.PARALLAX, TRAINING, "parallax_mas", s.training_parallax_min_mas, open_end),
        (CutFlag.M_G, TRAINING, "m_g", s.training_m_g_min, open_end),
    )
    return tuple(
        Cut(flag, sample, column, low, high, s.stand_ins(column))
        for flag, sample, column, low, high in rows
    )


def cut_bits(frame: Any, cuts: tuple[Cut, ...]) -> Any:
    """Return which cuts each spectrum fails, and which for want of a value.

    Parameters
    ----------
    frame : pandas.DataFrame or dask.dataframe.DataFrame
        Spectra.
    cuts : tuple of Cut
        As from :func:`make_cuts`.

    Returns
    -------
    DataFrame
        The frame with two more columns, ``failed`` and ``missing``: bits of CutFlag.
    """
    failed, missing = 0, 0
    for cut in cuts:
        absent = cut.missing(frame)
        failed = failed + (~cut.within(frame, absent)).astype("int32") * int(cut.flag)
        missing = missing + absent.astype("int32") * int(cut.flag)
    return frame.assign(failed=failed, missing=missing)
