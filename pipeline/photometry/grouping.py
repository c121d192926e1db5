"""Which spectra belong to one star: by declared source id, else by position."""

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ARCSEC_PER_RADIAN = 206264.80624709636


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
    group = np.arange(ra_deg.size, dtype=np.int64)
    known = np.flatnonzero(np.isfinite(ra_deg) & np.isfinite(dec_deg))
    if known.size == 0:
        return group
    ra, dec = np.deg2rad(ra_deg[known]), np.deg2rad(dec_deg[known])
    unit = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    chord = 2 * np.sin(radius_arcsec / ARCSEC_PER_RADIAN / 2)
    # Cut at the middle, not at the median: half the time for millions of positions.
    tree = KDTree(unit, balanced_tree=False, compact_nodes=False)
    pairs = tree.query_pairs(chord, output_type="ndarray")
    del tree, unit
    links = coo_array(
        (np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])),
        shape=(known.size, known.size),
    )
    _, label = connected_components(links, directed=False)
    _, first = np.unique(label, return_index=True)
    group[known] = known[first[label]]
    return group


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
    there = known & asked[group]
    pairs = np.unique(np.stack([group[there], source_id[there]], axis=1), axis=0)
    one, index, count = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    only = np.zeros_like(source_id)
    only[one[count == 1]] = pairs[index[count == 1], 1]
    return np.where(known, source_id, only[group])
