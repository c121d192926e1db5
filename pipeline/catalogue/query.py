"""The tables of a run as DuckDB views, to be read and nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

import duckdb
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from pipeline.catalogue.answer import check_output, write_answer
from pipeline.catalogue.complaint import complain
from pipeline.catalogue.completeness import add_completeness
from pipeline.catalogue.cone import add_cone, pixel_expression
from pipeline.core.errors import InputError
from pipeline.core.parquet import CHECKED, table_files
from pipeline.core.words import counted
from schemas.catalogue import STARS
from schemas.completeness import COMPLETENESS
from schemas.registry import TABLES

_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(ANALYZE\s|\([^)]*\))?", re.IGNORECASE)

_MISSED = re.compile(
    r'Table with name "?(?P<table>.+?)"? does not exist|Cannot access file "(?P<file>.+?)" - '
)


class Tables:
    """Queries over the tables of a run; made by :func:`connect`."""

    def __init__(self, db: duckdb.DuckDBPyConnection, root: Path, *, allow_files: bool):
        self._db = db
        self._root = root
        self._allow_files = allow_files
        self._own: set[str] = set()

    def sql(self, query: str, params: Any = None) -> duckdb.DuckDBPyRelation:
        """Return the answer to a query.

        Parameters
        ----------
        query : str
            One statement that reads: SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT
            or EXPLAIN.
        params : object, optional
            Values of its parameters, as DuckDB takes them.

        Returns
        -------
        duckdb.DuckDBPyRelation
            Read by its ``df()``, ``fetchall()``, ``to_arrow_table()`` or by printing it.

        Raises
        ------
        InputError
            Not valid, more than one statement, or not one that reads; a table or column that is
            not there, with the stage that makes the table.
        """
        with complain(self._root):
            self._check(query)
            while True:
                try:
                    return self._db.sql(query, params=params)
                except (duckdb.CatalogException, duckdb.PermissionException) as error:
                    if not self._bring(str(error)):
                        raise

    def _bring(self, error: str) -> bool:
        """Make a view of the file that the database missed, if it may be read; False if not."""
        found = _MISSED.search(error)
        name = found["table"] or found["file"] if found else ""
        if not self._allow_files or not name or name in self._own:
            return False
        if not Path(name).exists():
            if found and found["file"]:
                raise InputError(f"there is no file {name}")
            return False
        from pipeline.catalogue.own_file import open_own

        # The database still opens no file: it is handed what this program has read.
        self._db.register(name, open_own(Path(name)))
        self._own.add(name)
        return True

    def _check(self, query: str) -> None:
        statements = self._db.extract_statements(query)
        if len(statements) != 1:
            given = f"this is {len(statements)}" if statements else "none is given"
            raise InputError(f'a query is one statement, and {given}; with make, SQL="SELECT ..."')
        kind = statements[0].type
        if kind not in _READING:
            word = query.split()[0].upper()
            raise InputError(
                f"{word if word.isalpha() else kind.name} is not allowed: the tables of a run are "
                "only read (SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN, and "
                "PIVOT with its values by IN); --output writes the result to a file"
            )
        if kind == duckdb.StatementType.EXPLAIN:
            # EXPLAIN ANALYZE runs what it explains.
            head = _EXPLAIN.match(query)
            if head is None:
                raise InputError("EXPLAIN must be the first word of the query")
            self._check(query[head.end() :])


@contextmanager
def connect(
    root: Path, *, allow_files: bool = False, limit_s: float | None = None, **files: Path
) -> Iterator[Tables]:
    """Open the tables that a run has written, each as a view of its name.

    DuckDB itself can open no file at all, so that whatever a statement says, nothing is written
    and nothing but these tables is read: the views hand it the data. (Folders that it is allowed
    to read, it is also allowed to write.)

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    allow_files : bool
        A query may name other tables by their files, ``FROM 'mine.csv'``; they are read by
        `pipeline.catalogue.own_file.open_own`.
    limit_s : float, optional
        Seconds after which whatever is being asked is stopped.
    **files : pathlib.Path
        Further Parquet files, each by the name of its view.

    Raises
    ------
    FileNotFoundError
        The root holds no table, or a further file is not there.
    """
    parts = {table.name: table_files(root / table.location) for table in TABLES}
    if not any(parts.values()):
        raise FileNotFoundError(f"{root} holds no table; run `pairspec ingest` first")
    for name, path in files.items():
        if parts.get(name) or not path.is_file():
            problem = "is a table of the run" if parts.get(name) else f"has no file {path}"
            raise FileNotFoundError(f"the view {name} {problem}; give another")
        parts[name] = [path]
    with TemporaryDirectory(prefix="pairspec-query-") as spill, _closed_database(spill) as db:
        for name, found in parts.items():
            if found:
                db.register(name, _dataset(found))
        if parts[STARS.name]:
            add_cone(db)
        if parts[COMPLETENESS.name]:
            add_completeness(db)
        db.execute("SET lock_configuration = true")
        with _stopped_after(limit_s, db):
            yield Tables(db, root, allow_files=allow_files)


def select_stars(columns: str, where: str | None) -> str:
    """Return the query for columns of the stars that meet a condition.

    Parameters
    ----------
    columns : str
        In SQL.
    where : str, optional
        The condition, in SQL; None or empty for all stars.
    """
    # The line ends before the bracket, so that a comment cannot swallow it.
    condition = f" WHERE (\n{where}\n)" if where else ""
    return f"SELECT {columns} FROM stars{condition}"  # noqa: S608 (`Tables.sql` reads only)


def show(root: Path, sql: str, *, allow_files: bool = False) -> str:
    """Return the result of a query as a table of text.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    sql : str
        One statement that reads.
    allow_files : bool
        As for `connect`.
    """
    with connect(root, allow_files=allow_files) as tables, complain(root):
        return str(tables.sql(sql)).rstrip()


def save(root: Path, sql: str, output: Path, *, allow_files: bool = False) -> str:
    """Write the result of a query to a ``.csv`` or ``.parquet`` file; return a line about it.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    sql : str
        One statement that reads.
    output : pathlib.Path
        File to write; its ending says what it becomes.
    allow_files : bool
        As for `connect`.

    Raises
    ------
    ValueError
        Another ending of the file's name, or a file that belongs to a run.
    """
    path = check_output(root, output)
    with connect(root, allow_files=allow_files) as tables, complain(root):
        rows = write_answer(tables.sql(sql), path)
    return f"{counted(rows, 'rows')} -> {output}"


@contextmanager
def _stopped_after(limit_s: float | None, db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Interrupt what is being asked after some seconds, so that its thread is free again."""
    if limit_s is None:
        yield
        return
    timer = Timer(limit_s, db.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _closed_database(spill: str) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that has no access to files, extensions or Python's variables."""
    return duckdb.connect(
        config={
            "enable_external_access": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
            "temp_directory": spill,
        }
    )


def _dataset(parts: list[Path]) -> ds.Dataset:
    # A path is a path: no patterns, no folders taken for columns.
    return ds.FileSystemDataset.from_paths(
        [str(part) for part in parts],
        schema=pq.read_schema(parts[0]),
        format=CHECKED,
        filesystem=LocalFileSystem(),
        partitions=[pixel_expression(part) for part in parts],
    )
