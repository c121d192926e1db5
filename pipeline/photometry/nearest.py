"""From pairs to one source a target: the nearest, or the one that is named."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Nearest:
    """The chosen pair of each target that has one.

    Parameters
    ----------
    row : numpy.ndarray
        Rows of the targets, rising.
    pair : numpy.ndarray
        Index of the chosen pair.
    n_candidates : numpy.ndarray
        Sources within the radius.
    blended : numpy.ndarray
        Whether another of them is bright enough to matter.
    """

    row: NDArray[np.int64]
    pair: NDArray[np.int64]
    n_candidates: NDArray[np.int64]
    blended: NDArray[np.bool_]


def choose_nearest(
    row: NDArray[np.int64],
    separation_arcsec: NDArray[np.float64],
    tie: NDArray[np.int64],
    mag: NDArray[np.float64],
    preferred: NDArray[np.bool_],
    blend_mag: float,
) -> Nearest:
    """Choose one pair a target.

    Parameters
    ----------
    row : numpy.ndarray
        Target of each pair.
    separation_arcsec : numpy.ndarray
        Separation of each pair.
    tie : numpy.ndarray
        Decides between equal separations: the smaller wins.
    mag : numpy.ndarray
        Magnitude of each pair's source; NaN where unknown.
    preferred : numpy.ndarray
        Pairs that win over nearer ones.
    blend_mag : float
        Another source that is less than this fainter makes a blend.
    """
    order = np.lexsort((tie, separation_arcsec, ~preferred, row))
    rows, first, count = np.unique(row[order], return_index=True, return_counts=True)
    pair = order[first]
    excess = mag[order] - np.repeat(mag[pair], count)
    excess[first] = np.inf
    near = np.asarray(np.nan_to_num(excess, nan=np.inf) < blend_mag)
    blended = np.logical_or.reduceat(near, first) if len(first) else np.zeros(0, dtype=bool)
    return Nearest(rows, pair, count, np.asarray(blended))
