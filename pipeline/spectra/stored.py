"""Blocks of stored spectra, the next one read while the last one is computed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
import xarray as xr

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.prepare import Prepared, network_input
from pipeline.store.rows import read_rows

ARRAYS = ("flux", "ivar", "log10_first", "n_pixel")


class StoredBlock(NamedTuple):
    """Some spectra of a shard as stored.

    Parameters
    ----------
    rows : pandas.DataFrame
        What is known of the B spectra; columns as of `pipeline.inference.rows.read_rows`.
    arrays : dict of str to ndarray
        Arrays of the store, one spectrum per row: the names of `ARRAYS`.
    """

    rows: pd.DataFrame
    arrays: dict[str, npt.NDArray[Any]]


def read_blocks(store: xr.Dataset, rows: pd.DataFrame, block_rows: int) -> Iterator[StoredBlock]:
    """Read the spectra of one shard block by block; the next one is read during the computation.

    Parameters
    ----------
    store : xarray.Dataset
        The open store.
    rows : pandas.DataFrame
        Spectra to read, ordered by row.
    block_rows : int
        Rows of an inner chunk of the store; two such blocks are held at a time.

    Yields
    ------
    StoredBlock
        The wanted spectra of one or more chunks, in order of row.
    """
    chunk = rows["row"].to_numpy(dtype="int64") // block_rows
    cuts = [0, *(np.flatnonzero(np.diff(chunk)) + 1).tolist(), len(rows)]
    spans = _merged(cuts, block_rows)
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        waiting = pool.submit(_read, store, rows.iloc[spans[0]], block_rows)
        for span in spans[1:]:
            block = waiting.result()
            waiting = pool.submit(_read, store, rows.iloc[span], block_rows)
            yield block
        yield waiting.result()


def _merged(cuts: list[int], most: int) -> list[slice]:
    """Join neighbouring chunks of which few rows are wanted, up to ``most`` rows."""
    spans, first = [], cuts[0]
    for end, after in zip(cuts[1:], [*cuts[2:], None], strict=True):
        if after is None or after - first > most:
            spans.append(slice(first, end))
            first = end
    return spans


def _read(store: xr.Dataset, rows: pd.DataFrame, block_rows: int) -> StoredBlock:
    index = rows["row"].to_numpy(dtype="int64")
    arrays = {name: np.empty((index.size, *store[name].shape[1:]), store[name].dtype)
              for name in ARRAYS}  # fmt: skip
    chunk = index // block_rows
    for number in np.unique(chunk):
        inside = np.flatnonzero(chunk == number)
        # One contiguous read of a chunk, then the wanted rows of it.
        span = slice(int(index[inside[0]]), int(index[inside[-1]]) + 1)
        for name, array in arrays.items():
            read = read_rows(store, name, span)
            array[inside] = read[index[inside] - span.start]
    return StoredBlock(rows, arrays)


def prepare(
    block: StoredBlock,
    settings: SpectraSettings,
    device: torch.device | None,
    *,
    with_continuum: bool = False,
) -> Prepared:
    """Clean, resample and normalise a block where the network will run.

    Parameters
    ----------
    block : StoredBlock
        Spectra as stored.
    settings : SpectraSettings
        The preprocessing that the network was trained with.
    device : torch.device, optional
        Device of the torch tensors to return; None: NumPy arrays, twice as fast on a CPU.
    with_continuum : bool
        Return what the flux was divided by, too.

    Returns
    -------
    Prepared
        Arrays of that library, on that device.
    """
    arrays: dict[str, Any] = block.arrays
    if device is not None:
        arrays = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
    velocity: Any = None
    if settings.frame == "rest":
        # A spectrum without a velocity stays where it is; its quality bit says so.
        velocity = block.rows["rv_kms"].to_numpy(dtype="float64", na_value=0.0)
        velocity = velocity if device is None else torch.tensor(velocity, device=device)
    return network_input(
        arrays["flux"],
        arrays["ivar"],
        arrays["log10_first"],
        arrays["n_pixel"],
        velocity,
        settings,
        with_continuum=with_continuum,
    )
