"""Answers of the Virtual Observatory: lists of spectra (SSA) and links to files (datalink)."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np
import pyarrow as pa

from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.transfer import Kind, Transfer, Wanted
from pipeline.core.atomic import PARTIAL
from pipeline.lamost.content import FITS_MAGIC, GZIP_MAGIC

_LINKS = ("#this", "#progenitor")
"""What a link leads to: the data, or what they were made from. Either may be the survey's file."""
_MAX_LINKS_BYTES = 1 << 20


@dataclass(frozen=True)
class Found:
    """A spectrum of a list.

    Parameters
    ----------
    url : str
        Where it is, or where its links are.
    texts : tuple of str
        What the list says of it.
    """

    url: str
    texts: tuple[str, ...]


def read_list(path: Path) -> tuple[list[Found], bool]:
    """Read the answer of an SSA service; return its spectra, and whether there are more of them.

    Parameters
    ----------
    path : pathlib.Path
        VOTable.

    Raises
    ------
    FetchError
        It is no such answer, or the service says that it failed.
    """
    table, is_cut = _answered(path)
    utypes = [str(field.utype or "").lower() for field in table.fields]
    place = _place([utype.endswith("access.reference") for utype in utypes], "Access.Reference")
    rows = [tuple(map(_text, row)) for row in table.array.filled().tolist()]
    return [Found(row[place], row) for row in rows if row[place]], is_cut


def read_rows(path: Path, schema: pa.Schema) -> tuple[pa.Table, bool]:
    """Read the answer of a TAP service; return its rows, and whether there are more of them.

    Parameters
    ----------
    path : pathlib.Path
        VOTable.
    schema : pyarrow.Schema
        Columns to take, whatever the case of their names.

    Raises
    ------
    FetchError
        It is no such answer, or the service says that it failed.
    """
    table, is_cut = _answered(path)
    names = [field.name.lower() for field in table.fields]
    columns = [_column(table, names, field) for field in schema]
    return pa.table(columns, schema=schema), is_cut


def _column(table: Any, names: list[str], field: pa.Field) -> pa.Array:
    values = table.array[table.fields[_place([n == field.name for n in names], field.name)].ID]
    is_null, data = np.ma.getmaskarray(values), np.ma.getdata(values)
    if pa.types.is_string(field.type):
        texts = [_text(value) for value in data.tolist()]
        return pa.array(
            texts, pa.string(), mask=is_null | np.array([not text for text in texts], bool)
        )
    if data.dtype.kind == "f":
        is_null = is_null | np.isnan(data)
        if pa.types.is_integer(field.type) and np.any(np.abs(data[~is_null]) >= 2**53):
            raise FetchError(
                Reason.NOT_WANTED,
                f"column {field.name}: ids above 2^53 as floating-point numbers have lost digits",
            )
    try:
        return pa.array(data, mask=is_null).cast(field.type)
    except pa.ArrowException as error:
        raise FetchError(Reason.NOT_WANTED, f"column {field.name}: {error}") from None


def _answered(path: Path) -> tuple[Any, bool]:
    """Return the table of an answer, and whether the service has cut it."""
    document, table = _parsed(path)
    infos = [info for part in (document, *document.resources) for info in part.infos]
    said = [info for info in infos if info.name == "QUERY_STATUS"]
    status = {str(info.value).upper(): str(info.content or "") for info in said}
    if "ERROR" in status:
        raise FetchError(Reason.NOT_WANTED, f"the service answers: {status['ERROR'][:300]}")
    return table, "OVERFLOW" in status


class LinkedTransfer:
    """Fetches files of which only the links are known; a file that comes at once is taken.

    Parameters
    ----------
    transfer : Transfer
        Fetches links and files.
    """

    def __init__(self, transfer: Transfer) -> None:
        self._transfer = transfer

    def fetch(self, wanted: Wanted, kind: Kind) -> tuple[int, str]:
        """Fetch a file; return its size and its SHA-256.

        Parameters
        ----------
        wanted : Wanted
            Which file; its address may be that of its links.
        kind : Kind
            How it is checked.

        Raises
        ------
        FetchError
            This attempt has failed.
        """
        first = wanted.path.with_name(f"{wanted.path.name}.links")
        links = Kind(kind.name, _accept, kind.private, max(kind.max_bytes, _MAX_LINKS_BYTES))
        try:
            done = self._transfer.fetch(Wanted(wanted.key, wanted.url, first), links)
            with first.open("rb") as file:
                is_data = file.read(len(FITS_MAGIC)).startswith((FITS_MAGIC, GZIP_MAGIC))
            if is_data:
                kind.check(first, wanted.key)
                first.replace(wanted.path)
                return done
            url = _best_link(first, wanted.url)
        finally:
            first.unlink(missing_ok=True)
            first.with_name(f"{first.name}{PARTIAL}").unlink(missing_ok=True)
        return self._transfer.fetch(Wanted(wanted.key, url, wanted.path), kind)


def _accept(_path: Path, _key: str) -> None:
    """Take whatever comes: what it is shows in its first bytes."""


def _best_link(path: Path, base: str) -> str:
    """Return the address of the FITS file that a datalink document leads to."""
    _, table = _parsed(path)
    names = ("access_url", "semantics", "content_type")
    places = [_place([field.name == name for field in table.fields], name) for name in names]
    for wanted in _LINKS:
        for row in table.array.filled().tolist():
            url, semantics, content = (_text(row[place]) for place in places)
            if url and semantics.endswith(wanted) and "fits" in content.lower():
                return _same_host(urljoin(base, url), base)
    raise FetchError(Reason.NOT_FOUND, "no link to a FITS file")


def _same_host(url: str, base: str) -> str:
    one, other = urlsplit(url), urlsplit(base)
    if (one.hostname, one.scheme, one.port) != (other.hostname, other.scheme, other.port):
        raise FetchError(Reason.OTHER_HOST, f"a link to {one.scheme}://{one.netloc}")
    return url


def _parsed(path: Path) -> tuple[Any, Any]:
    from astropy.io.votable import parse

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            document = parse(path, verify="ignore")
            return document, document.get_first_table()
    except (ValueError, IndexError, OSError, TypeError) as error:
        raise FetchError(Reason.CORRUPT, f"no VOTable: {error}") from None


def _place(is_wanted: list[bool], what: str) -> int:
    if True not in is_wanted:
        raise FetchError(Reason.NOT_WANTED, f"the answer has no column {what}")
    return is_wanted.index(True)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
