"""Which spectra belong to one star: by declared source id, else by position."""

from bisect import bisect_right

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from pipeline.photometry.positions import chord, unit_vectors

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STRIPE = 250_000
"""Positions that are looked at together."""


def position_groups(ra_deg: FloatArray, dec_deg: FloatArray, radius_arcsec: float) -> IntArray:
    """Find groups of positions linked by less than a radius (friends of friends).

    Parameters
    ----------
    ra_deg, dec_deg : ndarray, (B,)
        Positions in degrees; a NaN position forms a group of its own.
    radius_arcsec : float
        Largest distance of two positions of one star.

    Returns
    -------
    ndarray of int64, (B,)
        Group of each position: the index of its first member.
    """
    link_Y2 = _links(ra_deg, dec_deg, radius_arcsec)
    linked = np.zeros(ra_deg.size, dtype=bool)
    linked[link_Y2.ravel()] = True
    member = np.flatnonzero(linked)
    number = np.cumsum(linked, dtype=np.int32) - 1
    links = coo_array(
        (np.ones(len(link_Y2), dtype=bool), (number[link_Y2[:, 0]], number[link_Y2[:, 1]])),
        shape=(member.size, member.size),
    )
    del link_Y2, number
    n_groups, label = connected_components(links, directed=False)
    first = np.empty(n_groups, dtype=np.int64)
    # Written from the last to the first, so that the first member stays.
    first[label[::-1]] = member[::-1]
    group = np.arange(ra_deg.size, dtype=np.int64)
    group[member] = first[label]
    return group


def _links(ra_deg: FloatArray, dec_deg: FloatArray, radius_arcsec: float) -> IntArray:
    """Return pairs of positions closer than a radius, stripe by stripe in declination: (Y, 2).

    A tree of one stripe stays in the processor's cache, and memory does not grow with it.
    """
    reach = float(chord(radius_arcsec))
    # More than the radius, so that rounding loses no pair.
    reach_deg = 1.001 * radius_arcsec / 3600
    known = np.isfinite(ra_deg) & np.isfinite(dec_deg)
    # NaN comes last.
    rising = np.argsort(np.where(known, dec_deg, np.nan))[: np.count_nonzero(known)]
    found = [np.empty((0, 2), dtype=np.int64)]
    for first in range(0, rising.size, STRIPE):
        top = dec_deg[rising[min(first + STRIPE, rising.size) - 1]] + reach_deg
        here = rising[first : bisect_right(rising, top, first, key=dec_deg.__getitem__)]
        unit = unit_vectors(ra_deg[here], dec_deg[here])
        # Cut at the middle, not at the median: half the time for many positions.
        tree = KDTree(unit, leafsize=16, balanced_tree=False, compact_nodes=False)
        found.append(here[tree.query_pairs(reach, output_type="ndarray")])
    return np.concatenate(found)


def assign_sources(group: IntArray, source_id: IntArray) -> IntArray:
    """Give spectra without a source id the only id of their position group.

    Parameters
    ----------
    group : ndarray of int64, (B,)
        As from :func:`position_groups`: numbers below B.
    source_id : ndarray of int64, (B,)
        Source ids; 0 for none.

    Returns
    -------
    ndarray of int64, (B,)
        Source ids, 0 where the group has none or more than one.
    """
    known, asked = source_id != 0, np.zeros(group.size, dtype=bool)
    asked[group[~known]] = True
    there = np.flatnonzero(known & asked[group])
    pairs = np.unique(np.stack([group[there], source_id[there]], axis=1), axis=0)
    one, index, count = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    one, only = one[count == 1], pairs[index[count == 1], 1]
    lacking = np.flatnonzero(~known)
    lacking = lacking[np.isin(group[lacking], one)]
    found = source_id.copy()
    found[lacking] = only[np.searchsorted(one, group[lacking])]
    return found
