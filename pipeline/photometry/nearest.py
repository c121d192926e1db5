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
    n_repeated : int
        Pairs that repeat a source of a target, and do not count.
    """

    row: NDArray[np.int64]
    pair: NDArray[np.int64]
    n_candidates: NDArray[np.int64]
    blended: NDArray[np.bool_]
    n_repeated: int


def choose_nearest(
    row: NDArray[np.int64],
    separation_arcsec: NDArray[np.float64],
    source: NDArray[np.int64],
    mag: NDArray[np.float64],
    preferred: NDArray[np.bool_],
    blend_mag: float,
) -> Nearest:
    """Choose one pair per target.

    Parameters
    ----------
    row : numpy.ndarray
        Target of each pair.
    separation_arcsec : numpy.ndarray
        Separation of each pair.
    source : numpy.ndarray
        Number of each pair's source. One that a catalogue holds more than once is one source, at
        the smallest of its separations; of sources of equal separation the smaller number wins.
    mag : numpy.ndarray
        Magnitude of each pair's source; NaN where unknown.
    preferred : numpy.ndarray
        Pairs that win over nearer ones.
    blend_mag : float
        Another source that is less than this fainter makes a blend.
    """
    rows, place, count = np.unique(row, return_inverse=True, return_counts=True)
    pair, blended = np.empty_like(rows), np.zeros(len(rows), dtype=bool)
    pair[place] = np.arange(len(row))
    # Few targets have several, and only those need sorting.
    many = np.flatnonzero(count[place] > 1)
    kept = many[_each_source_once(row[many], separation_arcsec[many], source[many])]
    order = kept[np.lexsort((source[kept], separation_arcsec[kept], ~preferred[kept], row[kept]))]
    several, first, left = np.unique(row[order], return_index=True, return_counts=True)
    at = np.searchsorted(rows, several)
    pair[at], count[at] = order[first], left
    if len(first):
        excess = mag[order] - np.repeat(mag[pair[at]], left)
        excess[first] = np.inf
        near = np.asarray(np.nan_to_num(excess, nan=np.inf) < blend_mag)
        blended[at] = np.logical_or.reduceat(near, first)
    return Nearest(rows, pair, count, blended, len(many) - len(kept))


def _each_source_once(
    row: NDArray[np.int64], separation_arcsec: NDArray[np.float64], source: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the indices of the nearest pair of each target and source."""
    order = np.lexsort((separation_arcsec, source, row))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(row[order]) != 0) | (np.diff(source[order]) != 0)
    return order[new]
