"""What a file is, by its content: its name may say anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import IO, cast

from isal import igzip, isal_zlib

from pipeline.core.errors import InputError

HEAD_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"


class Kind(Enum):
    """Kinds of tables that are read."""

    PARQUET = "Parquet"
    FITS = "FITS"
    VOTABLE = "VOTable"
    ECSV = "ECSV"
    CSV = "CSV"


WANTED = "give a table as CSV, ECSV (both may be gzipped), FITS, VOTable or Parquet"

_FOREIGN = {
    b"PK\x03\x04": "a zip archive (or an Excel file): unpack it",
    b"%PDF": "a PDF document",
    b"\x89HDF": "an HDF5 file",
    b"ARROW1": "an Arrow (Feather) file",
    b"BZh": "compressed by bzip2: unpack it",
    b"\xfd7zXZ": "compressed by xz: unpack it",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"SQLite format 3": "an SQLite database",
    b"\x93NUMPY": "a NumPy array",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself: run git lfs pull",
    b"\xff\xfe": "text in UTF-16: save it as UTF-8",
    b"\xfe\xff": "text in UTF-16: save it as UTF-8",
    GZIP_MAGIC: "gzipped twice: unpack it",
}


def kind_of(path: Path) -> Kind:
    """Tell what a file is.

    Parameters
    ----------
    path : pathlib.Path
        File, gzipped or not.

    Raises
    ------
    InputError
        There is no such file, or it is empty, or something else than a table.
    """
    with broken_gzip(path), open_plain(path) as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip():
        raise InputError(f"{path} is empty; {WANTED}")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PAR1"):
        if _is_packed(path):
            raise InputError(f"{path} is gzipped Parquet: unpack it")
        return Kind.PARQUET
    if head.startswith(b"SIMPLE  ="):
        return Kind.FITS
    if start.startswith(b"# %ECSV"):
        return Kind.ECSV
    lower = start[: HEAD_BYTES // 8].lower()
    if lower.startswith(b"<") and b"<votable" in lower:
        return Kind.VOTABLE
    foreign = _foreign(head, lower)
    if foreign is not None:
        raise InputError(f"{path} is {foreign}; {WANTED}")
    return Kind.CSV


def open_plain(path: Path) -> IO[bytes]:
    """Open a file for reading, inflated where it is gzipped, whatever its name.

    Raises
    ------
    InputError
        It cannot be opened.
    """
    if _is_packed(path):
        return cast("IO[bytes]", igzip.open(path, "rb"))  # type: ignore[no-untyped-call]
    return path.open("rb")


@contextmanager
def broken_gzip(path: Path) -> Iterator[None]:
    """Turn the errors of a broken gzip stream into one that names the file.

    Raises
    ------
    InputError
        In place of them.
    """
    try:
        yield
    except (EOFError, igzip.BadGzipFile, isal_zlib.error) as error:  # type: ignore[misc]
        raise InputError(f"{path}: the gzip stream is broken ({error}); fetch it again") from None


def _is_packed(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == GZIP_MAGIC
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


def _foreign(head: bytes, lower: bytes) -> str | None:
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            return name
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it"
    if lower.startswith((b"<!doctype html", b"<html")) or b"<html" in lower[:1000]:
        return "an HTML page, perhaps an error or a login page in place of the download"
    if lower.startswith(b"<"):
        return "XML, but no VOTable"
    if lower.startswith((b"{", b"[")):
        return "JSON"
    if b"\0" in head:
        return "a binary file of an unknown kind"
    return None
