"""Spectra of a LAMOST release that the Virtual Observatory publishes: no login is needed."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import urlencode

from pipeline.acquire.downloader import Downloader
from pipeline.acquire.lamost_spectra import BROKEN, SPECTRA, TYPICAL_BYTES, keep_to_release
from pipeline.acquire.plan import LEDGER
from pipeline.acquire.reasons import FetchError
from pipeline.acquire.reasons import Reason as FetchReason
from pipeline.acquire.request import Outcomes, Request, fetch
from pipeline.acquire.selection import parse_cone
from pipeline.acquire.transfer import Kind, Transfer, Wanted
from pipeline.acquire.vo import Found, LinkedTransfer, read_list
from pipeline.core.digest import digest_of
from pipeline.core.errors import InputError
from pipeline.lamost.content import MAX_BYTES
from pipeline.lamost.errors import SpectrumError
from pipeline.lamost.names import ExposureName, archive_path, parse_name
from pipeline.lamost.reader import read_spectrum

SOURCE = "lamost-vo"
_MOST = 20_000
"""Spectra of one list, without --limit."""
_WORDS = re.compile(r"[^A-Za-z0-9_.+-]+")


def acquire_vo(request: Request) -> Outcomes:
    """Fetch the spectra within a cone by SSA and datalink, in the survey's folders.

    Parameters
    ----------
    request : Request
        Of it: ``cone``, ``limit``.

    Raises
    ------
    InputError
        There is no cone, another selection is asked for, the folder holds spectra of another
        release, or the list holds no spectrum or not all.
    """
    if request.cone is None or request.where or request.obsids:
        raise InputError(f"{SOURCE} takes --cone RA,DEC,RADIUS, and --limit")
    ra, dec, radius = parse_cone(request.cone)
    # Which release it is, only the service knows.
    keep_to_release(request, request.settings.ssa_url)
    most = request.limit or _MOST
    asked = {
        "REQUEST": "queryData", "POS": f"{ra},{dec}", "SIZE": 2 * radius, "MAXREC": most,
    }  # fmt: skip
    url = f"{request.settings.ssa_url}?{urlencode(asked)}"
    file = request.out / LEDGER / f"{SOURCE}-lists" / f"{digest_of(url)}.xml"
    listing = Kind(f"{SOURCE}-list", _check_list)
    listed = fetch(request, listing, [Wanted("list", url, file)])
    if listed.n_missing or not file.exists():
        return listed
    found, more = read_list(file)
    if not found:
        raise InputError(f"{request.settings.ssa_url} has no spectrum within {request.cone}")
    if more and not request.limit:
        raise InputError(
            f"more than {most:,} spectra lie within {request.cone}; take a smaller cone, or --limit"
        )
    downloader = Downloader(request.settings, again=request.again)
    downloader.transfer = LinkedTransfer(Transfer(downloader.connection, request.settings))
    outcomes = fetch(
        request,
        Kind(SOURCE, _check, max_bytes=MAX_BYTES),
        _wanted(request, found[:most]),
        TYPICAL_BYTES,
        downloader=downloader,
        requests_each=2,  # one for the links, one for the file
    )
    outcomes.lines.append(f"  -> {request.out / SPECTRA}")
    return outcomes


def _wanted(request: Request, found: list[Found]) -> Iterator[Wanted]:
    """Yield the files, each once: a list may name one in several forms."""
    seen = set()
    for one in found:
        name = next(filter(None, map(_exposure, one.texts)), None)
        digest = hashlib.sha256(one.url.encode()).hexdigest()[:16]
        place = archive_path(name) if name else PurePosixPath("by_url", f"{digest}.fits.gz")
        if place not in seen:
            seen.add(place)
            yield Wanted(place.name, one.url, request.out / SPECTRA / place)


def _exposure(text: str) -> ExposureName | None:
    """Find the name of a low-resolution file in an address or an identifier."""
    for word in _WORDS.split(text):
        name = parse_name(word)
        if isinstance(name, ExposureName) and not name.medium_resolution:
            return name
    return None


def _check_list(path: Path, _: str) -> None:
    read_list(path)


def _check(path: Path, key: str) -> None:
    """Refuse what is not the survey's own file of the exposure that the list names."""
    try:
        header = read_spectrum(path).header
    except SpectrumError as error:
        reason = FetchReason.CORRUPT if error.reason in BROKEN else FetchReason.NOT_WANTED
        raise FetchError(reason, f"{error.reason}: {error.detail}") from None
    name = parse_name(key)
    if isinstance(name, ExposureName):
        wanted = (name.lmjd, name.planid, name.spid, name.fiberid)
        held = (header.lmjd, header.planid, header.spid, header.fiberid)
        if any(a is not None and a != b for a, b in zip(held, wanted, strict=True)):
            raise FetchError(FetchReason.NOT_WANTED, f"the spectrum of {held}")
