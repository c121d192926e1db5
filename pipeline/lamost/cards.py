"""Header cards of a plain FITS header, found without parsing what nobody asks for.

Only cards that the FITS standard writes one way are understood. Everything else raises
`UnusualError`, and the file is left to astropy.
"""

import re
from functools import lru_cache

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
_VALUE = re.compile(
    rb" *(?:'((?:[ -&(-~]|'')*)'"
    rb"|([+-]?[0-9]+)"
    rb"|([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[ED][+-]?[0-9]+)?)"
    rb"|([TF])"
    rb"|[+-]?(?:[Nn][Aa][Nn]|[Ii][Nn][Ff])|\*+"  # as IDL and Fortran write what is no number
    rb"|) *(?:/[ -~]*)?"
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
    block = content[start:end]
    heads = np.frombuffer(block, "V80").astype("V10").tobytes()
    places = _places(heads, wanted)
    return {keyword: _value(block[first:last]) for keyword, first, last in places}, data_start


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
def _places(heads: bytes, wanted: frozenset[str] | None) -> tuple[tuple[str, int, int], ...]:
    """Keywords with the bytes of their values, given the first ten bytes of every card."""
    places: dict[str, tuple[str, int, int]] = {}
    for index in range(len(heads) // 10):
        head = heads[index * 10 : index * 10 + 10]
        name = head[:8].rstrip(b" ")
        if name in _COMMENTARY:
            continue
        if not _KEYWORD.fullmatch(name) or head[8:] != b"= " or name in _CONVENTIONS:
            raise UnusualError(head)
        keyword = name.decode("ascii")
        if wanted is None or keyword in wanted:
            start = index * CARD_BYTES
            places.setdefault(keyword, (keyword, start + 10, start + CARD_BYTES))
    return tuple(places.values())


# Neighbours in a plan share most of their cards, and a look-up costs a tenth of a match.
@lru_cache(maxsize=2048)
def _value(card: bytes) -> CardValue:
    """Parse a card from its eleventh byte on."""
    match = _VALUE.fullmatch(card)
    if match is None:
        raise UnusualError(card)
    kind = match.lastindex
    if kind is None:
        return None
    written = match[kind].decode("ascii")
    if kind == 1:
        if ": " in written:  # may be a record-valued card
            raise UnusualError(card)
        return written.replace("''", "'").rstrip(" ")
    if kind == 2:
        return int(written)
    if kind == 3:
        return float(written.replace("D", "E"))
    return written == "T"
