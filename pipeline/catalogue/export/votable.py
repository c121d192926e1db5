"""A VOTable in the serialisation BINARY2, written as a stream."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.io.votable.tree import Field, Info, Resource, TableElement, VOTableFile
from numpy.typing import NDArray

from pipeline.catalogue.export.content import Content

_TYPES = {
    pa.int16(): ("short", ">i2"),
    pa.int32(): ("int", ">i4"),
    pa.int64(): ("long", ">i8"),
    pa.float32(): ("float", ">f4"),
    pa.float64(): ("double", ">f8"),
    pa.bool_(): ("boolean", "S1"),
}
_LINE = 57
"""Bytes of a line of base64."""

_NULLS = "_nulls"


def write_votable(content: Content, path: Path) -> None:
    """Write a table with unit, UCD and description of each column; nulls are nulls.

    Parameters
    ----------
    content : Content
        What to write.
    path : pathlib.Path
        File to write.
    """
    fields, dtype, encodings = _layout(content)
    head, tail = _frame(content, fields)
    with path.open("wb") as file:
        file.write(head)
        rest = b""
        for batch in content.batches():
            data = rest + _records(batch, dtype, encodings).tobytes()
            whole = len(data) // _LINE * _LINE
            file.write(base64.encodebytes(data[:whole]))
            rest = data[whole:]
        file.write(base64.encodebytes(rest))
        file.write(tail)


def _layout(
    content: Content,
) -> tuple[list[dict[str, str]], np.dtype[Any], dict[str, str]]:
    """Return the attributes of the fields, the form of a row, and the encodings of texts."""
    sizes, encodings = content.text_sizes(), {}
    fields = []
    # Each row begins with one bit per column, set for a null.
    kinds: list[Any] = [(_NULLS, "u1", (-(-len(content.columns) // 8),))]
    for column in content.standard():
        notes = {"name": column.name, "ID": column.name, "unit": column.unit, "ucd": column.ucd}
        if pa.types.is_string(column.type):
            length, ascii_only = sizes[column.name]
            # A character beyond the basic plane takes two code units of two bytes.
            units = length if ascii_only else 2 * length
            notes["datatype"] = "char" if ascii_only else "unicodeChar"
            notes["arraysize"] = str(units)
            kind = f"S{units if ascii_only else 2 * units}"
            encodings[column.name] = "ascii" if ascii_only else "utf-16-be"
        else:
            notes["datatype"], kind = _TYPES[column.type]
        fields.append({name: text for name, text in notes.items() if text})
        kinds.append((column.name, kind))
    return fields, np.dtype(kinds), encodings


def _frame(content: Content, fields: list[dict[str, str]]) -> tuple[bytes, bytes]:
    """Return what stands before the data and what after it."""
    file = VOTableFile(version="1.4")
    resource = Resource()
    file.resources.append(resource)
    table = TableElement(file, name="stars", nrows=content.n_rows)
    resource.tables.append(table)
    for number, (name, text) in enumerate(content.provenance.items()):
        table.infos.append(Info(ID=f"provenance{number}", name=name, value=text))
    for notes, column in zip(fields, content.standard(), strict=True):
        field = Field(file, **notes)
        field.description = column.description
        table.fields.append(field)
    made = io.BytesIO()
    file.to_xml(made)
    before, end, after = made.getvalue().rpartition(b"  </TABLE>")
    open_data = b'   <DATA>\n    <BINARY2>\n     <STREAM encoding="base64">\n'
    close_data = b"     </STREAM>\n    </BINARY2>\n   </DATA>\n"
    return before + open_data, close_data + end + after


def _records(
    batch: pa.RecordBatch, dtype: np.dtype[Any], encodings: dict[str, str]
) -> NDArray[Any]:
    records = np.zeros(batch.num_rows, dtype)
    nulls = np.stack([np.asarray(c.is_null(nan_is_null=True)) for c in batch.columns], axis=1)
    records[_NULLS] = np.packbits(nulls, axis=1)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in encodings:
            texts = pc.fill_null(column, "").to_pylist()
            records[name] = [text.encode(encodings[name]) for text in texts]
        else:
            records[name] = _values(column)
    return records


def _values(column: pa.Array) -> NDArray[Any]:
    if pa.types.is_boolean(column.type):
        return np.where(np.asarray(pc.fill_null(column, False)), b"T", b"F")  # noqa: FBT003
    if pa.types.is_integer(column.type):
        return np.asarray(pc.fill_null(column, 0).to_numpy())
    return np.asarray(column.to_numpy(zero_copy_only=False))
