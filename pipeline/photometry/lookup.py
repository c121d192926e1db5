"""Further tables joined by a number: out of memory, by DuckDB."""

import os
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.atomic import PARTIAL

_INTEGERS = ("BIGINT", "UBIGINT", "HUGEINT", "INTEGER")


class LookupTableError(ValueError):
    """A table to join lacks a column or has lost digits of its ids."""


def look_up(
    keys: Path,
    key: str,
    table: Path,
    columns: Sequence[str],
    out: Path,
    memory_limit: str,
) -> Path:
    """Write the values that a table has for each row.

    Parameters
    ----------
    keys : pathlib.Path
        Folder of Parquet files with ``row``, ``shard`` and the key.
    key : str
        Column that both sides are joined by, a 64-bit integer.
    table : pathlib.Path
        Parquet file or folder of them, or CSV file, of any size.
    columns : sequence of str
        Columns of the table to keep.
    out : pathlib.Path
        File to write: ``row`` and the columns, ordered by row. Of several rows of the table with
        one key, the one with the smallest values counts.
    memory_limit : str
        Beyond it, DuckDB goes to disk.

    Returns
    -------
    pathlib.Path
        ``out``.

    Raises
    ------
    LookupTableError
        The table is not there, lacks a column, or its ids are no integers.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.name}.{os.getpid()}{PARTIAL}")
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(out.parent / "duckdb"),
        "threads": 1,
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=config) as db:
        source = _source(table)
        _check(db, source, table, (key, *columns))
        wanted = ", ".join(f't."{name}"' for name in columns)
        db.execute(
            f'COPY (SELECT DISTINCT ON (k."row") k."row", {wanted} '  # noqa: S608 (names checked)
            f"FROM read_parquet({_quote(keys / '*.parquet')}) k JOIN {source} t "
            f'ON k."{key}" = t."{key}" ORDER BY k."row", {wanted}) '
            f"TO {_quote(partial)} (FORMAT parquet, ROW_GROUP_SIZE 8192)"
        )
    partial.replace(out)
    return out


def read_values(path: Path, rows: pa.ChunkedArray) -> pa.Table:
    """Read the values of the rows of one shard, which rise; null where there are none."""
    table = pq.read_schema(path).empty_table()
    if len(rows):
        here = (pc.field("row") >= rows[0]) & (pc.field("row") <= rows[-1])
        table = pq.read_table(path, filters=here, partitioning=None)
    return align(table, "row", rows).drop_columns("row")


def align(table: pa.Table, key: str, rows: pa.ChunkedArray) -> pa.Table:
    """Return the table's row for each key, null where there is none; integers stay integers."""
    return table.take(pc.index_in(rows, value_set=table[key].cast(rows.type)))


def _source(table: Path) -> str:
    if table.is_dir():
        return f"read_parquet({_quote(table / '**' / '*.parquet')})"
    if not table.is_file():
        raise LookupTableError(f"no table at {table}")
    if table.suffix == ".parquet":
        return f"read_parquet({_quote(table)})"
    if ".fits" in table.suffixes or ".fit" in table.suffixes:
        raise LookupTableError(f"{table} is FITS; give it as CSV or Parquet")
    return f"read_csv({_quote(table)})"


def _check(db: duckdb.DuckDBPyConnection, source: str, table: Path, columns: Sequence[str]) -> None:
    rows = db.execute(f"DESCRIBE FROM {source}").fetchall()
    types = {str(row[0]): str(row[1]) for row in rows}
    missing = [name for name in columns if name not in types]
    if missing:
        raise LookupTableError(
            f"{table} has no column {', '.join(missing)}; it has {', '.join(types)}"
        )
    if types[columns[0]] not in _INTEGERS:
        raise LookupTableError(
            f"column {columns[0]} of {table} is {types[columns[0]]}: ids above 2^53 have lost "
            "digits; write them as 64-bit integers"
        )


def _quote(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
