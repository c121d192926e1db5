"""Tables of TAP services (IVOA Table Access Protocol), whole or not at all."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.request import CATALOGUES, Outcomes, Request, fetch
from pipeline.acquire.transfer import Kind, Wanted

_QUOTES = '" '
_REGULAR = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
MAX_ROWS = 20_000_000
"""Asked for explicitly: services cut an answer at a limit of their own, else."""


@dataclass(frozen=True)
class TapTable:
    """A table of a TAP service.

    Parameters
    ----------
    name : str
        Name of our file.
    service : str
        Its address.
    table : str
        Name of the table there, as it stands in a query.
    needed : sequence of sequence of str
        Columns that must be there, each with its possible names.
    where : str
        Condition; empty for all rows.
    """

    name: str
    service: str
    table: str
    needed: Sequence[Sequence[str]] = ()
    where: str = ""

    def url(self, columns: str) -> str:
        """Return the address that answers a query by CSV."""
        query = f"SELECT {columns} FROM {self.table}"  # noqa: S608 (text of a request)
        return query_url(self.service, f"{query} WHERE {self.where}" if self.where else query)


def query_url(service: str, query: str) -> str:
    """Return the address that answers a query by CSV."""
    asked = {
        "request": "doQuery", "lang": "ADQL", "format": "csv", "maxrec": MAX_ROWS, "query": query,
    }  # fmt: skip
    return f"{service}/sync?{urlencode(asked)}"


def acquire_tables(request: Request, tables: Sequence[TapTable]) -> Outcomes:
    """Fetch tables as CSV, each checked against the number of rows that the service counts.

    Parameters
    ----------
    request : Request
        Where to.
    tables : sequence of TapTable
        Which tables.
    """
    total = Outcomes()
    for table in tables:
        file = request.out / CATALOGUES / f"{table.name}.csv"
        count = request.out / "ledger" / "counts" / f"{table.name}.csv"
        if not file.exists() and not request.dry_run:
            count.unlink(missing_ok=True)  # tables grow: count anew what is fetched anew
        counting = Kind(f"{table.name}-count", _check_count)
        outcomes = fetch(request, counting, [Wanted("count", table.url("count(*) AS n"), count)])
        if not request.dry_run and count.exists():
            n_rows = _counted(count)
            kind = Kind(table.name, TableCheck(table.needed, n_rows))
            outcomes = fetch(request, kind, [Wanted(table.name, table.url("*"), file)])
            if file.exists():
                outcomes.lines += [f"  rows                  {n_rows:>12,}", f"  -> {file}"]
        total.lines += [f"{table.name}: {table.table}", *outcomes.lines]
        total.n_missing += outcomes.n_missing
        total.n_failed += outcomes.n_failed
    return total


def fetch_names(
    request: Request, name: str, service: str, query: str
) -> tuple[Outcomes, list[str]]:
    """Return the names that a query of ``TAP_SCHEMA`` finds, without quotes.

    Parameters
    ----------
    request : Request
        Where to.
    name : str
        Name of the file that keeps the answer.
    service, query : str
        What is asked.
    """
    file = request.out / "ledger" / "counts" / f"{name}.csv"
    wanted = Wanted(name, query_url(service, query), file)
    outcomes = fetch(request, Kind(name, TableCheck((), None)), [wanted])
    lines = file.read_text().splitlines()[1:] if file.exists() else []
    # Some services give the names with their quotes, and CSV doubles those.
    return outcomes, sorted({line.strip(_QUOTES) for line in lines if line.strip(_QUOTES)})


def quoted_name(name: str) -> str:
    """Return the name of a table or column as it stands in a query (ADQL 2.0, section 2.1.3)."""
    return name if _REGULAR.fullmatch(name) else f'"{name}"'


@dataclass(frozen=True)
class TableCheck:
    """Columns and rows of a table as CSV.

    Parameters
    ----------
    needed : sequence of sequence of str
        Columns that must be there, each with its possible names.
    n_rows : int, optional
        Rows that must be there.
    """

    needed: Sequence[Sequence[str]]
    n_rows: int | None

    def __call__(self, path: Path, _: str) -> None:
        """Refuse a file that is not that table; as of `pipeline.acquire.transfer.Kind`."""
        _refuse_xml(path)
        n_rows, names = _read_through(path)
        missing = [kinds[0] for kinds in self.needed if not set(kinds) & set(names)]
        if missing:
            raise FetchError(Reason.NOT_WANTED, f"no column {', '.join(missing)}")
        if self.n_rows is not None and n_rows != self.n_rows:
            raise FetchError(Reason.WRONG_LENGTH, f"{n_rows} rows of {self.n_rows}")


def _read_through(path: Path) -> tuple[int, list[str]]:
    """Return the number of rows and the names of the columns; every row must have them all."""
    with path.open(newline="", errors="replace") as file:
        rows = csv.reader(file)
        try:
            names = [name.strip() for name in next(rows, [])]
            n_rows = 0
            for row in rows:
                n_rows += bool(row)
                if row and len(row) != len(names):
                    detail = f"row {n_rows} has {len(row)} fields of {len(names)}"
                    raise FetchError(Reason.CORRUPT, detail)
        except csv.Error as error:
            raise FetchError(Reason.CORRUPT, f"no CSV: {error}") from None
    return n_rows, names


def _check_count(path: Path, _: str) -> None:
    _refuse_xml(path)
    _counted(path)


def _counted(path: Path) -> int:
    lines = path.read_text(errors="replace").split()
    if len(lines) != 2 or not lines[1].strip('"').isdigit():
        raise FetchError(Reason.CORRUPT, f"no number of rows: {' '.join(lines)[:100]}")
    return int(lines[1].strip('"'))


def _refuse_xml(path: Path) -> None:
    """Refuse the error document (a VOTable) that services send in place of CSV."""
    with path.open("rb") as file:
        head = file.read(4000).lstrip()
    if head.startswith(b"<"):
        text = " ".join(head.decode(errors="replace").split())
        raise FetchError(Reason.NOT_WANTED, f"the service answers: {text[:300]}")
