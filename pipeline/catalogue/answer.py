"""The answer to a query as a file: CSV or Parquet, there whole or not at all."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipeline.core.atomic import UNFINISHED, whole
from schemas.registry import TABLES

_BATCH_ROWS = 100_000
_ENDINGS = (".csv", ".parquet")


def check_output(root: Path, output: Path) -> Path:
    """Return the resolved path of a result, unless it would harm a run.

    A file may lie beside a run's folders, but not in them and not in place of a table.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run that is asked.
    output : pathlib.Path
        File to write.

    Raises
    ------
    ValueError
        Another ending than ``.csv`` or ``.parquet``, no such folder, or a file of a run.
    """
    if output.suffix not in _ENDINGS:
        raise ValueError(f"--output must end in .csv or .parquet, not {output.name!r}")
    path = check_place(root, output)
    if path.is_dir():
        raise ValueError(f"--output {output}: there is no folder {path.parent} for a file")
    return path


def check_place(root: Path, output: Path) -> Path:
    """Return the resolved path of what is to be written, unless it would harm a run.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run that is asked.
    output : pathlib.Path
        File or folder to write.

    Raises
    ------
    ValueError
        No such folder, or a file of a run.
    """
    path = output.resolve()
    if not path.parent.is_dir():
        raise ValueError(f"--output {output}: there is no folder {path.parent} for a file")
    for folder in path.parents:
        if folder == root.resolve() or _is_run(folder):
            inside = path.relative_to(folder)
            if len(inside.parts) > 1 or str(inside) in {table.location for table in TABLES}:
                raise ValueError(
                    f"--output {output} would write into the run at {folder}; choose a file "
                    "outside its folders"
                )
    return path


def write_answer(answer: duckdb.DuckDBPyRelation, path: Path) -> int:
    """Write an answer in bounded memory; return its number of rows.

    Parameters
    ----------
    answer : duckdb.DuckDBPyRelation
        Result of a query.
    path : pathlib.Path
        File that ends in ``.csv`` or ``.parquet``; replaced where it exists.

    Raises
    ------
    ValueError
        Two columns have one name.
    """
    twice = [name for name, n in Counter(answer.columns).items() if n > 1]
    if twice:
        raise ValueError(f"two columns are named {twice[0]}; tell them apart by AS")
    write = _write_csv if path.suffix == ".csv" else _write_parquet
    with whole(path, UNFINISHED) as partial, partial.open("wb") as file:
        return write(answer, file)


def _is_run(folder: Path) -> bool:
    return (folder / "manifest.parquet").is_file() or (folder / "ledger").is_dir()


def _write_parquet(answer: duckdb.DuckDBPyRelation, file: IO[bytes]) -> int:
    reader = answer.to_arrow_reader(_BATCH_ROWS)
    with pq.ParquetWriter(file, reader.schema, compression="zstd") as writer:
        return _copy(reader, writer)


def _write_csv(answer: duckdb.DuckDBPyRelation, file: IO[bytes]) -> int:
    schema = answer.limit(0).to_arrow_table().schema
    texts = [_text(field) for field in schema]
    reader = answer.project(", ".join(texts)).to_arrow_reader(_BATCH_ROWS)
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(schema.names)
    file.write(header.getvalue().encode())
    options = pacsv.WriteOptions(include_header=False)
    with pacsv.CSVWriter(file, reader.schema, write_options=options) as writer:
        return _copy(reader, writer)


def _text(field: pa.Field) -> str:
    """Return a column as SQL; what CSV has no form for, as DuckDB's text."""
    name = str(field.name).replace('"', '""')
    quoted = f'"{name}"'
    odd = (pa.types.is_nested, pa.types.is_interval, pa.types.is_binary)
    if any(is_odd(field.type) for is_odd in odd):
        return f"{quoted}::VARCHAR AS {quoted}"
    return quoted


def _copy(reader: pa.RecordBatchReader, writer: Any) -> int:
    rows = 0
    for batch in reader:
        writer.write_batch(batch)
        rows += batch.num_rows
    return rows
