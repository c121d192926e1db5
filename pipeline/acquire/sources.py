"""The one list of what can be acquired."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.acquire.around import gaia_around, tmass_around
from pipeline.acquire.by_source import acquire_bailer_jones, acquire_neighbours
from pipeline.acquire.dust import acquire_dust
from pipeline.acquire.hats_partitions import acquire_gaia, acquire_tmass
from pipeline.acquire.lamost_catalogue import acquire_catalogue
from pipeline.acquire.lamost_spectra import SOURCE as SPECTRA_SOURCE
from pipeline.acquire.lamost_spectra import acquire_spectra
from pipeline.acquire.lamost_vo import acquire_vo
from pipeline.acquire.request import Outcomes, Request
from pipeline.acquire.settings_file import write_settings
from pipeline.acquire.tables import (
    acquire_eclipsing,
    acquire_jing2025,
    acquire_planets,
    acquire_spectroscopic_binaries,
)
from pipeline.core.errors import InputError
from pipeline.core.lock import root_lock


@dataclass(frozen=True)
class Source:
    """Something that can be acquired.

    Parameters
    ----------
    acquire : callable
        From a request to what came of it.
    selects : bool
        Which spectra it is for may be said.
    private : bool
        It needs the token of LAMOST's archive.
    by_tap : callable, optional
        The same by a TAP service.
    """

    acquire: Callable[[Request], Outcomes]
    selects: bool = False
    private: bool = False
    by_tap: Callable[[Request], Outcomes] | None = None


SOURCES = {
    "lamost-catalogue": Source(acquire_catalogue, private=True),
    "lamost-spectra": Source(acquire_spectra, selects=True, private=True),
    "lamost-vo": Source(acquire_vo, selects=True),
    "gaia": Source(acquire_gaia, selects=True, by_tap=gaia_around),
    "tmass": Source(acquire_tmass, selects=True, by_tap=tmass_around),
    "bailer-jones": Source(acquire_bailer_jones),
    "tmass-neighbours": Source(acquire_neighbours),
    "dust": Source(acquire_dust),
    "eclipsing": Source(acquire_eclipsing),
    "planets": Source(acquire_planets),
    "spectroscopic-binaries": Source(acquire_spectroscopic_binaries),
    "jing2025": Source(acquire_jing2025),
}


def needs_token(what: str) -> bool:
    """Whether a source needs the token of LAMOST's archive."""
    return what in SOURCES and SOURCES[what].private


def acquire(what: str, request: Request) -> Outcomes:
    """Acquire a source, and write the settings file that names it.

    Parameters
    ----------
    what : str
        One of `SOURCES`.
    request : Request
        Where to, and which part of it.

    Raises
    ------
    InputError
        There is no such source, or it has no selection.
    RootLockedError
        Another process acquires into the same folder.
    """
    source = SOURCES.get(what)
    if source is None:
        raise InputError(f"no source {what!r}; there are {', '.join(SOURCES)}")
    if not source.selects and (request.where or request.obsids or request.cone or request.limit):
        raise InputError(f"--where, --obsids, --cone and --limit are not for {what}")
    if request.to_store and what != SPECTRA_SOURCE:
        raise InputError(f"--to-store is not for {what}")
    if request.skip_failed and not request.to_store:
        raise InputError("--skip-failed is for --to-store; files that failed stop nothing else")
    if request.tap and source.by_tap is None:
        raise InputError(f"--tap is not for {what}")
    work = source.by_tap if request.tap and source.by_tap else source.acquire
    with root_lock(request.out, f"acquire {what}"):
        outcomes = _to_store(request) if request.to_store else work(request)
        if not source.selects:
            outcomes.n_failed = outcomes.n_missing  # of a table every file is needed
        if not request.dry_run:
            outcomes.lines.append(write_settings(request))
    return outcomes


def _to_store(request: Request) -> Outcomes:
    # The libraries of the store take seconds to import.
    from pipeline.acquire.to_store import acquire_to_store

    return acquire_to_store(request)
