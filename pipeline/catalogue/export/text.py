"""CSV, and ECSV, which is CSV with a header that documents the columns."""

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from astropy.table import Column as AstropyColumn
from astropy.table import Table as AstropyTable

from pipeline.catalogue.export.content import Content
from schemas.table import Column


def write_csv(content: Content, path: Path) -> None:
    """Write a plain CSV file: it has no place for units or descriptions.

    Parameters
    ----------
    content : Content
        What to write.
    path : pathlib.Path
        File to write.
    """
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(c.name for c in content.columns)
    _write(content, path, header.getvalue())


def write_ecsv(content: Content, path: Path) -> None:
    """Write an ECSV file (Astropy Proposal for Enhancement 6), whose fields a comma separates.

    Parameters
    ----------
    content : Content
        What to write.
    path : pathlib.Path
        File to write.
    """
    empty = AstropyTable([_empty(column) for column in content.columns])
    empty.meta["provenance"] = dict(content.provenance)
    header = io.StringIO()
    empty.write(header, format="ascii.ecsv", delimiter=",")
    _write(content, path, header.getvalue())


def _empty(column: Column) -> AstropyColumn:
    kind = np.dtype(str) if pa.types.is_string(column.type) else column.type.to_pandas_dtype()
    meta = {"ucd": column.ucd} if column.ucd else {}
    return AstropyColumn(
        np.empty(0, kind), column.name, unit=column.unit or None,
        description=column.description, meta=meta,
    )  # fmt: skip


def _write(content: Content, path: Path, header: str) -> None:
    options = pacsv.WriteOptions(include_header=False)
    kinds = [pa.string() if pa.types.is_boolean(c.type) else c.type for c in content.columns]
    schema = pa.schema(zip([c.name for c in content.columns], kinds, strict=True))
    with path.open("wb") as file:
        file.write(header.encode())
        with pacsv.CSVWriter(file, schema, write_options=options) as writer:
            for batch in content.batches():
                columns = [_as_text(column) for column in batch.columns]
                writer.write_batch(pa.record_batch(columns, schema=schema))


def _as_text(column: pa.Array) -> pa.Array:
    """Return truth as ECSV and Python write it; all else as it is."""
    return pc.if_else(column, "True", "False") if pa.types.is_boolean(column.type) else column
