"""What the tables of a run are: names, rows, columns, units."""

import difflib
import textwrap
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.core.errors import InputError
from pipeline.core.parquet import table_files
from schemas.registry import MADE_BY, TABLES
from schemas.table import Table

WIDTH = 100


def list_tables(root: Path) -> list[str]:
    """Return one line per table: name, rows, columns, what it is.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    """
    lines = [f"{'table':15}{'rows':>12}{'columns':>9}  what it is"]
    for table in TABLES:
        parts = table_files(root / table.location)
        rows = f"{sum(pq.read_metadata(part).num_rows for part in parts):,}" if parts else "-"
        what = table.description.split(". ")[0].split(": ")[0].rstrip(".")
        if not parts:
            what = f"made by `pairspec {MADE_BY[table.name]}`"
        first, *more = textwrap.wrap(what, WIDTH - 38)
        lines.append(f"{table.name:15}{rows:>12}{len(table.columns):>9}  {first}")
        lines += [f"{'':38}{line}" for line in more]
    return lines


def describe_table(name: str) -> list[str]:
    """Return one line per column of a table: name, type, unit, meaning.

    Parameters
    ----------
    name : str
        Name of the table.

    Raises
    ------
    InputError
        There is no such table.
    """
    table = _find(name)
    wide = max(len(name) for name in table.names) + 2
    lines = [f"{table.name} ({table.location}): {table.description}", ""]
    for column in table.columns:
        text = f"{column.description} ({column.source})" if column.source else column.description
        first, *more = textwrap.wrap(text, WIDTH - wide - 16)
        lines.append(f"{column.name:{wide}}{column.type!s:8}{column.unit:8}{first}")
        lines += [f"{'':{wide + 16}}{line}" for line in more]
    return lines


def _find(name: str) -> Table:
    tables = {table.name: table for table in TABLES}
    if name in tables:
        return tables[name]
    close = difflib.get_close_matches(name, list(tables), n=1)
    hint = f"did you mean {close[0]}?" if close else f"the tables are {', '.join(tables)}"
    raise InputError(f"no table {name}; {hint}")
