"""Partitions of the sky by HEALPix (nested): how large each may be."""

import numpy as np
from numpy.typing import NDArray

FINEST_ORDER = 8
"""Order of the smallest partitions: 0.05 square degrees."""

FULL_ORDER = 29
"""Order of the index that rows are sorted by."""


def coarsest_orders(counts: NDArray[np.int64], most_rows: int) -> NDArray[np.int64]:
    """Return the order of the largest pixel of at most so many rows around each finest pixel.

    Parameters
    ----------
    counts : ndarray of int64
        Rows in each pixel of order ``FINEST_ORDER``.
    most_rows : int
        Only a pixel of order ``FINEST_ORDER`` may have more.
    """
    orders = np.full(len(counts), FINEST_ORDER)
    for order in range(FINEST_ORDER - 1, -1, -1):
        fits = counts.reshape(12 * 4**order, -1).sum(axis=1) <= most_rows
        orders[np.repeat(fits, len(counts) // len(fits))] = order
    return orders
