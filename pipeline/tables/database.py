"""DuckDB within bounds: one thread, so much memory, and beyond it a folder of its own on disk."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipeline.core.atomic import PARTIAL

MEMORY = "512MB"
"""Enough for joins and sorts of 7 million rows; what is above it goes to disk."""


@contextmanager
def database(
    folder: Path, memory_limit: str = MEMORY, **options: str | bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that holds no more than so much in memory.

    One thread, so that results do not depend on the order in which threads finish.

    Parameters
    ----------
    folder : pathlib.Path
        Folder below the root, for what does not fit into memory; what a killed run leaves there is
        swept away by the next.
    memory_limit : str
        As DuckDB writes it.
    **options
        Further settings of DuckDB.

    Yields
    ------
    duckdb.DuckDBPyConnection
        Empty database.
    """
    scratch = folder / f"duckdb{PARTIAL}"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(scratch),
        "threads": 1,
        **options,
    }
    try:
        with duckdb.connect(config=config) as db:
            # A worker has no terminal, and the stage its own way to say how far it is.
            db.execute("SET enable_progress_bar = false")
            yield db
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def quoted(path: Path) -> str:
    """Return a path as a literal of SQL, for ``COPY``, which takes no parameter."""
    return "'" + str(path).replace("'", "''") + "'"
