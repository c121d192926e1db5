"""The settings file at the end: it names what is there, so that the next commands need no more."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from pipeline.acquire.by_source import BAILER_JONES, NEIGHBOURS
from pipeline.acquire.dust import FILES, FOLDER
from pipeline.acquire.lamost_spectra import SPECTRA
from pipeline.acquire.plan import LEDGER
from pipeline.acquire.request import CATALOGUES, TO_STORE, Request
from pipeline.acquire.tables import published_table
from pipeline.core.atomic import write_bytes
from pipeline.settings.load import DEFAULT_FILE

_MARK = "# Written by pairspec acquire; digest "


def write_settings(request: Request) -> str:
    """Write ``OUT/pairspec.toml``; return the line that says where it is.

    A file that somebody has changed is left as it is, and the new one goes beside it.

    Parameters
    ----------
    request : Request
        Where to, and which release.
    """
    text = "\n".join(_lines(request)) + "\n"
    path = request.out / DEFAULT_FILE
    if path.exists() and not _is_ours(path):
        path = path.with_name("pairspec.acquired.toml")
    write_bytes(path, f"{_MARK}{_digest(text)}\n{text}".encode())
    note = "" if path.name == DEFAULT_FILE else f"  ({DEFAULT_FILE} was changed and is left alone)"
    return f"  -> {path}{note}"


def _is_ours(path: Path) -> bool:
    """Whether a settings file is as it was written here."""
    first, _, text = path.read_text(errors="replace").partition("\n")
    return first == f"{_MARK}{_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _newest(folder: Path, name: str) -> Path | None:
    """Return the copy of a catalogue that was made last: partitions of HATS, or a table by TAP."""
    marks = (folder / name / "hats.properties", folder / f"{name}.parquet")
    there = sorted((mark.stat().st_mtime_ns, mark) for mark in marks if mark.exists())
    if not there:
        return None
    last = there[-1][1]
    return last if last.suffix == ".parquet" else last.parent


def _lines(request: Request) -> Iterator[str]:
    out, settings = request.out, request.settings
    yield "# Paths are relative to this file."
    yield 'root = "run"'
    yield ""
    yield "[inputs]"
    files = {
        "spectra": out / SPECTRA,
        "catalogue": request.catalogue(".csv.gz", "LRS_stellar"),
        "multi_epoch": request.catalogue(".csv.gz", "LRS_mec"),
        "bailer_jones": out / CATALOGUES / f"{BAILER_JONES}.parquet",
        "tmass_best_neighbour": out / CATALOGUES / f"{NEIGHBOURS}.parquet",
        "eclipsing": out / CATALOGUES / "eclipsing.csv",
        "planets": out / CATALOGUES / "planets.csv",
    }
    for name, path in files.items():
        what = f'{name} = "{path.relative_to(out).as_posix()}"'
        yield what if path.exists() else f"# {what}  (not there yet)"
    for name, url in (("gaia", settings.gaia_url), ("tmass", settings.tmass_url)):
        copy = _newest(out / CATALOGUES, name)
        yield f'{name} = "{copy.relative_to(out).as_posix() if copy else url}"'
    published = published_table(out / CATALOGUES)
    if published is not None:
        yield f'compare = "{published[0].relative_to(out).as_posix()}"'
        if published[1] is not None:
            yield ""
            yield "[validation]"
            yield f'compare_binary = "{published[1]}"'
    yield ""
    yield "[photometry]"
    yield "# Gaia's catalogue has no reddening; the map does."
    yield 'reddening = "map"'
    folder = f'dust_folder = "{FOLDER}"'
    is_there = all((out / FOLDER / name).exists() for name in FILES.values())
    yield folder if is_there else f"# {folder}  (pairspec acquire dust)"
    yield ""
    layout = out / LEDGER / TO_STORE
    if layout.exists():
        yield "[ingest]"
        yield "# The store was written without files."
        yield "frozen = true"
        yield from (f"{name} = {n}" for name, n in json.loads(layout.read_bytes()).items())
        yield ""
    yield "[acquire]"
    yield f'release = "{settings.release}"'
