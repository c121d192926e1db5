"""The targets of one part of the sky, and the search for those near a source."""

from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.photometry.positions import Floats, unit_vectors
from pipeline.photometry.targets import positions
from pipeline.photometry.zones import Integers, Zones, spread

_NEAR = 1.5
"""Radii that slow sources reach at most: all but some in a thousand."""
_ZONE = 6.0
"""Radii in the height of a zone."""
_MARKS_PER_TARGET = 16
"""More take memory, fewer let more sources pass that have no target."""


def in_order(table: pa.Table, radius_arcsec: float) -> pa.Table:
    """Return targets in the order in which they are searched.

    Parameters
    ----------
    table : pyarrow.Table
        Targets.
    radius_arcsec : float
        Largest separation of a pair.
    """
    keys = _zones(radius_arcsec).keys(*positions(table))
    return table.take(pa.array(np.argsort(keys, kind="stable")))


def marks_of(table: pa.Table, radius_arcsec: float) -> NDArray[np.bool_]:
    """Return which cells slow sources of targets lie in; cells share marks.

    Parameters
    ----------
    table : pyarrow.Table
        Targets.
    radius_arcsec : float
        Largest separation of a pair.
    """
    marks = np.zeros(1 << (_MARKS_PER_TARGET * table.num_rows).bit_length(), dtype=bool)
    cells = _zones(radius_arcsec).touched(*positions(table), _NEAR * radius_arcsec)
    marks[cells & (len(marks) - 1)] = True
    return marks


class Targets:
    """Targets, of which the few within reach of a source are found at once.

    Parameters
    ----------
    table : pyarrow.Table
        Targets, in order.
    marks : ndarray of bool
        As of `marks_of`.
    radius_arcsec : float
        Largest separation of a pair.
    """

    def __init__(self, table: pa.Table, marks: NDArray[np.bool_], radius_arcsec: float) -> None:
        self.table = table
        self.place_B3 = unit_vectors(*positions(table))
        self.epoch_yr = table["target_epoch_yr"].to_numpy()
        self._zones, self._near_arcsec = _zones(radius_arcsec), _NEAR * radius_arcsec
        self._keys = self._zones.keys(*positions(table))
        self._marks = marks

    def within(
        self, ra_deg: Floats, dec_deg: Floats, reach_arcsec: Floats
    ) -> tuple[Integers, Integers]:
        """Return pairs of a source and a target: all within reach, and some beyond.

        Parameters
        ----------
        ra_deg, dec_deg : ndarray of float64, (S,)
            Where the sources are, right ascension from 0 to 360.
        reach_arcsec : ndarray of float64, (S,)
            How far from each its targets are.
        """
        cells = self._zones.cells(ra_deg, dec_deg)
        marked = self._marks[cells & (len(self._marks) - 1)]
        some = np.flatnonzero(marked | (reach_arcsec > self._near_arcsec))
        # In order of place, so that one search begins near the end of the last.
        some = some[np.argsort(cells[some])]
        source, low, high = self._zones.ranges(ra_deg[some], dec_deg[some], reach_arcsec[some])
        first = np.searchsorted(self._keys, low, "left")
        hit = np.flatnonzero(self._keys[np.minimum(first, len(self._keys) - 1)] <= high)
        hit = hit[first[hit] < len(self._keys)]
        count = np.searchsorted(self._keys, high[hit], "right") - first[hit]
        pair, target = spread(first[hit], count)
        return some[source[hit[pair]]], target


@lru_cache(maxsize=2)
def _zones(radius_arcsec: float) -> Zones:
    return Zones(_ZONE * radius_arcsec)
