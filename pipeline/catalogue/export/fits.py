"""A FITS binary table, written as a stream."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.io import fits
from numpy.typing import NDArray

from pipeline.catalogue.export.content import Content
from pipeline.core.errors import InputError

BLOCK = 2880
"""FITS files consist of blocks of so many bytes."""

_FORMATS = {
    pa.int16(): ("I", ">i2"),
    pa.int32(): ("J", ">i4"),
    pa.int64(): ("K", ">i8"),
    pa.float32(): ("E", ">f4"),
    pa.float64(): ("D", ">f8"),
    pa.bool_(): ("L", "u1"),
}


def write_fits(content: Content, path: Path) -> None:
    """Write a table with TUNIT, TUCD (UCD) and TCOMM (description) of each column.

    A null is NaN in numbers with a decimal point, TNULL in whole numbers, the empty text, or the
    undefined logical value.

    Parameters
    ----------
    content : Content
        What to write.
    path : pathlib.Path
        File to write.

    Raises
    ------
    InputError
        A text has characters that FITS cannot hold.
    """
    header, dtype = _layout(content)
    with path.open("wb") as file:
        primary = fits.PrimaryHDU().header
        for one in (primary, header):
            file.write(one.tostring(sep="", endcard=True, padding=True).encode("ascii"))
        written = 0
        for batch in content.batches():
            data = _records(batch, dtype).tobytes()
            file.write(data)
            written += len(data)
        file.write(bytes(-written % BLOCK))


def _layout(content: Content) -> tuple[fits.Header, np.dtype[Any]]:
    sizes = content.text_sizes()
    columns, kinds = [], []
    for column in content.standard():
        if pa.types.is_string(column.type):
            length, ascii_only = sizes[column.name]
            if not ascii_only:
                raise InputError(
                    f"the column {column.name} holds characters that are not ASCII, for which FITS "
                    "has no form: leave it out by --columns, or take another --format"
                )
            form, kind = f"{length}A", f"S{length}"
        else:
            form, kind = _FORMATS[column.type]
        null = np.iinfo(kind).min if form in "IJK" else None
        columns.append(fits.Column(column.name, form, column.unit or None, null))
        kinds.append((column.name, kind))
    header = fits.BinTableHDU.from_columns(fits.ColDefs(columns), nrows=0).header
    header["NAXIS2"] = content.n_rows
    header["EXTNAME"] = "STARS"
    for number, column in enumerate(content.standard(), start=1):
        if column.ucd:
            header[f"TUCD{number}"] = column.ucd
        # A card holds 68 characters; what is longer goes on in CONTINUE cards.
        header[f"TCOMM{number}"] = _ascii(column.description)
    for name, text in content.provenance.items():
        header["HISTORY"] = f"{name}: {_ascii(text)}"
    return header, np.dtype(kinds)


def _records(batch: pa.RecordBatch, dtype: np.dtype[Any]) -> NDArray[Any]:
    records = np.zeros(batch.num_rows, dtype)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        records[name] = _values(column, dtype[name])
    return records


def _values(column: pa.Array, kind: np.dtype[Any]) -> NDArray[Any]:
    if pa.types.is_string(column.type):
        return np.asarray(pc.fill_null(column, "").to_numpy(zero_copy_only=False)).astype(kind)
    if pa.types.is_boolean(column.type):
        letters = pc.if_else(column, ord("T"), ord("F"))
        return np.asarray(pc.fill_null(letters, 0).to_numpy(zero_copy_only=False))
    if pa.types.is_integer(column.type):
        return np.asarray(pc.fill_null(column, int(np.iinfo(kind).min)).to_numpy())
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _ascii(text: str) -> str:
    """Return a text as a card may hold it: printable, on one line."""
    return " ".join(text.split()).encode("ascii", "replace").decode("ascii")
