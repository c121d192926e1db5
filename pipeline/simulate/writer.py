"""FITS files of the survey in both layouts, from header cards and arrays to bytes."""

from collections.abc import Iterable, Sequence

import numpy as np
from isal import igzip
from numpy.typing import NDArray

BLOCK = 2880
Card = tuple[str, bool | int | float | str, str]
"""Keyword, value and comment; keyword ``COMMENT`` puts the comment alone on the card."""

COLUMNS = ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK", "NORMALIZATION")


def format_card(card: Card) -> bytes:
    """One card of 80 characters in fixed format.

    Parameters
    ----------
    card : Card
        Keyword, value, comment.

    Returns
    -------
    bytes
        80 of them.

    Raises
    ------
    ValueError
        A text is too long for one card.
    """
    keyword, value, comment = card
    if keyword == "COMMENT":
        text = f"COMMENT {comment}"
    elif isinstance(value, str):
        quoted = f"'{value.replace(chr(39), chr(39) * 2):<8}'"
        text = f"{keyword:<8}= {quoted:<20} / {comment}"
        if len(f"{keyword:<8}= {quoted}") > 80:
            raise ValueError(f"header value of {keyword} is too long for one card: {value!r}")
    else:
        plain = ("T" if value else "F") if isinstance(value, bool) else _number(value)
        text = f"{keyword:<8}= {plain:>20} / {comment}"
    return text[:80].ljust(80).encode("ascii")


def _number(value: int | float) -> str:
    if isinstance(value, int):
        return str(value)
    text = repr(value)
    return text.upper() if "e" in text else text


def format_header(cards: Iterable[Card]) -> bytes:
    """Header block: cards, END, blanks to a multiple of 2880 bytes.

    Parameters
    ----------
    cards : iterable of Card
        In order.

    Returns
    -------
    bytes
        The block.

    Raises
    ------
    ValueError
        A text is too long for one card.
    """
    body = b"".join(map(format_card, cards)) + b"END".ljust(80)
    return body.ljust(-(-len(body) // BLOCK) * BLOCK)


def _data(rows: Sequence[NDArray[np.float32]]) -> bytes:
    body = b"".join(np.ascontiguousarray(row, dtype=">f4").tobytes() for row in rows)
    return body.ljust(-(-len(body) // BLOCK) * BLOCK, b"\0")


def image_file(cards: Sequence[Card], rows: Sequence[NDArray[np.float32]]) -> bytes:
    """Make a file in the layout of DR1 to DR8: one primary image of five rows.

    Parameters
    ----------
    cards : sequence of Card
        Cards after the structural ones.
    rows : sequence of ndarray of float32, (N,)
        Flux, inverse variance, wavelength in Angstrom, andmask, ormask.

    Returns
    -------
    bytes
        The file, not compressed.

    Raises
    ------
    ValueError
        A text is too long for one card.
    """
    structure: list[Card] = [
        ("SIMPLE", True, "Primary Header created by MWRFITS v1.11b"),
        ("BITPIX", -32, ""),
        ("NAXIS", 2, "Number of array dimensions"),
        ("NAXIS1", len(rows[0]), ""),
        ("NAXIS2", 5, ""),
        ("EXTEND", True, ""),
    ]
    return format_header([*structure, *cards]) + _data(rows[:5])


def table_file(cards: Sequence[Card], rows: Sequence[NDArray[np.float32]]) -> bytes:
    """Make a file in the layout of DR9 and later: an empty primary and a one-row table ``COADD``.

    The primary keeps NAXIS1 and NAXIS2 although NAXIS is 0, as the survey's files do.

    Parameters
    ----------
    cards : sequence of Card
        Cards of the primary after the structural ones.
    rows : sequence of ndarray of float32, (N,)
        As for :func:`image_file`, and the normalised flux.

    Returns
    -------
    bytes
        The file, not compressed.

    Raises
    ------
    ValueError
        A text is too long for one card.
    """
    n = len(rows[0])
    primary: list[Card] = [
        ("SIMPLE", True, "Primary Header created by MWRFITS v1.11b"),
        ("BITPIX", 16, ""),
        ("NAXIS", 0, "Number of array dimensions"),
        ("NAXIS1", n, ""),
        ("NAXIS2", 5, ""),
        ("EXTEND", True, ""),
    ]
    return format_header([*primary, *cards]) + table_header("COADD", n) + _data(rows)


def table_header(name: str, n: int) -> bytes:
    """Header of a one-row table of six float columns, each of width ``n``."""
    cards: list[Card] = [
        ("XTENSION", "BINTABLE", "Binary table written by MWRFITS v1.11b"),
        ("BITPIX", 8, "Required value"),
        ("NAXIS", 2, "Required value"),
        ("NAXIS1", 4 * n * len(COLUMNS), "Number of bytes per row"),
        ("NAXIS2", 1, "Number of rows"),
        ("PCOUNT", 0, "Normally 0 (no varying arrays)"),
        ("GCOUNT", 1, "Required value"),
        ("TFIELDS", len(COLUMNS), "Number of columns in table"),
        ("EXTNAME", name, "The extension name"),
        *((f"TTYPE{i}", column, "") for i, column in enumerate(COLUMNS, 1)),
        *((f"TFORM{i}", f"{n}E", "") for i in range(1, len(COLUMNS) + 1)),
    ]
    return format_header(cards)


def compress(content: bytes, level: int) -> bytes:
    """Gzip without a date or a name, so that the same spectrum gives the same bytes."""
    packed: bytes = igzip.compress(content, level, mtime=0)
    return packed
