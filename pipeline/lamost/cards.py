"""Header cards of a plain FITS header, found without parsing what nobody asks for.

Only cards that the FITS standard writes one way are understood. Everything else raises
`UnusualError`, and the file is left to astropy.
"""

import re
from functools import lru_cache
from itertools import starmap
from struct import Struct

import numpy as np

BLOCK_BYTES = 2880
CARD_BYTES = 80
MAX_CARDS = 1000
"""Cards of one header; those of the survey have fewer than 200."""
END_CARD = b"END".ljust(CARD_BYTES)
END_BLOCK = END_CARD.ljust(BLOCK_BYTES)

CardValue = str | int | float | bool | None

_KEYWORD = re.compile(rb"[A-Z0-9_-]+")
_COMMENTARY = frozenset({b"COMMENT", b"HISTORY", b""})
# Long strings and hierarchical keywords change the meaning of their neighbours.
_CONVENTIONS = frozenset({b"CONTINUE", b"HIERARCH", b"END"})
VALUE_BYTES = 70
"""Of a card, what follows the keyword and the equals sign."""
# One value a line; matched together, they take half the time that each by itself would.
_VALUES = re.compile(
    r"^ *(?:('[ -&(-~]*(?:''[ -&(-~]*)*')"
    r"|([+-]?[0-9]+)"
    r"|([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[ED][+-]?[0-9]+)?)"
    r"|([TF])"
    r"|[+-]?(?:[Nn][Aa][Nn]|[Ii][Nn][Ff])|\*+"  # as IDL and Fortran write what is no number
    r"|) *(?:/[ -~]*)?$",
    re.MULTILINE,
)


class UnusualError(Exception):
    """The short way does not vouch for this file."""


def read_cards(
    content: bytes, start: int, wanted: frozenset[str] | None = None
) -> tuple[dict[str, CardValue], int]:
    """Read the header that starts at a byte.

    Parameters
    ----------
    content : bytes
        The file.
    start : int
        First byte of the header.
    wanted : frozenset of str, optional
        Keywords to parse, default all. The others may hold anything printable.

    Returns
    -------
    cards : dict
        Values by keyword; of a keyword that stands twice, the first. Blank values are None, and
        so are NaN, Inf and asterisks.
    data_start : int
        First byte of the data behind it.

    Raises
    ------
    UnusualError
        If there is no complete header, it has more than `MAX_CARDS` cards, or a card is not
        written as the FITS standard has it.
    """
    end, data_start = find_end(content, start)
    n_cards = (end - start) // CARD_BYTES
    heads = np.frombuffer(content, "V80", n_cards, start).astype("V10").tobytes()
    keywords, places = _places(heads, wanted)
    values = _values(places.unpack_from(content, start))
    return dict(zip(keywords, values, strict=True)), data_start


def find_end(content: bytes, start: int) -> tuple[int, int]:
    """Find the END card of the header that starts at a byte, and the data behind it.

    Raises
    ------
    UnusualError
        If there is none, or something other than blanks follows it.
    """
    end = content.find(END_CARD, start)
    length = end - start
    if length > MAX_CARDS * CARD_BYTES:
        raise UnusualError("END")
    data_start = start + -(-(length + CARD_BYTES) // BLOCK_BYTES) * BLOCK_BYTES
    if end < 0 or length % CARD_BYTES or data_start > len(content):
        raise UnusualError("END")
    if content[end:data_start] != END_BLOCK[: data_start - end]:
        raise UnusualError("END")
    return end, data_start


# The survey's files share a few dozen sequences of keywords.
@lru_cache(maxsize=512)
def _places(heads: bytes, wanted: frozenset[str] | None) -> tuple[tuple[str, ...], Struct]:
    """Keywords and the places of their values, given the first ten bytes of every card."""
    places: dict[str, str] = {}
    skipped = 0
    for index in range(len(heads) // 10):
        head = heads[index * 10 : index * 10 + 10]
        name = head[:8].rstrip(b" ")
        skipped += CARD_BYTES
        if name in _COMMENTARY:
            continue
        if not _KEYWORD.fullmatch(name) or head[8:] != b"= " or name in _CONVENTIONS:
            raise UnusualError(head)
        keyword = name.decode("ascii")
        if keyword not in places and (wanted is None or keyword in wanted):
            places[keyword] = f"{skipped - VALUE_BYTES}x{VALUE_BYTES}s"
            skipped = 0
    return tuple(places), Struct("".join(places.values()))


def _values(written: tuple[bytes, ...]) -> list[CardValue]:
    """Parse cards from their eleventh bytes on."""
    lines = b"\n".join(written)
    if not lines.isascii():
        raise UnusualError(lines)
    found = _VALUES.findall(lines.decode("ascii"))
    # A line break within a card would make two of one.
    if not len(found) == len(written) == lines.count(b"\n") + 1:
        raise UnusualError(lines)
    return list(starmap(_value, found))


def _value(text: str, whole: str, real: str, truth: str) -> CardValue:
    """Convert what was written in one of four ways, or in none."""
    if text:
        if ": " in text:  # may be a record-valued card
            raise UnusualError(text)
        return text[1:-1].replace("''", "'").rstrip(" ")
    if whole:
        return int(whole)
    if real:
        return float(real.replace("D", "E"))
    return truth == "T" if truth else None
