"""What comes of the blocks of a join: one table, and the names of those without rows."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.acquire.uploads import NUMBER
from pipeline.core.atomic import whole
from pipeline.tables.database import quoted
from pipeline.tables.literal import parquet_files

_LIST = b"pairspec.plan"
"""Metadata of a table: the list of blocks that it was made from."""
_BATCH_ROWS = 50_000


def write_batches(
    path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema, made_from: str = ""
) -> None:
    """Write a table a batch at a time.

    Parameters
    ----------
    path : pathlib.Path
        Parquet file; it appears when it is complete.
    batches : iterable of pyarrow.RecordBatch
        Its rows.
    schema : pyarrow.Schema
        Its columns.
    made_from : str
        Which list of blocks it was made from.
    """
    schema = schema.with_metadata({_LIST: made_from.encode()})
    with whole(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))


def is_made_from(path: Path, made_from: str) -> bool:
    """Whether a table is there, and was made from a list of blocks."""
    if not path.exists():
        return False
    return (pq.read_schema(path).metadata or {}).get(_LIST) == made_from.encode()


def distinct(
    db: duckdb.DuckDBPyConnection, asked: Path, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield what is uploaded: each position or id once, in order.

    Parameters
    ----------
    db : duckdb.DuckDBPyConnection
        Does it.
    asked : pathlib.Path
        All that is asked for; what lacks a column is left out.
    columns : sequence of str
        Columns that are uploaded.
    """
    named = ", ".join(columns)
    known = " AND ".join(f"{name} IS NOT NULL" for name in columns)
    yield from db.sql(
        f"SELECT DISTINCT {named} FROM read_parquet($files, hive_partitioning = false) "  # noqa: S608
        f"WHERE {known} ORDER BY {named}",
        params={"files": parquet_files(asked)},
    ).to_arrow_reader(_BATCH_ROWS)


def together(
    db: duckdb.DuckDBPyConnection, blocks: Sequence[Path], columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of all blocks; one that lies near two positions comes once.

    Parameters
    ----------
    db : duckdb.DuckDBPyConnection
        Does it.
    blocks : sequence of pathlib.Path
        Answers of the service.
    columns : sequence of str
        Columns of the table; the first one tells its rows apart.
    """
    named = ", ".join(columns)
    yield from db.sql(
        f"SELECT DISTINCT ON ({columns[0]}) {named} "  # noqa: S608 (our own names)
        f"FROM read_parquet($files, hive_partitioning = false) ORDER BY {named}",
        params={"files": _literals(blocks)},
    ).to_arrow_reader(_BATCH_ROWS)


def write_without(
    db: duckdb.DuckDBPyConnection,
    path: Path,
    asked: Path,
    uploads: Path,
    blocks: Sequence[Path],
    columns: Sequence[str],
) -> None:
    """Write those of what was asked for that have no row in any answer.

    Parameters
    ----------
    db : duckdb.DuckDBPyConnection
        Does it.
    path : pathlib.Path
        Parquet file to write.
    asked, uploads : pathlib.Path
        All that was asked for, and what of it was uploaded.
    blocks : sequence of pathlib.Path
        Answers of the service.
    columns : sequence of str
        Columns that were uploaded.
    """
    rows = "read_parquet(${}, hive_partitioning = false)".format
    same = " AND ".join(f"u.{name} = a.{name}" for name in columns)
    with whole(path) as partial:
        db.execute(
            f"COPY (SELECT a.* FROM {rows('asked')} a WHERE NOT EXISTS (FROM {rows('uploads')} u "  # noqa: S608 (our own names)
            f"WHERE {same} AND u.{NUMBER} IN (SELECT {NUMBER} FROM {rows('blocks')}))) "
            f"TO {quoted(partial)} (FORMAT parquet)",
            {
                "asked": parquet_files(asked),
                "uploads": parquet_files(uploads),
                "blocks": _literals(blocks),
            },
        )


def _literals(files: Sequence[Path]) -> list[str]:
    return [parquet_files(file)[0] for file in files]
