"""One file from a server to its place: whole or not at all."""

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3

from pipeline.acquire.connection import Connection
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.core.atomic import PARTIAL, write_json
from pipeline.core.damage import file_size, sha256_of
from pipeline.settings.acquire import AcquireSettings

_CHUNK_BYTES = 1 << 18
_RESUMED_FROM_BYTES = 1 << 20
"""Smaller files begin anew after a cut."""
_SPOILED = {
    Reason.WRONG_LENGTH, Reason.CORRUPT, Reason.HTML, Reason.EMPTY, Reason.TOO_LARGE,
    Reason.NOT_WANTED,
}  # fmt: skip
"""What has come is of no use for the next attempt."""
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_HTML = (b"<!doctype html", b"<html")


@dataclass(frozen=True)
class Wanted:
    """A file that is to be fetched.

    Parameters
    ----------
    key : str
        What it is, e.g. an obsid.
    url : str
        Where it is, without token.
    path : pathlib.Path
        Where it goes.
    """

    key: str
    url: str
    path: Path


@dataclass(frozen=True)
class Kind:
    """What all files of one list have in common.

    Parameters
    ----------
    name : str
        Name in ledger and progress.
    check : callable
        ``check(path, key)`` raises `FetchError` where a fetched file is not what it should be.
    private : bool
        The token is sent.
    max_bytes : int
        No such file is larger.
    """

    name: str
    check: Callable[[Path, str], None]
    private: bool = False
    max_bytes: int = 1 << 42


class Transfer:
    """Fetches files over a connection.

    Parameters
    ----------
    connection : Connection
        Sends the requests.
    settings : AcquireSettings
        What is too slow.
    """

    def __init__(self, connection: Connection, settings: AcquireSettings) -> None:
        self._connection, self._settings = connection, settings

    def fetch(self, wanted: Wanted, kind: Kind) -> tuple[int, str]:
        """Fetch a file, check it and give it its name.

        Parameters
        ----------
        wanted : Wanted
            Which file.
        kind : Kind
            How it is checked.

        Returns
        -------
        tuple of int and str
            Its size in bytes and its SHA-256.

        Raises
        ------
        FetchError
            This attempt has failed. A large file goes on from where it was cut in the next one,
            if the server can do that.
        """
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        partial = wanted.path.with_name(f"{wanted.path.name}{PARTIAL}")
        note = wanted.path.with_name(f"{wanted.path.name}.note{PARTIAL}")
        try:
            self._receive(wanted, kind, partial, note)
            require_whole(partial, wanted.key, kind)
        except FetchError as error:
            if error.reason in _SPOILED or not note.exists():
                partial.unlink(missing_ok=True)
                note.unlink(missing_ok=True)
            raise
        done = keep(partial, wanted.path)
        note.unlink(missing_ok=True)
        return done

    def _receive(self, wanted: Wanted, kind: Kind, partial: Path, note: Path) -> None:
        headers, held = _resumption(partial, note)
        with self._connection.get(wanted.url, headers, private=kind.private) as response:
            start = _start(response, held)
            length = _length(response)
            if start == 0:
                note.unlink(missing_ok=True)
                _note(response, length, note)
            with partial.open("r+b" if start else "wb") as file:
                file.seek(start)
                copy_body(response, file.write, kind.max_bytes - start, self._settings)
                file.truncate()
            received = response.raw.tell()
            if length is not None and received != length:
                raise FetchError(Reason.WRONG_LENGTH, f"{received} bytes instead of {length}")


def keep(partial: Path, path: Path) -> tuple[int, str]:
    """Flush a checked file to disk and give it its name; return its size and its SHA-256.

    Parameters
    ----------
    partial, path : pathlib.Path
        Where it is, and its name.
    """
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    done = file_size(partial), sha256_of(partial)
    partial.replace(path)
    return done


def copy_body(
    response: requests.Response,
    write: Callable[[bytes], object],
    room: int,
    settings: AcquireSettings,
) -> None:
    """Hand on the body of a response as it comes.

    Parameters
    ----------
    response : requests.Response
        Its body is not read yet.
    write : callable
        Takes bytes.
    room : int
        Most bytes.
    settings : AcquireSettings
        What is too slow.

    Raises
    ------
    FetchError
        It is too large, too slow, cut, or in a broken encoding.
    """
    begin, written = time.monotonic(), 0
    try:
        # read1 returns what is there: read would wait for a whole chunk of a slow server.
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            write(chunk)
            written += len(chunk)
            elapsed = time.monotonic() - begin
            if written > room:
                raise FetchError(Reason.TOO_LARGE, f"more than {room} bytes")
            slow = written < elapsed * settings.min_bytes_per_s
            if slow and elapsed > settings.read_timeout_s:
                raise FetchError(Reason.TOO_SLOW, f"{written} bytes in {elapsed:.0f} s")
    except urllib3.exceptions.ReadTimeoutError:
        raise FetchError(Reason.TOO_SLOW, "the server fell silent") from None
    except urllib3.exceptions.DecodeError as error:
        raise FetchError(Reason.CORRUPT, f"content encoding: {error}") from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise FetchError(Reason.CUT, f"{type(error).__name__} after {written} bytes") from None


def _resumption(partial: Path, note: Path) -> tuple[dict[str, str], int]:
    """Return the headers that ask for the rest of a file, and how much of it is here."""
    try:
        validator, held = json.loads(note.read_bytes())["validator"], partial.stat().st_size
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}, 0
    if not held:
        return {}, 0
    return {"Range": f"bytes={held}-", "If-Range": validator}, held


def _start(response: requests.Response, held: int) -> int:
    """Return where the body belongs: 0, where the server sends the whole file anew."""
    if response.status_code == 200:
        return 0
    found = RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if found is None or int(found[1]) != held or int(found[2]) + 1 != int(found[3]):
        raise FetchError(Reason.WRONG_LENGTH, "another range than was asked for")
    return held


def _length(response: requests.Response) -> int | None:
    value = response.headers.get("Content-Length", "").strip()
    return int(value) if value.isascii() and value.isdigit() else None


def _note(response: requests.Response, length: int | None, note: Path) -> None:
    """Note the state of a large file, so that only the same one is gone on with."""
    etag = response.headers.get("ETag", "")
    validator = etag if etag.startswith('"') else response.headers.get("Last-Modified")
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    if validator and not encoded and length is not None and length >= _RESUMED_FROM_BYTES:
        write_json(note, {"validator": validator})


def require_whole(path: Path, key: str, kind: Kind) -> None:
    """Refuse what is not the file that was asked for.

    Parameters
    ----------
    path : pathlib.Path
        File that was fetched.
    key : str
        What it should be.
    kind : Kind
        How it is checked.

    Raises
    ------
    FetchError
        It is empty, an HTML page, or does not pass the check.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise FetchError(Reason.EMPTY, "no bytes")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML):
        raise FetchError(Reason.HTML, "an HTML page in place of the file")
    kind.check(path, key)
