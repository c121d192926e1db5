"""Which spectra: a list, a condition in SQL, a cone; in the order of the survey."""

import math
import re
from array import array
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.acquire.request import Request
from pipeline.core.errors import InputError
from pipeline.lamost.columns import COLUMNS
from pipeline.lamost.names import ExposureName, archive_path
from pipeline.tables.database import database
from pipeline.tables.literal import parquet_files
from pipeline.tables.table import open_table

_SAFE_PLAN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*(?:\.[A-Za-z0-9_+-]+)*")
_MJD_RANGE = range(50_000, 80_000)
_PLACED = ("obsid", "lmjd", "planid", "spid", "fiberid", "shared")
_BATCH_ROWS = 50_000


def select_spectra(request: Request) -> Iterator[tuple[int, PurePosixPath]]:
    """Yield the number of each wanted spectrum and its place in the survey's folders.

    Spectra of a list that the catalogue does not have, or all of them where there is no
    catalogue, lie in folders by their number.

    Parameters
    ----------
    request : Request
        Its ``where``, ``obsids``, ``cone``, ``limit``.

    Raises
    ------
    InputError
        Nothing is selected, or there is no catalogue to select from, or the condition or the list
        cannot be understood.
    """
    for batch in selected_rows(request):
        yield from map(_placed, batch.to_pylist())


def selected_rows(request: Request) -> Iterator[pa.RecordBatch]:
    """Yield what the catalogue says of the wanted spectra: number, place in the survey, position.

    Parameters
    ----------
    request : Request
        As of `select_spectra`.

    Raises
    ------
    InputError
        As of `select_spectra`.
    """
    parquet = request.catalogue(".parquet", "LRS_stellar")
    if not (request.obsids or request.where or request.cone or request.limit):
        raise InputError(
            "say which spectra: --where, --obsids, --cone or --limit (--where true for all)"
        )
    if not parquet.exists() and not request.obsids:
        raise InputError(
            f"no catalogue at {parquet}; run pairspec acquire lamost-catalogue --out {request.out} "
            "first, or give a list (--obsids)"
        )
    if not parquet.exists() and (request.where or request.cone):
        raise InputError(f"--where and --cone need the catalogue, and {parquet} is not there")
    with database(request.scratch()) as db:
        _add_catalogue(db, parquet)
        if request.obsids is not None:
            db.register("listed", read_obsids(request.obsids))
        try:
            rows = db.sql(_query(request)).to_arrow_reader(_BATCH_ROWS)
        except duckdb.Error as error:
            raise InputError(
                f"--where {request.where!r}: {error}; columns are those of the catalogue "
                "(snrg, teff, logg, ...), conditions as in WHERE of DuckDB's SQL"
            ) from None
        yield from rows


def _add_catalogue(db: duckdb.DuckDBPyConnection, parquet: Path) -> None:
    """Make the view ``catalogue``, whose columns have our names and all those of the releases."""
    if not parquet.exists():
        empty = pa.schema([(column.name, column.dtype) for column in COLUMNS]).empty_table()
        db.register("rows", empty)
    else:
        db.read_parquet(parquet_files(parquet), hive_partitioning=False).create_view("rows")
    names = {column.name for column in COLUMNS}
    others = [
        f'"{column.name}" AS "{alias}"'
        for column in COLUMNS
        for alias in column.aliases
        if alias not in names
    ]
    db.execute(f"CREATE VIEW catalogue AS SELECT *, {', '.join(others)} FROM rows")  # noqa: S608


def _query(request: Request) -> str:
    place = "c.lmjd, c.planid, c.spid, c.fiberid"
    limit = f"LIMIT {request.limit}" if request.limit else ""
    # One row per obsid; two of them in one place of the survey's folders would be one file.
    return (
        f"SELECT obsid, {place}, count(*) OVER (PARTITION BY {place}) > 1 AS shared, ra, dec "  # noqa: S608
        f"FROM (SELECT obsid, {place}, "
        "coalesce(c.ra, c.ra_obs) AS ra, coalesce(c.dec, c.dec_obs) AS dec "
        f"FROM {_source(request)} "
        f"QUALIFY row_number() OVER (PARTITION BY obsid ORDER BY {place}) = 1) AS c "
        f"WHERE obsid IS NOT NULL ORDER BY {place}, obsid {limit}"
    )


def _source(request: Request) -> str:
    source = "catalogue c"
    if request.obsids is not None:
        source = "listed LEFT JOIN catalogue c USING (obsid)"
    conditions = [f"({request.where})"] if request.where else []
    if request.cone:
        conditions.append(_cone(request.cone))
    return f"{source} WHERE {' AND '.join(conditions)}" if conditions else source


def parse_cone(text: str) -> tuple[float, float, float]:
    """Read ``RA,DEC,RADIUS`` in degrees.

    Raises
    ------
    InputError
        They are no such numbers.
    """
    try:
        ra, dec, radius = (float(part) for part in text.split(","))
    except ValueError:
        ra = dec = radius = math.nan
    if not (0 <= ra <= 360 and abs(dec) <= 90 and 0 < radius <= 180):
        raise InputError(f"--cone takes RA,DEC,RADIUS in degrees, e.g. 56.75,24.12,1.5, not {text}")
    return ra, dec, radius


def _cone(text: str) -> str:
    """Return the condition that a spectrum lies within a cone."""
    ra, dec, radius = parse_cone(text)
    return (
        "2 * asin(least(1, sqrt("
        f"pow(sin(radians(coalesce(c.dec, c.dec_obs) - {dec}) / 2), 2) + cos(radians({dec})) "
        "* cos(radians(coalesce(c.dec, c.dec_obs))) "
        f"* pow(sin(radians(coalesce(c.ra, c.ra_obs) - {ra}) / 2), 2)))) <= radians({radius})"
    )


def read_obsids(path: Path) -> pa.Table:
    """Read a list of spectra: one number per line, or a table with a column ``obsid``.

    Parameters
    ----------
    path : pathlib.Path
        Text, or any table.

    Raises
    ------
    InputError
        A line is no number, or the table has no such column.
    """
    try:
        with path.open("rb") as file:
            first = file.readline(1000).strip()
    except OSError as error:
        raise InputError(f"cannot read --obsids {path}: {error.strerror}") from None
    if not first.isdigit():
        found = open_table(path, {"obsid": ("obsid", "obs_id")}, ["obsid"], {"obsid": pa.int64()})
        return _each_once(found.read().filter(pa.compute.field("obsid").is_valid()))
    numbers = array("q")
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if text and not (text.isdigit() and len(text) < 19):
                raise InputError(f"{path}, line {number}: {text[:50]!r} is no obsid")
            if text:
                numbers.append(int(text))
    return _each_once(pa.table({"obsid": pa.array(np.frombuffer(numbers, np.int64))}))


def _each_once(listed: pa.Table) -> pa.Table:
    return listed.group_by("obsid", use_threads=False).aggregate([])


def _placed(row: dict[str, int | str | None]) -> tuple[int, PurePosixPath]:
    obsid, lmjd, planid, spid, fiberid, shared = (row[name] for name in _PLACED)
    known = isinstance(lmjd, int) and lmjd in _MJD_RANGE and isinstance(planid, str)
    if known and not shared and _SAFE_PLAN.fullmatch(str(planid)) and None not in (spid, fiberid):
        numbers = int(lmjd or 0), str(planid), int(spid or 0), int(fiberid or 0)
        return int(obsid or 0), archive_path(ExposureName(*numbers))
    return int(obsid or 0), numbered_path(int(obsid or 0))


def numbered_path(obsid: int) -> PurePosixPath:
    """Return the place of a spectrum of which only the number is known."""
    return PurePosixPath("by_obsid", f"{obsid // 10_000:06d}", f"{obsid}.fits.gz")
