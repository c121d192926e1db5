"""What NumPy and torch name differently: windows into an array, and the rows of a block."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array
from numpy.lib.stride_tricks import sliding_window_view

Array = Any
"""A NumPy array or a torch tensor; docstrings say ``array``."""


def windows(flat: Array, length: int) -> Array:
    """Return every run of ``length`` neighbours of a flat array, as a view.

    Parameters
    ----------
    flat : array, (n,)
        Values of any type.
    length : int
        Neighbours of one run.

    Returns
    -------
    array, (n - length + 1, length)
        One run per row.
    """
    if is_torch_array(flat):
        return flat.unfold(0, length, 1)
    return sliding_window_view(flat, length)


def row_blocks(n_row: int, like: Array) -> Iterator[slice]:
    """Cut rows into blocks whose temporaries stay in the cache of a core; one block on a GPU.

    Parameters
    ----------
    n_row : int
        Number of rows.
    like : array
        Says where the rows are.

    Yields
    ------
    slice
        Rows of one block, in order.
    """
    on_cpu = str(device(like)).startswith("cpu")
    size = 128 if on_cpu else 16384
    for first in range(0, n_row, size):
        yield slice(first, min(first + size, n_row))


def place(values: np.ndarray[Any, Any], like: Array) -> Array:
    """Put a NumPy array where another array is.

    Parameters
    ----------
    values : ndarray
        Any shape and type.
    like : array
        Its library and device are taken.

    Returns
    -------
    array
        The values in that library, on that device.
    """
    return array_namespace(like).asarray(values, device=device(like))


def host(values: Array) -> np.ndarray[Any, Any]:
    """Return a NumPy array of an array on any device.

    Parameters
    ----------
    values : array
        Any shape and type.
    """
    return np.asarray(values.cpu() if is_torch_array(values) else values)
