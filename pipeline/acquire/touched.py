"""Which parts of the sky the observations touch."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.tables.healpix import FULL_ORDER

if TYPE_CHECKING:
    from hats.pixel_math import HealpixPixel

ORDER = 10
"""Order of the pixels that positions are counted in: 3.4 arcmin wide."""
_RINGS = 2
"""Neighbours of neighbours reach about 5 arcmin around each position, or more. Barnard's star, the
fastest, moves 4.3 arcmin from 2000 to 2025."""
_RING_ARCSEC = 120.0
"""One ring of neighbours reaches further, even where pixels are narrowest."""

Pixels = NDArray[np.int64]


def touched_pixels(
    positions: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]],
    reach_arcsec: float | None = None,
) -> Pixels:
    """Return the pixels of order 10 that hold positions, with rings of neighbours.

    Parameters
    ----------
    positions : iterable of tuple of ndarray
        Right ascensions from 0 to 360 and declinations in degrees, a block at a time; NaN where
        they are not known.
    reach_arcsec : float, optional
        How far around them at least; by default two rings.

    Returns
    -------
    ndarray of int64
        Nested pixels, rising.
    """
    # hats takes seconds to import, and few sources need it.
    from cdshealpix.nested import neighbours
    from hats.pixel_math.spatial_index import compute_spatial_index

    found = np.empty(0, np.int64)
    for ra_deg, dec_deg in positions:
        known = np.isfinite(ra_deg) & np.isfinite(dec_deg)
        index = compute_spatial_index(ra_deg[known], dec_deg[known])
        block = np.asarray(index, np.int64) >> 2 * (FULL_ORDER - ORDER)
        found = np.union1d(found, block)
    rings = _RINGS if reach_arcsec is None else math.ceil(reach_arcsec / _RING_ARCSEC)
    for _ in range(rings):
        around = neighbours(found.astype(np.uint64), ORDER).astype(np.int64).ravel()
        found = np.union1d(found, around[around >= 0])
    return found


def touched_partitions(
    partitions: "Iterable[HealpixPixel]", pixels: Pixels
) -> "list[HealpixPixel]":
    """Return the partitions that overlap with any of the pixels.

    Parameters
    ----------
    partitions : iterable of HealpixPixel
        Of any order.
    pixels : ndarray of int64
        Of order 10, rising.
    """
    return [one for one in partitions if _overlaps(one, pixels)]


def _overlaps(one: "HealpixPixel", pixels: Pixels) -> bool:
    shift = 2 * (ORDER - one.order)
    first, last = one.pixel, one.pixel + 1
    if shift >= 0:
        first, last = first << shift, last << shift
    else:
        first = first >> -shift
        last = first + 1
    begin, end = np.searchsorted(pixels, (first, last))
    return bool(end > begin)
