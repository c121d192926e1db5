"""The tables of a run as DuckDB views."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipeline.core.root import Root
from schemas.registry import TABLES


@contextmanager
def connect(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory database whose views are the tables that the run has written.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.

    Raises
    ------
    FileNotFoundError
        The root holds no table.
    """
    with duckdb.connect() as db:
        found = 0
        for table in TABLES:
            path = Root(root).table(table)
            pattern = path / "*.parquet" if table.location.endswith("/") else path
            if path.is_file() or any(path.glob("*.parquet")):
                quoted = str(pattern).replace("'", "''")
                db.execute(f"CREATE VIEW {table.name} AS FROM read_parquet('{quoted}')")
                found += 1
        if not found:
            raise FileNotFoundError(f"{root} holds no table; run `pairspec ingest` first")
        yield db


def show(root: Path, sql: str) -> str:
    """Return the result of a query as a table of text."""
    with connect(root) as db:
        result = db.sql(sql)
        return "" if result is None else str(result).rstrip()


def save(root: Path, sql: str, output: Path) -> str:
    """Write the result of a query to a ``.csv`` or ``.parquet`` file; return a line about it.

    Raises
    ------
    ValueError
        Another ending of the file's name.
    """
    writers = {".csv": "write_csv", ".parquet": "write_parquet"}
    if output.suffix not in writers:
        raise ValueError(f"--output must end in .csv or .parquet, not {output.name!r}")
    with connect(root) as db:
        result = db.sql(sql)
        getattr(result, writers[output.suffix])(str(output))
        return f"{len(result):,} rows -> {output}"
