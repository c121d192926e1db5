"""Tables from the literature, each from the service that publishes it."""

import csv
import re
from pathlib import Path

from pipeline.acquire.request import Outcomes, Request
from pipeline.acquire.tap import TapTable, acquire_tables, fetch_names
from pipeline.core.errors import InputError
from pipeline.tables.source_columns import SOURCE_ID

_SCORES = ("p_b", "pb", "prob", "probability", "p_binary")
JING2025 = "J/ApJS/277/15"
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]+")
_RA = ("RAJ2000", "RAdeg", "RA_ICRS", "_RA", "ra")
_DEC = ("DEJ2000", "DEdeg", "DE_ICRS", "_DE", "dec")


def acquire_eclipsing(request: Request) -> Outcomes:
    """Fetch the eclipsing binaries of Chen et al. 2020 (ApJS 249, 18): types EA and EW."""
    table = TapTable(
        "eclipsing", request.settings.vizier_url, '"J/ApJS/249/18/table2"',
        (_RA, _DEC, ("Per",), ("Type",)), "\"Type\" IN ('EA', 'EW')",
    )  # fmt: skip
    return acquire_tables(request, [table])


def acquire_planets(request: Request) -> Outcomes:
    """Fetch the planets of the NASA Exoplanet Archive, one row each (``pscomppars``)."""
    needed = (("pl_name",), ("hostname",), ("ra",), ("dec",))
    service = request.settings.exoplanet_url
    return acquire_tables(request, [TapTable("planets", service, "pscomppars", needed)])


def acquire_spectroscopic_binaries(request: Request) -> Outcomes:
    """Fetch the spectroscopic orbits of Gaia DR3 (I/357) and of SB9 (B/sb9)."""
    vizier = request.settings.vizier_url
    return acquire_tables(
        request,
        [
            TapTable("gaia_sb1", vizier, '"I/357/tbosb1"', (("Source",),)),
            TapTable("gaia_sb2", vizier, '"I/357/tbosb2"', (("Source",),)),
            TapTable("sb9_main", vizier, '"B/sb9/main"', (("Seq",), _RA, _DEC)),
            TapTable("sb9_orbits", vizier, '"B/sb9/orbits"', (("Seq",), ("Per",), ("e",))),
        ],
    )


def published_table(folder: Path) -> tuple[Path, str | None] | None:
    """Find the table of stars among those of Jing et al. 2025, and its column of the score.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the catalogues.

    Returns
    -------
    tuple of pathlib.Path and str, or None
        The largest table that has ids of Gaia or positions; None where there is none.
    """
    files = sorted(folder.glob("jing2025_*.csv"), key=lambda file: file.stat().st_size)
    for file in reversed(files):
        with file.open(newline="") as lines:
            names = [name.strip() for name in next(csv.reader(lines), [])]
        if set(names) & set(SOURCE_ID) or (set(names) & set(_RA) and set(names) & set(_DEC)):
            return file, next((name for name in names if name.lower() in _SCORES), None)
    return None


def acquire_jing2025(request: Request) -> Outcomes:
    """Fetch the published catalogue of Jing et al. 2025: all of its tables at VizieR.

    Raises
    ------
    InputError
        VizieR has no table of this catalogue, or one of an odd name.
    """
    vizier = request.settings.vizier_url
    query = f"SELECT table_name FROM TAP_SCHEMA.tables WHERE table_name LIKE '%{JING2025}/%'"  # noqa: S608
    found, names = fetch_names(request, "jing2025-tables", vizier, query)
    if request.dry_run or found.n_missing:
        return found
    if not names:
        raise InputError(
            f"VizieR has no table of {JING2025} (https://vizier.cds.unistra.fr); take the "
            "catalogue from the journal"
        )
    ends = [name.rpartition("/")[2] for name in names]
    # They become names of files, and stand in the settings file.
    if odd := [end for end in ends if not _PLAIN.fullmatch(end)]:
        raise InputError(f"VizieR names a table {odd[0]!r} of {JING2025}, which is no table's name")
    ours = [f"jing2025_{end}" for end in ends]
    tables = [TapTable(own, vizier, f'"{name}"') for own, name in zip(ours, names, strict=True)]
    return acquire_tables(request, tables)
