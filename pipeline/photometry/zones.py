"""The sky in zones of declination, cut into cells: which of them a small circle touches."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LAST = math.nextafter(360, 0)
_SLACK_DEG = 1e-9
"""Rounding must not lose what lies on a circle: 4 microarcsec."""
_STEPS = 2**32
"""Right ascension in a key: 0.3 mas."""


class Zones:
    """Zones of one height, each cut into cells that are as wide as high, or wider.

    Gray et al. 2006 (MSR-TR-2006-52) match catalogues by such zones.

    Parameters
    ----------
    height_arcsec : float
        Height of a zone; it is made to divide the sky evenly.
    """

    def __init__(self, height_arcsec: float) -> None:
        self.n = max(1, math.floor(180 * 3600 / height_arcsec))
        self.height_deg = 180 / self.n
        edge = np.abs(np.linspace(-90, 90, self.n + 1))
        narrowest = 360 * np.cos(np.deg2rad(np.maximum(edge[:-1], edge[1:])))
        self._cells = np.maximum(1, (narrowest / self.height_deg).astype(np.int64))
        self._first = np.cumsum(self._cells) - self._cells
        self.n_cells = int(self._cells.sum())

    def cells(self, ra_deg: Floats, dec_deg: Floats) -> Integers:
        """Return the cells of positions, right ascension from 0 to 360."""
        return self._cells_in(self._zones(dec_deg), ra_deg)

    def keys(self, ra_deg: Floats, dec_deg: Floats) -> Integers:
        """Return numbers by which positions sort by zone, then by right ascension."""
        return _keys(self._zones(dec_deg), ra_deg)

    def ranges(
        self, ra_deg: Floats, dec_deg: Floats, radius_arcsec: Floats | float
    ) -> tuple[Integers, Integers, Integers]:
        """Return the ranges of keys in which all positions within a circle lie.

        Parameters
        ----------
        ra_deg, dec_deg : ndarray of float64, (B,)
            Centres.
        radius_arcsec : float or ndarray of float64, (B,)
            Radii.

        Returns
        -------
        tuple of ndarray of int64
            Which circle, first key, and last key, inclusive; no two ranges of a circle overlap.
        """
        circle, zone, low, high = self._arcs(ra_deg, dec_deg, radius_arcsec)
        return circle, _keys(zone, low), _keys(zone, high)

    def touched(self, ra_deg: Floats, dec_deg: Floats, radius_arcsec: Floats | float) -> Integers:
        """Return the cells that circles touch, some of them more than once.

        Parameters
        ----------
        ra_deg, dec_deg : ndarray of float64, (B,)
            Centres.
        radius_arcsec : float or ndarray of float64, (B,)
            Radii.
        """
        _, zone, low, high = self._arcs(ra_deg, dec_deg, radius_arcsec)
        first = self._cells_in(zone, low)
        _, cells = spread(first, self._cells_in(zone, high) - first + 1)
        return cells

    def _zones(self, dec_deg: Floats) -> Integers:
        zone = ((dec_deg + 90) / self.height_deg).astype(np.int64)
        return np.asarray(np.minimum(zone, self.n - 1))

    def _cells_in(self, zone: Integers, ra_deg: Floats) -> Integers:
        cells = self._cells[zone]
        within = np.minimum((ra_deg * (cells / 360)).astype(np.int64), cells - 1)
        return np.asarray(self._first[zone] + within)

    def _arcs(
        self, ra_deg: Floats, dec_deg: Floats, radius_arcsec: Floats | float
    ) -> tuple[Integers, Integers, Floats, Floats]:
        """Cut the box around each circle at the edges of zones, and where RA wraps."""
        radius = np.broadcast_to(radius_arcsec, ra_deg.shape) / 3600 + _SLACK_DEG
        lowest = self._zones(np.maximum(dec_deg - radius, -90))
        highest = self._zones(np.minimum(dec_deg + radius, 90))
        circle, zone = spread(lowest, highest - lowest + 1)
        half = _half_width(dec_deg, radius)
        whole = half >= 180
        low, high = np.where(whole, 0, ra_deg - half), np.where(whole, _LAST, ra_deg + half)
        low, high = low[circle], high[circle]
        before, beyond = np.flatnonzero(low < 0), np.flatnonzero(high > _LAST)
        pick = np.concatenate([np.arange(len(circle)), before, beyond])
        return (
            circle[pick],
            zone[pick],
            np.concatenate([np.maximum(low, 0), low[before] + 360, np.zeros(len(beyond))]),
            np.concatenate(
                [np.minimum(high, _LAST), np.full(len(before), _LAST), high[beyond] - 360]
            ),
        )


def spread(first: Integers, count: Integers) -> tuple[Integers, Integers]:
    """Return every number of ranges, each with the index of its range.

    Parameters
    ----------
    first : ndarray of int64, (B,)
        First number of each.
    count : ndarray of int64, (B,)
        How many numbers.

    Returns
    -------
    tuple of ndarray of int64
        Index of the range, and number.
    """
    index = np.repeat(np.arange(len(first)), count)
    begin = np.cumsum(count) - count
    return index, np.arange(len(index)) + (first - begin)[index]


def _keys(zone: Integers, ra_deg: Floats) -> Integers:
    step = np.minimum((ra_deg * (_STEPS / 360)).astype(np.int64), _STEPS - 1)
    return zone * _STEPS + step


def _half_width(dec_deg: Floats, radius_deg: Floats) -> Floats:
    """Return how far in right ascension circles reach; 180 degrees around a pole."""
    # The width of a circle: sin(half) = sin(radius) / cos(dec), from the right-angled triangle of
    # pole, centre and the point of contact of the meridian.
    cos = np.maximum(np.cos(np.deg2rad(dec_deg)), 1e-300)
    ratio = np.sin(np.deg2rad(np.minimum(radius_deg, 90))) / cos
    near_pole = (np.abs(dec_deg) + radius_deg >= 90) | (ratio >= 1 - 1e-9)
    return np.where(near_pole, 180, np.rad2deg(np.arcsin(np.minimum(ratio, 1))) + _SLACK_DEG)
