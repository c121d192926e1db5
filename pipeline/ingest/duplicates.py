"""Two files of one exposure: the newest pipeline's counts, the others are marked."""

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import duckdb

# Every file of an exposure that has more than one. DuckDB does it for millions of rows within a
# bounded memory.
_REPEATED = """
    WITH file AS (
        SELECT "row", path, obsid, lmjd, planid, spid, fiberid,
               pipeline_version, data_release, created
        FROM read_parquet($headers) WHERE reason IS NULL
    ), fibre AS (
        SELECT lmjd, planid, spid, fiberid, min(obsid) AS fibre_obsid
        FROM file WHERE obsid IS NOT NULL
        GROUP BY ALL HAVING count(DISTINCT obsid) = 1
    ), keyed AS (
        SELECT file.*, coalesce(obsid, fibre_obsid) AS number,
               concat_ws('-', lmjd, planid, spid, fiberid) AS fibre
        FROM file LEFT JOIN fibre USING (lmjd, planid, spid, fiberid)
    )
    SELECT coalesce('OBSID ' || number, fibre) AS exposure,
           pipeline_version, data_release, created, path, "row"
    FROM keyed
    QUALIFY count(*) OVER (PARTITION BY number, if(number IS NULL, fibre, NULL)) > 1
    ORDER BY exposure
"""


@dataclass(frozen=True)
class Duplicates:
    """Rows whose exposure has a newer file.

    Parameters
    ----------
    superseded : frozenset of int
        Rows of the store that are not counted.
    notes : tuple of str
        One line an exposure: which file counts and which do not.
    """

    superseded: frozenset[int]
    notes: tuple[str, ...]


def find_duplicates(headers: Path) -> Duplicates:
    """Look through the headers of all files for exposures that stand in more than one.

    Exposures are told apart by OBSID. A file without one (DR1, DR2) belongs to the OBSID that
    another file gives for the same night, plan, spectrograph and fibre.

    Parameters
    ----------
    headers : pathlib.Path
        Folder of the table of headers.

    Returns
    -------
    Duplicates
        Rows that a newer file supersedes.
    """
    with duckdb.connect() as db:
        rows = db.execute(_REPEATED, {"headers": f"{headers}/*.parquet"}).fetchall()
    superseded: list[int] = []
    notes: list[str] = []
    for exposure, group in groupby(rows, key=lambda row: str(row[0])):
        newest, *older = sorted(group, key=_age, reverse=True)
        superseded += [row[-1] for row in older]
        names = ", ".join(row[-2] for row in older)
        notes.append(f"{exposure}: {newest[-2]} counts, superseded: {names}")
    return Duplicates(frozenset(superseded), tuple(notes))


def _age(row: tuple[str | None, ...]) -> tuple[tuple[int, ...], tuple[int, ...], str, str]:
    _, pipeline, release, created, path, _ = row
    return version_key(pipeline), version_key(release), created or "", path or ""


def version_key(text: str | None) -> tuple[int, ...]:
    """Return the numbers of a version or release, to compare: ``v2.9.8``, ``DR13-Q1``."""
    return tuple(int(digits) for digits in re.findall(r"\d+", text or ""))
