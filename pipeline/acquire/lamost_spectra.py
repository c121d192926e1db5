"""Spectra of LAMOST's low-resolution survey, one file each, in the survey's folders."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.acquire.lamost_catalogue import release_url
from pipeline.acquire.plan import LEDGER
from pipeline.acquire.reasons import FetchError
from pipeline.acquire.reasons import Reason as FetchReason
from pipeline.acquire.request import Outcomes, Request, fetch
from pipeline.acquire.selection import select_spectra
from pipeline.acquire.transfer import Kind, Wanted
from pipeline.core.atomic import write_bytes
from pipeline.core.errors import InputError
from pipeline.lamost.content import MAX_BYTES
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.reader import read_spectrum

SOURCE = "lamost-spectra"
SPECTRA = "spectra"
ARRIVING = "arriving"
"""Folder of the files that are in no shard yet; those of a shard and a batch, at most."""
TYPICAL_BYTES = 45_000
"""Of a gzipped spectrum: 7 million are 315 GB."""
BROKEN = {
    Reason.EMPTY, Reason.TRUNCATED, Reason.CORRUPT, Reason.NOT_FITS, Reason.UNREADABLE,
    Reason.TOO_LARGE,
}  # fmt: skip
"""The download is at fault. A sound file of another kind is kept: `ingest` gives its reason."""


def acquire_spectra(request: Request) -> Outcomes:
    """Fetch the spectra of a list or of a selection on the catalogue.

    Parameters
    ----------
    request : Request
        Which spectra.

    Raises
    ------
    InputError
        Nothing is selected.
    """
    outcomes = fetch(request, spectra_kind(), wanted_spectra(request), TYPICAL_BYTES)
    outcomes.lines.append(f"  -> {request.out / SPECTRA}")
    return outcomes


def spectra_kind() -> Kind:
    """Return what all spectra have in common."""
    return Kind(SOURCE, check_spectrum, private=True, max_bytes=MAX_BYTES)


def wanted_spectra(request: Request) -> Iterator[Wanted]:
    """Yield the wanted spectra.

    Parameters
    ----------
    request : Request
        Which spectra.

    Raises
    ------
    InputError
        Nothing is selected, or the folder holds spectra of another release.
    """
    keep_to_release(request, request.settings.release)
    address = release_url(request.settings.lamost_url, request.settings.release)
    for obsid, path in select_spectra(request):
        url = f"{address}/spectrum/fits/{obsid}"
        yield Wanted(str(obsid), url, request.out / SPECTRA / path)


def keep_to_release(request: Request, release: str) -> None:
    """Note the release: a file of another one has the same name, and would count as there.

    Parameters
    ----------
    request : Request
        Where to.
    release : str
        Release and version, or the service that has one of them.

    Raises
    ------
    InputError
        The folder holds spectra of another release.
    """
    note = request.out / LEDGER / f"{SOURCE}.release"
    folders = (request.out / SPECTRA, request.out / ARRIVING)
    holds = any(path.is_file() for folder in folders for path in folder.rglob("*"))
    there = note.read_text() if holds and note.exists() else release
    if there != release:
        raise InputError(
            f"{request.out} holds spectra of {there}, and these would be of {release}; use "
            "another --out"
        )
    if not request.dry_run:
        write_bytes(note, release.encode())


def check_spectrum(path: Path, key: str) -> None:
    """Refuse a file that is broken, or the spectrum of another exposure.

    Parameters
    ----------
    path : pathlib.Path
        File.
    key : str
        Its obsid.

    Raises
    ------
    FetchError
        The file is not the spectrum that was asked for.
    """
    try:
        obsid = read_spectrum(path).header.obsid
    except SpectrumError as error:
        if error.reason in BROKEN:
            raise FetchError(FetchReason.CORRUPT, f"{error.reason}: {error.detail}") from None
        return
    if obsid is not None and obsid != int(key):
        raise FetchError(FetchReason.NOT_WANTED, f"the spectrum of obsid {obsid}")
