"""Statistics of the spectra of each star."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


class Groups:
    """B rows in S groups, which follow each other.

    Sums are taken in the order of the rows, so that they do not depend on how rows were read.

    Parameters
    ----------
    key_B : tuple of ndarray, (B,)
        Rows with the same keys that follow each other are one group.

    Attributes
    ----------
    start_S : ndarray of int64, (S,)
        First row of each group.
    of_row_B : ndarray of int64, (B,)
        Group of each row.
    """

    def __init__(self, *key_B: NDArray[Any]) -> None:
        new_B = np.ones(len(key_B[0]), bool)
        if new_B.size:
            new_B[1:] = np.any([key[1:] != key[:-1] for key in key_B], axis=0)
        self.start_S: IntArray = np.flatnonzero(new_B)
        self.of_row_B: IntArray = np.cumsum(new_B) - 1

    def __len__(self) -> int:
        """Count the groups."""
        return len(self.start_S)

    def sum(self, value_B: NDArray[Any]) -> NDArray[np.float64]:
        """Sum of each group: (S,).

        Parameters
        ----------
        value_B : ndarray, (B,)
            Values; those that are not to count are 0.
        """
        if not len(self):
            return np.zeros(0)
        return np.asarray(np.add.reduceat(value_B.astype(np.float64), self.start_S))

    def count(self, where_B: NDArray[np.bool_]) -> IntArray:
        """Count the rows of each group that are marked: (S,)."""
        return np.bincount(self.of_row_B[where_B], minlength=len(self)).astype(np.int64)

    def any(self, where_B: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which groups have a marked row: (S,)."""
        return self.count(where_B) > 0

    def bits(self, value_B: IntArray) -> IntArray:
        """OR of the bits of each group: (S,)."""
        if not len(self):
            return np.zeros(0, np.int64)
        return np.asarray(np.bitwise_or.reduceat(value_B, self.start_S))

    def largest(self, value_B: NDArray[Any], where_B: NDArray[np.bool_]) -> IntArray:
        """Row of the largest value of each group; of equal ones the first.

        Parameters
        ----------
        value_B : ndarray, (B,)
            Values; NaN is smaller than any number.
        where_B : ndarray of bool, (B,)
            Rows to choose from.

        Returns
        -------
        ndarray of int64, (S,)
            -1 in groups that have no such row.
        """
        found = np.full(len(self), -1, np.int64)
        rows = np.flatnonzero(where_B)
        if not rows.size:
            return found
        value = np.nan_to_num(value_B[rows].astype(np.float64), nan=-np.inf)
        inner = Groups(self.of_row_B[rows])
        highest = np.maximum.reduceat(value, inner.start_S)
        reached = np.flatnonzero(value == highest[inner.of_row_B])
        groups = self.of_row_B[rows[reached]]
        # Written from the last to the first, so that of equal values the first row stays.
        found[groups[::-1]] = rows[reached[::-1]]
        return found

    def first(self, where_B: NDArray[np.bool_]) -> IntArray:
        """First marked row of each group, -1 without one: (S,)."""
        return self.largest(np.zeros(where_B.size), where_B)
