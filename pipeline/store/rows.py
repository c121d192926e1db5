"""Reads rows of the store; a damaged file is named."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from pipeline.core.damage import Damage
from pipeline.core.errors import MismatchError
from schemas.store import PIXEL_ARRAYS


def read_rows(
    store: xr.Dataset, name: str, rows: slice | npt.NDArray[np.int64]
) -> npt.NDArray[Any]:
    """Read some rows of one array; every chunk is compared with its checksum.

    Parameters
    ----------
    store : xarray.Dataset
        The open store.
    name : str
        Array of the store.
    rows : slice or ndarray of int64, (B,)
        Which rows, rising.

    Raises
    ------
    MismatchError
        A file is damaged; the message names it and the command to run.
    """
    try:
        return _read(store, name, rows)
    except (ValueError, RuntimeError, OSError) as error:
        damage = Damage(_culprit(store, name, rows), f"is damaged ({_first_sentence(error)})")
        raise MismatchError(damage.line("pairspec ingest")) from None


def shard_file(path: Path, name: str, shard: int) -> Path:
    """Return the file that holds one shard of an array.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    name : str
        Array of the store.
    shard : int
        Number of the shard.
    """
    file = path / name / "c" / str(shard)
    return file / "0" if name in PIXEL_ARRAYS else file


def _read(store: xr.Dataset, name: str, rows: slice | npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = store[name].isel(row=rows).to_numpy()
    return values


def _first_sentence(error: Exception) -> str:
    """Return what happened, without the bytes that zarr adds to it."""
    return " ".join(str(error).split()).split(". ")[0]


def _culprit(store: xr.Dataset, name: str, rows: slice | npt.NDArray[np.int64]) -> Path:
    """Find the shard that cannot be read: the last, unless one before it fails alone."""
    index = np.arange(store.sizes["row"])[rows]
    shard = index // int(store.attrs["shard_rows"])
    numbers = np.unique(shard).tolist()
    for number in numbers:
        try:
            _read(store, name, index[shard == number])
        except (ValueError, RuntimeError, OSError):
            numbers.append(number)
            break
    return shard_file(Path(store.encoding["source"]), name, numbers[-1])
