"""The HDUs of a FITS file, and what their headers claim, within bounds that no spectrum exceeds.

astropy believes a header: where one claims 2^63 axes, it looks for every one of them. So it gets
a bounded number of cards to parse, and what they claim is checked here.
"""

import math
import os
import re
from typing import Any, NamedTuple

from pipeline.lamost.cards import BLOCK_BYTES, CARD_BYTES, MAX_CARDS
from pipeline.lamost.errors import Reason, SpectrumError

MAX_HDUS = 16
MAX_AXES = 999
MAX_COLUMNS = 999
"""The largest NAXIS and TFIELDS that the FITS standard allows."""
LARGEST = 2**63 - 1

BIT_WIDTHS = (8, 16, 32, 64, -32, -64)
MEDIUM_NAME = re.compile(r"(COADD_)?[BR](-\d+)?")
"""Names of the HDUs of medium-resolution files: COADD_B, or B-84186123 for one exposure."""

_EXTENSION = b"XTENSION"
_END = re.compile(rb"END(?![A-Z0-9_-])")


class Hdu(NamedTuple):
    """One header and its data."""

    header: Any
    """astropy's `Header`."""
    data: bytes
    """Without padding."""
    data_start: int

    @property
    def name(self) -> str:
        """EXTNAME in capitals, or an empty string."""
        return str(self.header.get("EXTNAME", "")).strip().upper()

    @property
    def is_table(self) -> bool:
        """Whether this is a binary table."""
        return str(self.header.get("XTENSION", "")).strip().upper() in {"BINTABLE", "A3DTABLE"}


def split_hdus(content: bytes, path: str | os.PathLike[str]) -> list[Hdu]:
    """Find the HDUs of a file; what follows the last one is left alone.

    Raises
    ------
    SpectrumError
        If an HDU ends behind the file, a header claims what cannot be, there are too many
        HDUs or cards, or an HDU is of the medium-resolution survey or packed by fpack.
    """
    hdus: list[Hdu] = []
    start = 0
    while start == 0 or content.startswith(_EXTENSION, start):
        if len(hdus) == MAX_HDUS:
            detail = f"more than {MAX_HDUS} HDUs, which no spectrum has; leave the file out"
            raise SpectrumError(Reason.TOO_LARGE, path, detail)
        header, data_start = _read_header(content, start, path)
        hdu = Hdu(header, b"", data_start)
        _refuse_others(hdu, path)
        try:
            n_bytes = claimed_bytes(header)
        except ValueError as error:
            detail = f"{error} in the header at byte {start}; fetch the file again"
            raise SpectrumError(Reason.CORRUPT, path, detail) from error
        end = data_start + n_bytes
        if end > len(content):
            detail = f"{len(content)} bytes where the header needs {end}; fetch the file again"
            raise SpectrumError(Reason.TRUNCATED, path, detail)
        hdus.append(hdu._replace(data=content[data_start:end]))
        start = data_start + padded(n_bytes)
    return hdus


def claimed_bytes(header: Any) -> int:
    """Bytes of data, without padding, that a header announces.

    Raises
    ------
    ValueError
        If one of the numbers that say so is none, or impossible.
    """
    bits: object = header.get("BITPIX")
    if not isinstance(bits, int) or bits not in BIT_WIDTHS:
        raise ValueError(f"BITPIX is {bits!r}, not one of {BIT_WIDTHS}")
    n_axes = claimed_number(header, "NAXIS", MAX_AXES)
    if n_axes == 0:
        return 0
    axes = [claimed_number(header, f"NAXIS{axis + 1}") for axis in range(n_axes)]
    groups = claimed_number(header, "GCOUNT") if "GCOUNT" in header else 1
    extra = claimed_number(header, "PCOUNT") if "PCOUNT" in header else 0
    n_bytes = abs(bits) // 8 * groups * (extra + math.prod(axes))
    if n_bytes > LARGEST:
        raise ValueError("axes of more than 2^63 bytes")
    return n_bytes


def claimed_number(header: Any, keyword: str, largest: int = LARGEST) -> int:
    """Return the whole number, not negative, of a card.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Header of an HDU.
    keyword : str
        Name of the card.
    largest : int
        Largest number that is taken.

    Raises
    ------
    ValueError
        If the card is missing or holds anything else.
    """
    value: object = header.get(keyword)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest:
        return value
    raise ValueError(f"{keyword} is {value!r}, not a whole number from 0 to {largest}")


def column_names(header: Any) -> list[str]:
    """Names of a table's columns as written; an empty string where a column has none.

    Raises
    ------
    ValueError
        If TFIELDS is no number of columns.
    """
    n_columns = claimed_number(header, "TFIELDS", MAX_COLUMNS)
    return [str(header.get(f"TTYPE{column + 1}", "")) for column in range(n_columns)]


def padded(n_bytes: int) -> int:
    """Bytes in whole FITS blocks."""
    return -(-n_bytes // BLOCK_BYTES) * BLOCK_BYTES


def find_end_card(content: bytes, start: int, stop: int) -> int | None:
    """Find the END card, lenient with what follows END, among the cards from a byte on.

    Parameters
    ----------
    content : bytes
        The file.
    start : int
        Byte of the first card.
    stop : int
        Byte where to give up.
    """
    for place in range(start, min(stop, len(content)), CARD_BYTES):
        if _END.match(content, place):
            return place
    return None


def _read_header(content: bytes, start: int, path: str | os.PathLike[str]) -> tuple[Any, int]:
    from astropy.io import fits

    stop = start + MAX_CARDS * CARD_BYTES
    end = find_end_card(content, start, stop)
    if end is None and stop < len(content):
        detail = f"no END among the first {MAX_CARDS} cards of the header at byte {start}"
        raise SpectrumError(Reason.CORRUPT, path, f"{detail}; fetch the file again")
    if end is None:
        detail = f"the file ends within the header at byte {start}; fetch it again"
        raise SpectrumError(Reason.TRUNCATED, path, detail)
    return fits.Header.fromstring(content[start:end]), start + padded(end + CARD_BYTES - start)


def _refuse_others(hdu: Hdu, path: str | os.PathLike[str]) -> None:
    if MEDIUM_NAME.fullmatch(hdu.name):
        detail = f"the HDU {hdu.name} is of the medium-resolution survey; leave the file out"
        raise SpectrumError(Reason.MEDIUM_RESOLUTION, path, detail)
    if "ZIMAGE" in hdu.header or "ZTABLE" in hdu.header:
        # fpack rounds floats unless told not to, and ivar = 0 would no longer mark bad pixels.
        detail = "files packed by fpack are not read; unpack it with funpack"
        raise SpectrumError(Reason.PACKED, path, detail)
