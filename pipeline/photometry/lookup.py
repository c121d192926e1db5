"""Further tables joined by a number: out of memory, by DuckDB."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.atomic import whole
from pipeline.core.parquet import read_files
from pipeline.tables.database import database, quoted
from pipeline.tables.literal import parquet_files
from pipeline.tables.source_columns import LOOKED_UP, TYPES
from pipeline.tables.table import UserTable, open_table

STAND_INS = (-9999, -999, 99)
"""Numbers that stand for a missing value."""


def open_lookup(key: str, table: Path, columns: Sequence[str]) -> UserTable:
    """Open a table of further values, and check that it has what is wanted of it.

    Parameters
    ----------
    key : str
        Column that it is joined by.
    table : pathlib.Path
        File or folder of files.
    columns : sequence of str
        Columns that are wanted.

    Raises
    ------
    InputError
        The table is not there or no table, or its ids have lost digits.
    InputError
        It lacks a column.
    """
    names = (key, *columns)
    aliases = {name: LOOKED_UP.get(name, (name,)) for name in names}
    return open_table(table, aliases, names, TYPES)


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
        File or folder of files: CSV, ECSV, FITS, VOTable or Parquet, the last of any size.
    columns : sequence of str
        Columns of the table to keep.
    out : pathlib.Path
        File to write: ``row`` and the columns, ordered by row. Of several rows of the table with
        one key, the first counts of those that lack the fewest values.
    memory_limit : str
        Beyond it, DuckDB goes to disk.

    Returns
    -------
    pathlib.Path
        ``out``.

    Raises
    ------
    InputError
        The table is not there or no table, or its ids have lost digits.
    InputError
        It lacks a column.
    """
    found = open_lookup(key, table, columns)
    out.parent.mkdir(parents=True, exist_ok=True)
    copies = out.with_name(f"{out.name}.copies")
    wanted = ", ".join(f'"{name}"' for name in columns)
    kinds = found.files[0].schema
    n_missing = " + ".join(
        f"({_missing(name, kinds.field(found.names[name]).type)})::INTEGER" for name in columns
    )
    # What is held in memory is the right side, the keys: the table may be far larger.
    options: dict[str, str | bool] = {
        "preserve_insertion_order": False,
        "disabled_optimizers": "join_order,build_side_probe_side",
    }
    with whole(out) as partial, database(out.parent, memory_limit, **options) as db:
        db.register("t", found.scan(copies))
        db.execute(
            f'CREATE TEMP TABLE k AS SELECT "row", "{key}" '  # noqa: S608 (names checked)
            "FROM read_parquet($keys, hive_partitioning = false)",
            {"keys": parquet_files(keys)},
        )
        db.execute(
            f'COPY (SELECT DISTINCT ON ("row") "row", {wanted} '  # noqa: S608 (names checked)
            f'FROM (SELECT "{key}", {wanted}, {n_missing} AS n_missing, '
            f'row_number() OVER () AS place FROM t) JOIN k USING ("{key}") '
            'ORDER BY "row", n_missing, place) '
            f"TO {quoted(partial)} (FORMAT parquet, ROW_GROUP_SIZE 8192)"
        )
    shutil.rmtree(copies, ignore_errors=True)
    return out


def _missing(name: str, kind: pa.DataType) -> str:
    """Return the condition, in SQL, that a row of the table has no value in a column."""
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        known = f'isfinite("{name}"::DOUBLE) AND "{name}" NOT IN {STAND_INS}'
    else:
        known = f"\"{name}\" <> ''"
    return f"NOT coalesce({known}, false)"


def read_values(path: Path, rows: pa.ChunkedArray) -> pa.Table:
    """Read the values of some rows, which rise; null where there are none."""
    table = pq.read_schema(path).empty_table()
    if len(rows):
        here = (pc.field("row") >= rows[0]) & (pc.field("row") <= rows[-1])
        table = read_files([path], "photometry", filters=here)
    return align(table, "row", rows).drop_columns("row")


def align(table: pa.Table, key: str, rows: pa.ChunkedArray) -> pa.Table:
    """Return the table's row for each key, null where there is none; integers stay integers.

    Parameters
    ----------
    table : pyarrow.Table
        Table with a key.
    key : str
        Its column, without repeats.
    rows : pyarrow.ChunkedArray
        Keys that are wanted.
    """
    if table[key].equals(rows):
        return table
    return table.take(pc.index_in(rows, value_set=table[key].cast(rows.type)))
