"""The Zarr template of the store of spectra.

Every row is one spectrum on its own grid: pixel ``k`` lies at
``10 ** (log10_first + 1e-4 * k)`` Angstrom (vacuum, heliocentric). Rows are padded to whole
shards and pixels to ``ROW_PIXELS``; ``valid`` marks rows that hold a spectrum and ``n_pixel``
how much of the row is data.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOG10_STEP = 1e-4
"""Step of every LAMOST low-resolution spectrum in log10(wavelength)."""

ROW_PIXELS = 3920
"""Width of the store; the longest spectrum of the survey has 3909 pixels."""

PIXEL_ARRAYS: dict[str, tuple[str, str, str]] = {
    "flux": ("float32", "", "Flux, arbitrary scale, as in the file"),
    "ivar": ("float32", "", "Inverse variance of flux; 0 marks a bad pixel"),
    "andmask": ("uint32", "", "Mask bits set in all exposures, as in the file"),
    "ormask": ("uint32", "", "Mask bits set in any exposure, as in the file"),
}
ROW_ARRAYS: dict[str, tuple[str, str, str]] = {
    "log10_first": ("float64", "dex(Angstrom)", "log10 of the first pixel's wavelength"),
    "n_pixel": ("int32", "", "Pixels that hold data; the rest of the row is padding"),
    "obsid": ("int64", "", "Number of the exposure; -1 where the file has none"),
    "valid": ("bool", "", "The row holds a spectrum"),
}
_ROW_FILL = {"log10_first": 0.0, "n_pixel": 0, "obsid": -1, "valid": False}


def create(
    path: Path,
    n_shards: int,
    shard_rows: int,
    chunk_rows: int,
    digest: str,
    notes: Mapping[str, Any],
) -> None:
    """Write the metadata of an empty store, through xarray; no array data.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the store; must not exist.
    n_shards, shard_rows, chunk_rows : int
        Shards, rows of a shard, and rows of an inner chunk (divides ``shard_rows``).
    digest : str
        Digest of the manifest that the rows follow.
    notes : mapping
        Further attributes: what the spectra are.
    """
    import dask.array as da
    import numpy as np
    import xarray as xr
    from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

    n_rows = n_shards * shard_rows
    # As small as zstd on the noise of spectra, at several times its speed.
    compressor = BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle")
    # Looked at whenever a chunk is read; the index of a shard has one of its own.
    checksum = Crc32cCodec()
    variables: dict[str, Any] = {}
    encoding: dict[str, dict[str, Any]] = {}
    for name, (dtype, unit, text) in PIXEL_ARRAYS.items():
        lazy = da.zeros((n_rows, ROW_PIXELS), chunks=(shard_rows, ROW_PIXELS), dtype=dtype)
        variables[name] = (("row", "pixel"), lazy, _notes(unit, text))
        encoding[name] = {
            "chunks": (chunk_rows, ROW_PIXELS),
            "shards": (shard_rows, ROW_PIXELS),
            "compressors": (compressor, checksum),
            "fill_value": np.zeros((), dtype).item(),
        }
    for name, (dtype, unit, text) in ROW_ARRAYS.items():
        lazy = da.zeros((n_rows,), chunks=(shard_rows,), dtype=dtype)
        variables[name] = (("row",), lazy, _notes(unit, text))
        encoding[name] = {
            "chunks": (shard_rows,),
            "compressors": (ZstdCodec(), checksum),
            "fill_value": _ROW_FILL[name],
        }
    attrs = {
        "title": "Low-resolution spectra, one per row",
        "log10_step": LOG10_STEP,
        "shard_rows": shard_rows,
        "manifest": digest,
        **notes,
    }
    template = xr.Dataset(variables, attrs=attrs)
    template.to_zarr(
        path, mode="w-", compute=False, encoding=encoding, zarr_format=3, consolidated=False
    )


def _notes(unit: str, text: str) -> dict[str, str]:
    return {"description": text, "units": unit} if unit else {"description": text}
