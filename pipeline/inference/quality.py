"""Which spectra the networks were not made for, or have seen before."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.network.domain import PARAMETERS, Range
from schemas.quality import QualityFlag

OUTSIDE = {
    "teff_k": QualityFlag.OUTSIDE_TEFF,
    "logg": QualityFlag.OUTSIDE_LOGG,
    "feh": QualityFlag.OUTSIDE_FEH,
    "snr_g": QualityFlag.OUTSIDE_SNR,
}
NATURE = ("teff_k", "logg", "feh")
STAR = "STAR"

NAMED = {
    QualityFlag.NO_PARAMETERS: "without parameters",
    QualityFlag.OUTSIDE_TEFF: "Teff outside training",
    QualityFlag.OUTSIDE_LOGG: "log g outside training",
    QualityFlag.OUTSIDE_FEH: "[Fe/H] outside training",
    QualityFlag.OUTSIDE_SNR: "S/N outside training",
    QualityFlag.UNKNOWN_RANGE: "training range unknown",
    QualityFlag.IN_TRAINING: "seen in training",
    QualityFlag.NOT_A_STAR: "class not STAR",
    QualityFlag.GIANT: "giants",
    QualityFlag.BLENDED: "blended",
    QualityFlag.SUSPECT_DISTANCE: "suspect distance",
    QualityFlag.UNLIKE_TRAINING: "unlike the training spectra",
}
"""Bits that are counted on the screen."""


def domain_bits(
    rows: pd.DataFrame,
    ranges: Mapping[str, Range],
    star_S: NDArray[np.int64],
    giant_logg: float,
    missing_values: Mapping[str, tuple[float, ...]],
) -> NDArray[np.int64]:
    """Return the bits that say how far a spectrum is like those of the training.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``PARAMETERS``, ``obj_class`` and ``source_id`` of B spectra.
    ranges : mapping of str to tuple of float
        Range of the training by parameter.
    star_S : ndarray of int64, (S,)
        Gaia sources of the training, rising.
    giant_logg : float
        Stars of lower log g are giants.
    missing_values : mapping of str to tuple of float
        Numbers that stand for a missing value, by parameter.

    Returns
    -------
    ndarray of int64, (B,)
        Bits of QualityFlag. A missing value is outside no range; it has a bit of its own.
    """
    value = {name: _numbers(rows[name], missing_values[name]) for name in PARAMETERS}
    bits = np.zeros(len(rows), np.int64)

    def mark(flag: QualityFlag, where: NDArray[np.bool_]) -> None:
        bits[where] |= int(flag)

    mark(QualityFlag.NO_PARAMETERS, np.any([np.isnan(value[n]) for n in NATURE], axis=0))
    mark(QualityFlag.GIANT, value["logg"] < giant_logg)
    if not ranges:
        mark(QualityFlag.UNKNOWN_RANGE, np.ones(len(rows), bool))
    for name, (low, high) in ranges.items():
        mark(OUTSIDE[name], (value[name] < low) | (value[name] > high))
    known = rows["obj_class"].notna().to_numpy(bool)
    mark(QualityFlag.NOT_A_STAR, known & (rows["obj_class"] != STAR).fillna(value=False).to_numpy())
    source = rows["source_id"].fillna(0).to_numpy(np.int64)
    mark(QualityFlag.IN_TRAINING, np.isin(source, star_S))
    return bits


def count_bits(quality: pa.ChunkedArray) -> dict[str, int]:
    """Count the rows that have each of the bits in `NAMED`, by their names there.

    Parameters
    ----------
    quality : pyarrow.ChunkedArray of int32
        Bits of QualityFlag.
    """
    return {
        name: int(pc.sum(pc.not_equal(pc.bit_wise_and(quality, int(flag)), 0)).as_py() or 0)
        for flag, name in NAMED.items()
    }


def shown_bits(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of bits that any row has.

    Parameters
    ----------
    counts : mapping of str to int
        Counts of a stage, those of `count_bits` among them.
    """
    return {name: counts[name] for name in NAMED.values() if counts.get(name)}


def _numbers(column: Any, missing_values: tuple[float, ...]) -> NDArray[np.float64]:
    value = np.asarray(column.to_numpy(np.float64, na_value=np.nan))
    return np.where(np.isfinite(value) & ~np.isin(value, missing_values), value, np.nan)
