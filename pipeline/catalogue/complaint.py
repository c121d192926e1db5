"""DuckDB's complaints about a query in plain words."""

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipeline.core.errors import InputError
from schemas.registry import MADE_BY, TABLES

_CLASS = re.compile(r"^[A-Z][A-Za-z ]*(?:Error|Exception): ")
_NO_TABLE = re.compile(r"Table with name (?P<name>.+?) does not exist")
_NO_COLUMN = re.compile(
    r'(?:Referenced column "(?P<column>.+?)" not found'
    r'|does not have a column named "(?P<other>.+?)")'
)
_CANDIDATES = re.compile(r"Candidate bindings: :?\s*(?P<names>.+)")


@contextmanager
def complain(root: Path) -> Iterator[None]:
    """Turn DuckDB's errors into one plain line.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run, for the message.

    Raises
    ------
    InputError
        In place of any error of DuckDB.
    """
    try:
        yield
    except duckdb.Error as error:
        raise InputError(_plain(str(error), root, type(error))) from None


def _plain(text: str, root: Path, kind: type[duckdb.Error]) -> str:
    lines = text.split("\nLINE ")[0].splitlines()
    message = _CLASS.sub("", " ".join(line.strip() for line in lines if line.strip()))
    if "disabled by configuration" in message or "disabled through configuration" in message:
        return (
            "a query reads the tables of the run and nothing else: it can open no other file, and "
            "load no extension; --allow-files lets FROM 'file' read others, by their names alone "
            "(not read_csv and the like); --output writes the result to a file"
        )
    if "configuration has been locked" in message:
        return "a query cannot change DuckDB's settings"
    if (found := _NO_TABLE.search(message)) is not None:
        return _no_table(found["name"].strip('"'), root)
    if (found := _NO_COLUMN.search(message)) is not None:
        candidates = _CANDIDATES.search(message)
        nearest = f"; the nearest are {candidates['names']}" if candidates else ""
        return f"no column {found['column'] or found['other']} in the tables of the query{nearest}"
    if issubclass(kind, duckdb.InterruptException):
        return (
            "the query was stopped, as it took too long for a page; ask for less, or ask it by "
            "`pairspec query`, which waits"
        )
    if issubclass(kind, duckdb.ParserException):
        return f"the query is not valid SQL: {message}"
    # What one of our own functions says stands at the end.
    return f"the query failed: {message.split('the UDF: ValueError: ')[-1]}"


def _no_table(name: str, root: Path) -> str:
    command = MADE_BY.get(name.lower())
    if command is not None:
        return f"{root} has no table {name} yet; run `pairspec {command} --root {root}` first"
    names = [table.name for table in TABLES]
    close = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; the tables are {', '.join(names)}"
    return f"no table {name}{hint}"
