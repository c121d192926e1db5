"""Spectra as lazy xarray datasets: as stored, and as the network reads them."""

from itertools import pairwise
from pathlib import Path

import dask.array as da
import numpy as np
import pandas as pd
import xarray as xr
from dask.delayed import delayed
from numpy.typing import NDArray

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.stored import prepare, read_blocks
from pipeline.store.store import open_store
from schemas.store import LOG10_STEP


def stored_spectra(path: Path, rows: pd.DataFrame) -> xr.Dataset:
    """Open the store with what is known of each spectrum as coordinates.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    rows : pandas.DataFrame
        One row per file in order of row: ``row`` and further columns, which become coordinates.

    Returns
    -------
    xarray.Dataset
        Lazy, in chunks of Dask; axes row and pixel. Without the padding at the end of the store.
    """
    store = open_store(path)
    chunk_rows = store["flux"].encoding["chunks"][0]
    spectra = store.isel(row=slice(0, len(rows))).chunk({"row": chunk_rows, "pixel": -1})
    spectra = spectra.assign_coords(_coordinates(rows)).set_coords(["valid"])
    spectra.attrs["wavelength"] = (
        f"pixel k of a row lies at 10 ** (log10_first + {LOG10_STEP:g} * k) Angstrom, in vacuum"
    )
    return spectra


def normalised_spectra(path: Path, rows: pd.DataFrame, settings: SpectraSettings) -> xr.Dataset:
    """Normalise spectra as inference does, when they are computed.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    rows : pandas.DataFrame
        Wanted spectra in order of row: ``row``, ``rv_kms`` and further columns, which become
        coordinates.
    settings : SpectraSettings
        Grid, frame and continuum.

    Returns
    -------
    xarray.Dataset
        Lazy ``flux`` (continuum = 1) and ``bad`` with axes row and wave, in chunks of Dask.
    """
    grid = WaveGrid.from_settings(settings)
    wave = np.asarray(grid.wave_L, np.float64)
    chunk_rows = int(open_store(path)["flux"].encoding["chunks"][0])
    numbers = rows["row"].to_numpy(np.int64) // chunk_rows
    cuts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(rows)]
    flux, bad = [], []
    for first, end in pairwise(cuts):
        part = rows.iloc[first:end][["row", "rv_kms"]]
        pair = delayed(_normalise, pure=True, nout=2)(path, part, settings, chunk_rows)
        shape = (end - first, wave.size)
        flux.append(da.from_delayed(pair[0], shape, np.float32))
        bad.append(da.from_delayed(pair[1], shape, np.bool_))
    return xr.Dataset(
        {
            "flux": (("row", "wave"), da.concatenate(flux), {"description": "continuum = 1"}),
            "bad": (("row", "wave"), da.concatenate(bad), {"description": "no information"}),
        },
        coords=_coordinates(rows) | {"wave": ("wave", wave, {"units": "Angstrom"})},
        attrs={"frame": settings.frame, "medium": "vacuum"},
    )


def _normalise(
    path: Path, rows: pd.DataFrame, settings: SpectraSettings, chunk_rows: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    blocks = [
        prepare(block, settings, None) for block in read_blocks(open_store(path), rows, chunk_rows)
    ]
    return (
        np.concatenate([np.asarray(block.flux_BL) for block in blocks]),
        np.concatenate([np.asarray(block.bad_BL) for block in blocks]),
    )


def _coordinates(rows: pd.DataFrame) -> dict[str, tuple[str, NDArray[np.generic]]]:
    return {str(name): ("row", rows[name].to_numpy()) for name in rows.columns}
