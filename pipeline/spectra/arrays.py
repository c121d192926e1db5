"""What NumPy and torch name differently: windows into an array, and the rows of a block."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array
from numpy.lib.stride_tricks import sliding_window_view

Array = Any
"""A NumPy array or a torch tensor."""


def windows(flat: Array, length: int) -> Array:
    """Every run of ``length`` neighbours of a flat array, as a view (one run a row)."""
    if is_torch_array(flat):
        return flat.unfold(0, length, 1)
    return sliding_window_view(flat, length)


def row_blocks(n_row: int, like: Array) -> Iterator[slice]:
    """Cut rows into blocks whose temporaries stay in a core's cache; one block on a GPU."""
    on_cpu = str(device(like)).startswith("cpu")
    size = 128 if on_cpu else 16384
    for first in range(0, n_row, size):
        yield slice(first, min(first + size, n_row))


def place(values: np.ndarray[Any, Any], like: Array) -> Array:
    """Put a NumPy array where ``like`` lives: same library, same device."""
    return array_namespace(like).asarray(values, device=device(like))
