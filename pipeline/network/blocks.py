"""Blocks of examples on disk, read without loading them: safetensors files, memory-mapped."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import InputError

_TYPES = {
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
    "I8": np.int8,
    "I16": np.int16,
    "I32": np.int32,
    "I64": np.int64,
    "U8": np.uint8,
    "BOOL": np.bool_,
}


def map_block(path: Path) -> dict[str, NDArray[Any]]:
    """Map the arrays of a safetensors file: nothing is read before it is used.

    The layout is that of the safetensors format: 8 bytes with the length of a JSON header, the
    header, then the arrays at the offsets that it gives.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict of str to ndarray
        Memory-mapped arrays by name.

    Raises
    ------
    InputError
        The file is cut off or is no such file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(length)) if 8 + length <= size else None
        except ValueError:
            header = None
    if not isinstance(header, dict):
        raise InputError(f"{path} is damaged: delete it and its done record, and make it again")
    header.pop("__metadata__", None)
    arrays: dict[str, NDArray[Any]] = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        if 8 + length + last > size:
            raise InputError(f"{path} is cut off: delete it and its done record, and make it again")
        shape, dtype = tuple(entry["shape"]), _TYPES[entry["dtype"]]
        if first == last:  # which cannot be mapped
            arrays[name] = np.zeros(shape, dtype)
        else:
            arrays[name] = np.memmap(path, dtype, "r", 8 + length + first, shape)
    return arrays


class Stacked:
    """Rows of several arrays as if they were one; only the rows asked for are read.

    Parameters
    ----------
    arrays : sequence of ndarray or Stacked, (b, L)
        Arrays of equal width and type, e.g. memory-mapped, or stacks of them.
    row_B : ndarray of int64, (B,), optional
        Which rows of all of them, in order; by default all.

    Raises
    ------
    ValueError
        There are no arrays, or they differ in width or type.
    """

    ndim = 2

    def __init__(
        self,
        arrays: "Sequence[NDArray[np.floating] | Stacked]",
        row_B: NDArray[np.int64] | None = None,
    ) -> None:
        if not arrays:
            raise ValueError("there are no arrays to stack")
        self._arrays = tuple(arrays)
        self._first = np.cumsum([0, *(len(a) for a in arrays)])
        self._row_B = np.arange(self._first[-1]) if row_B is None else row_B
        self.dtype: np.dtype[Any] = arrays[0].dtype
        self.shape: tuple[int, int] = (len(self._row_B), int(arrays[0].shape[1]))
        if any(a.shape[1:] != arrays[0].shape[1:] or a.dtype != self.dtype for a in arrays):
            raise ValueError("blocks of different width or type cannot be stacked")

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._row_B)

    def take(self, rows: NDArray[np.int64] | slice) -> "Stacked":
        """Return some of the rows, without reading them.

        Parameters
        ----------
        rows : ndarray of int64 or slice
            Which of them.

        Returns
        -------
        Stacked
            In the order of ``rows``.
        """
        return Stacked(self._arrays, self._row_B[rows])

    def __getitem__(self, rows: NDArray[np.int64] | slice) -> NDArray[np.floating]:
        """Read some rows; fastest if they are in rising order."""
        row_B = self._row_B[rows]
        out_BL = np.empty((len(row_B), self.shape[1]), self.dtype)
        block_B = np.searchsorted(self._first, row_B, side="right") - 1
        for block in np.unique(block_B):
            here = np.flatnonzero(block_B == block)
            out_BL[here] = self._arrays[block][row_B[here] - self._first[block]]
        return out_BL
