"""The bytes of a file, inflated where they are gzip, whatever the name says."""

import os
import stat

from isal import isal_zlib

from pipeline.lamost.errors import Reason, SpectrumError

FITS_MAGIC = b"SIMPLE  ="
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WBITS = 31
MAX_BYTES = 16 * 2**20
"""Limit of a file's size and of its inflated size; real spectra have 0.1 MB."""
MAX_MEMBERS = 64
"""Limit of gzip members in a file: each one costs a copy of what follows it."""


_NO_FILE = "this is no file but a device, a pipe or a folder; check that the file is there"


def read_content(path: str | os.PathLike[str]) -> bytes:
    """Read a file and inflate it if its first two bytes say gzip.

    Raises
    ------
    SpectrumError
        With reason unreadable, too_large, empty, truncated or corrupt.
    """
    try:
        # A pipe would wait for somebody to write.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            content = _read(descriptor, path)
        finally:
            os.close(descriptor)
    except OSError as error:
        detail = f"{error.strerror or error}; check that the file is there and may be read"
        raise SpectrumError(Reason.UNREADABLE, path, detail) from error
    if content.startswith(GZIP_MAGIC):
        content = _inflate(content, path)
    if not content:
        raise SpectrumError(Reason.EMPTY, path, "the file holds no bytes; fetch it again")
    return content


def _read(descriptor: int, path: str | os.PathLike[str]) -> bytes:
    """Read an open file, mostly by a single call."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise SpectrumError(Reason.UNREADABLE, path, _NO_FILE)
    if status.st_size > MAX_BYTES:
        raise _too_large(path)
    content = os.read(descriptor, status.st_size + 1)
    # File systems may give less at once, and a file may have changed since its size was asked.
    while len(content) != status.st_size and (more := os.read(descriptor, MAX_BYTES)):
        content += more
    return content


def _inflate(packed: bytes, path: str | os.PathLike[str]) -> bytes:
    """Inflate all members of a gzip file; each one's CRC and length are verified by isal."""
    members: list[bytes] = []
    room = MAX_BYTES
    while packed.startswith(GZIP_MAGIC):
        stream = isal_zlib.decompressobj(GZIP_WBITS)
        try:
            member = stream.decompress(packed, room)
        except isal_zlib.error as error:  # type: ignore[misc]  # isal's stub has it as an instance
            detail = f"the gzip stream is broken ({error}); fetch the file again"
            raise SpectrumError(Reason.CORRUPT, path, detail) from error
        if stream.unconsumed_tail:
            raise _too_large(path)
        if not stream.eof:
            detail = f"the gzip stream ends early, after {len(packed)} bytes; fetch the file again"
            raise SpectrumError(Reason.TRUNCATED, path, detail)
        members.append(member)
        if len(members) > MAX_MEMBERS:
            raise _too_large(path)
        room = max(room - len(member), 1)
        packed = stream.unused_data.lstrip(b"\0")  # tapes and gzip(1) pad with zeros
    if packed:
        detail = f"{len(packed)} bytes follow the gzip stream; fetch the file again"
        raise SpectrumError(Reason.CORRUPT, path, detail)
    return members[0] if len(members) == 1 else b"".join(members)


def _too_large(path: str | os.PathLike[str]) -> SpectrumError:
    detail = f"more than {MAX_BYTES >> 20} MiB or {MAX_MEMBERS} gzip members, as no spectrum has"
    return SpectrumError(Reason.TOO_LARGE, path, f"{detail}; leave the file out")
