"""The Zarr store of spectra: made once by the driver, written in whole shards by workers."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from pipeline.core.atomic import PARTIAL
from pipeline.core.errors import InputError, MismatchError
from pipeline.store.rows import shard_file
from schemas.store import PIXEL_ARRAYS, ROW_ARRAYS, ROW_PIXELS, create

METADATA = "zarr.json"
"""Name of the files that describe the store and its arrays."""

LAMOST: Mapping[str, Any] = {"format": "lamost"}
"""What a store is of that says no more."""

Rows = dict[str, npt.NDArray[Any]]
"""Arrays of one shard by name."""


def ensure_store(
    path: Path,
    n_shards: int,
    shard_rows: int,
    chunk_rows: int,
    digest: str,
    notes: Mapping[str, Any] = LAMOST,
) -> None:
    """Write the description of the store: of a new, empty one, or anew for its shards.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    n_shards : int
        Shards of the manifest.
    shard_rows : int
        Rows of a shard.
    chunk_rows : int
        Rows of an inner chunk.
    digest : str
        Digest of the manifest.
    notes : mapping
        What the spectra are: further attributes of the store.

    Raises
    ------
    MismatchError
        The store there was made for other files.
    """
    there = _made_for(path)
    if there is not None and there != (digest, shard_rows):
        raise MismatchError(
            f"{path} was made for another manifest; use another --root, or, if its {METADATA} was "
            "changed by hand, delete that file and run `pairspec ingest` again"
        )
    describe_store(path, n_shards, shard_rows, chunk_rows, digest, notes)


def describe_store(
    path: Path,
    n_shards: int,
    shard_rows: int,
    chunk_rows: int,
    digest: str,
    notes: Mapping[str, Any] = LAMOST,
) -> None:
    """Write the description of a store, whatever it was made for; its shards stay.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    n_shards, shard_rows, chunk_rows : int
        Shards, rows of a shard, rows of an inner chunk.
    digest : str
        Digest of the manifest.
    notes : mapping
        What the spectra are: further attributes of the store.
    """
    # Created beside and renamed: a killed driver leaves no half-made metadata.
    partial = path.with_name(path.name + PARTIAL)
    _remove_tree(partial)
    create(partial, n_shards, shard_rows, chunk_rows, digest, notes)
    if not path.exists():
        partial.rename(path)
        return
    for file in metadata_files(partial):
        target = path / file.relative_to(partial)
        target.parent.mkdir(exist_ok=True)
        file.replace(target)
    _remove_tree(partial)


def metadata_files(path: Path) -> list[Path]:
    """List the files that describe the store and its arrays.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    """
    return [path / METADATA, *(path / name / METADATA for name in (*ROW_ARRAYS, *PIXEL_ARRAYS))]


def open_store(path: Path) -> xr.Dataset:
    """Open the store for reading, lazily; one variable an array of the template.

    Raises
    ------
    InputError
        There is none.
    """
    if not path.exists():
        raise InputError(f"no store at {path}; run `pairspec ingest` first")
    store: xr.Dataset = xr.open_zarr(path, consolidated=False, chunks=None)
    return store


def blank_rows(n_rows: int) -> Rows:
    """Return the arrays of one shard, empty, to be filled row by row in memory."""
    rows: Rows = {}
    for name, (dtype, *_) in PIXEL_ARRAYS.items():
        rows[name] = np.zeros((n_rows, ROW_PIXELS), dtype)
    for name, (dtype, *_) in ROW_ARRAYS.items():
        rows[name] = np.zeros(n_rows, dtype)
    rows["obsid"][:] = -1
    return rows


def write_shard(path: Path, shard: int, rows: Rows) -> None:
    """Write one whole shard of the store in place of what is there, and read it back.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    shard : int
        Number of the shard.
    rows : dict of str to ndarray
        Arrays as from :func:`blank_rows`.

    Raises
    ------
    ValueError
        The rows are not exactly one shard.
    OSError
        What was read back differs from what was written.
    """
    store = open_store(path)
    region = shard_region(store, shard, rows["valid"].size)
    dims = ("row", "pixel")
    dataset = xr.Dataset({name: (dims[: rows[name].ndim], rows[name]) for name in rows})
    # What is there may be damaged or of other chunks, and zarr would read it before it writes.
    for file in shard_files(path, shard):
        file.unlink()
    dataset.to_zarr(path, region={"row": region}, mode="r+", consolidated=False)
    for name, array in rows.items():
        if not _same_bits(store[name].isel(row=region).to_numpy(), array):
            raise OSError(
                f"shard {shard} of {path}: array {name} read back differs; check the disk"
            )


def shard_files(path: Path, shard: int) -> list[Path]:
    """List the files of one shard: one per array, none where an array holds fill values only.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    shard : int
        Number of the shard.
    """
    files = (shard_file(path, name, shard) for name in (*ROW_ARRAYS, *PIXEL_ARRAYS))
    return [file for file in files if file.is_file()]


def shard_region(store: xr.Dataset, shard: int, n_rows: int) -> slice:
    """Return the rows of a shard, checked: an unaligned write would tear its neighbours.

    Parameters
    ----------
    store : xarray.Dataset
        The opened store.
    shard : int
        Number of the shard.
    n_rows : int
        Rows that are to be written.

    Raises
    ------
    ValueError
        Wrong number of rows, or a shard beyond the end.
    """
    shard_rows = int(store.attrs["shard_rows"])
    n_shards = store.sizes["row"] // shard_rows
    if n_rows != shard_rows or not 0 <= shard < n_shards:
        raise ValueError(
            f"a write of {n_rows} rows as shard {shard} does not fill a shard: the store has "
            f"{n_shards} shards of {shard_rows} rows; pad the rows to a whole shard"
        )
    return slice(shard * shard_rows, (shard + 1) * shard_rows)


def format_of(path: Path) -> str | None:
    """Return the format of the spectra in a store; None where there is none.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    """
    try:
        attributes = json.loads((path / METADATA).read_bytes())["attributes"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return str(attributes.get("format", LAMOST["format"]))


def _made_for(path: Path) -> tuple[str, int] | None:
    """Return digest of the manifest and rows of a shard; None where that cannot be read."""
    try:
        attributes = json.loads((path / METADATA).read_bytes())["attributes"]
        return attributes["manifest"], attributes["shard_rows"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _same_bits(a: npt.NDArray[np.generic], b: npt.NDArray[np.generic]) -> bool:
    return a.dtype == b.dtype and np.array_equal(a.view(np.uint8), b.view(np.uint8))


def _remove_tree(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
