"""Header cards of a plain FITS header, found without parsing what nobody asks for.

Only cards that the FITS standard writes one way are understood. Everything else raises
`UnusualError`, and the file is left to astropy.
"""

import re
from functools import lru_cache

import numpy as np

BLOCK_BYTES = 2880
CARD_BYTES = 80
END_CARD = b"END".ljust(CARD_BYTES)

CardValue = str | int | float | bool | None

_PRINTABLE = bytes(range(0x20, 0x7F))
_KEYWORD = re.compile(rb"[A-Z0-9_-]+")
_COMMENTARY = frozenset({b"COMMENT", b"HISTORY", b""})
# Long strings and hierarchical keywords change the meaning of their neighbours.
_CONVENTIONS = frozenset({b"CONTINUE", b"HIERARCH", b"END"})
_VALUE = re.compile(
    rb" *(?:'((?:[^']|'')*)'"
    rb"|([+-]?[0-9]+)"
    rb"|([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[ED][+-]?[0-9]+)?)"
    rb"|([TF])"
    rb"|) *(?:/.*)?"
)


class UnusualError(Exception):
    """The short way does not vouch for this file."""


class Cards:
    """Values of one header, parsed when asked for."""

    __slots__ = ("_block", "_places")

    def __init__(self, block: bytes, places: dict[str, int]):
        self._block = block
        self._places = places

    def __contains__(self, keyword: str) -> bool:
        return keyword in self._places

    def __getitem__(self, keyword: str) -> CardValue:
        value = self.get(keyword)
        if value is None:
            raise UnusualError(keyword)
        return value

    def get(self, keyword: str) -> CardValue:
        """Value of a card, or None where it is absent or blank.

        Raises
        ------
        UnusualError
            If the value is not written as the FITS standard has it.
        """
        place = self._places.get(keyword)
        if place is None:
            return None
        return _value(self._block[place + 10 : place + CARD_BYTES])

    def has_any(self, keywords: frozenset[str]) -> bool:
        """Whether one of the keywords is there."""
        return not self._places.keys().isdisjoint(keywords)

    def has_prefix(self, *prefixes: str) -> bool:
        """Whether a keyword begins with one of the prefixes."""
        return any(keyword.startswith(prefixes) for keyword in self._places)


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


def read_cards(content: bytes, start: int) -> tuple[Cards, int]:
    """Read the header that starts at a byte.

    Returns
    -------
    cards : Cards
        The header's cards.
    data_start : int
        First byte of the data behind it.

    Raises
    ------
    UnusualError
        If there is no complete header, or not one of plain cards.
    """
    end = content.find(END_CARD, start)
    length = end - start
    data_start = start + -(-(length + CARD_BYTES) // BLOCK_BYTES) * BLOCK_BYTES
    if end < 0 or length % CARD_BYTES or data_start > len(content):
        raise UnusualError("END")
    block = content[start:end]
    if content[end:data_start].strip(b" ") != b"END" or block.translate(None, _PRINTABLE):
        raise UnusualError("END")
    heads = np.frombuffer(block, np.uint8).reshape(-1, CARD_BYTES)[:, :10].tobytes()
    places = _places(heads)
    if places is None:
        raise UnusualError("keywords")
    return Cards(block, places), data_start


@lru_cache(maxsize=512)
def _places(heads: bytes) -> dict[str, int] | None:
    """Where each keyword's first card starts, given the first ten bytes of every card.

    The survey's files share a few dozen sequences of keywords, hence the cache.
    """
    places: dict[str, int] = {}
    for index in range(len(heads) // 10):
        head = heads[index * 10 : index * 10 + 10]
        keyword = head[:8].rstrip(b" ")
        if keyword in _COMMENTARY:
            continue
        plain = _KEYWORD.fullmatch(keyword) and head[8:] == b"= "
        if not plain or keyword in _CONVENTIONS:
            return None
        places.setdefault(keyword.decode("ascii"), index * CARD_BYTES)
    return places
