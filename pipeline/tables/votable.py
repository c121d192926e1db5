"""Rows of the first table of a VOTable."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa

from pipeline.core.errors import InputError
from pipeline.tables.kind import broken_gzip, open_plain

_TYPES = {
    "boolean": pa.bool_(),
    "unsignedByte": pa.int64(),
    "short": pa.int64(),
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "char": pa.string(),
    "unicodeChar": pa.string(),
}
_TEXTS = ("char", "unicodeChar")


class VotableRows:
    """Rows of the first table of a VOTable of any serialisation, gzipped or not.

    The whole table is held in memory.
    """

    def __init__(self, path: Path):
        self._path = path
        self.schema = pa.schema(_fields(path))

    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield some columns of the table.

        Raises
        ------
        InputError
            The table breaks off, or is not what its head says.
        """
        from astropy.io import votable

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Archives bend the standard; the values are fine.
            try:
                tree = votable.parse(self._path, verify="ignore")
                table = next(tree.iter_tables()).to_table(use_names_over_ids=True)
            except Exception as error:  # noqa: BLE001 (astropy raises many kinds)
                raise InputError(f"{self._path} is a broken VOTable: {error}") from None
        arrays = [_array(table[name], self.schema.field(name).type) for name in names]
        whole = pa.RecordBatch.from_arrays(arrays, list(names))
        for start in range(0, whole.num_rows, batch_rows):
            yield whole.slice(start, batch_rows)


def _fields(path: Path) -> list[tuple[str, pa.DataType]]:
    fields: dict[str, pa.DataType] = {}
    said = ""
    try:
        with broken_gzip(path), open_plain(path) as stream:
            for _, element in ElementTree.iterparse(stream, events=("start",)):  # noqa: S314
                tag = element.tag.rpartition("}")[2]
                if tag == "FIELD":
                    fields.setdefault(element.get("name", ""), _type(element))
                elif tag == "INFO" and element.get("name") == "QUERY_STATUS":
                    said = f"; its QUERY_STATUS is {element.get('value')}"
                elif tag == "DATA" and fields:
                    return list(fields.items())
    except ElementTree.ParseError as error:
        raise InputError(f"{path} is a broken VOTable ({error}); fetch it again") from None
    if fields:
        return list(fields.items())
    raise InputError(f"{path} is a VOTable without a table{said}")


def _type(field: ElementTree.Element) -> pa.DataType:
    kind, size = field.get("datatype", ""), field.get("arraysize", "1")
    if kind not in _TEXTS and size != "1":
        return pa.list_(pa.null())
    return _TYPES.get(kind, pa.list_(pa.null()))


def _array(column: Any, to: pa.DataType) -> pa.Array:
    mask = np.broadcast_to(np.asarray(getattr(column, "mask", False)), len(column))
    values = np.asarray(column)
    if pa.types.is_string(to):
        texts = (v.decode() if isinstance(v, bytes) else str(v) for v in values)
        shown = [None if hidden else text for text, hidden in zip(texts, mask, strict=True)]
        return pa.array(shown, pa.string())
    return pa.array(values.astype(values.dtype.newbyteorder("=")), mask=mask).cast(to)
