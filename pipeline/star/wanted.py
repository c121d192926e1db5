"""How a star is named: by a position, a number, or its name."""

import re
from typing import NamedTuple

from pipeline.core.errors import InputError

_DEGREES = re.compile(r"([+-]?\d+(?:\.\d*)?)[\s,]+([+-]?\d+(?:\.\d*)?)")
_SEXAGESIMAL = re.compile(r"(\d+:\d+:\d+(?:\.\d*)?)[\s,]+([+-]?\d+:\d+:\d+(?:\.\d*)?)")
_DESIGNATION = re.compile(
    r"J(\d{2})(\d{2})(\d{2}(?:\.\d+)?)([+-]\d{2})(\d{2})(\d{2}(?:\.\d+)?)", re.IGNORECASE
)


class Position(NamedTuple):
    """A place on the sky.

    Parameters
    ----------
    ra_deg, dec_deg : float
        In degrees, as the catalogue gives its stars.
    """

    ra_deg: float
    dec_deg: float

    def __str__(self) -> str:
        return f"{self.ra_deg:.5f} {self.dec_deg:+.5f}"


class Number(NamedTuple):
    """A Gaia source_id or an obsid.

    Parameters
    ----------
    value : int
        Either.
    """

    value: int

    def __str__(self) -> str:
        return str(self.value)


class Name(NamedTuple):
    """A star_id or a designation.

    Parameters
    ----------
    text : str
        As in the catalogue.
    position : Position, optional
        What a designation says of the place.
    """

    text: str
    position: Position | None

    def __str__(self) -> str:
        return self.text


Wanted = Position | Number | Name


def parse_wanted(text: str) -> Wanted:
    """Read what a user calls a star.

    Parameters
    ----------
    text : str
        ``"ra dec"`` in degrees or ``"hh:mm:ss.s +dd:mm:ss.s"``, a Gaia source_id, an obsid, a
        star_id, or a designation with or without the word ``LAMOST``.

    Raises
    ------
    InputError
        Empty, or a declination beyond the poles, or a right ascension out of range.
    """
    words = " ".join(text.split())
    if (found := _DEGREES.fullmatch(words)) is not None:
        return _position(float(found[1]), float(found[2]), words)
    if (found := _SEXAGESIMAL.fullmatch(words)) is not None:
        return _position(15 * _sum(found[1].split(":")), _sum(found[2].split(":")), words)
    if words.isdecimal():
        if int(words) >= 2**63:
            raise InputError(f"{words} is too large for a source_id or an obsid")
        return Number(int(words))
    name = re.sub(r"^LAMOST\s+(?=J)", "", words, flags=re.IGNORECASE)
    if not name:
        raise InputError('say which star: a name, a source_id, an obsid, or "ra dec" in degrees')
    found = _DESIGNATION.fullmatch(name)
    if found is None:
        return Name(name, None)
    parts = found.groups()
    return Name(name.upper(), _position(15 * _sum(parts[:3]), _sum(parts[3:]), words))


def _position(ra_deg: float, dec_deg: float, words: str) -> Position:
    if not (-360 <= ra_deg <= 360 and -90 <= dec_deg <= 90):
        raise InputError(
            f'"{words}" is no position: right ascension and declination are in degrees, the '
            "declination from -90 to 90; sexagesimal ones are written hh:mm:ss.s +dd:mm:ss.s"
        )
    return Position(ra_deg % 360, dec_deg)


def _sum(parts: "tuple[str, ...] | list[str]") -> float:
    """Add up hours or degrees, minutes and seconds; the sign stands before the first."""
    whole, minutes, seconds = (abs(float(part)) for part in parts)
    size = whole + minutes / 60 + seconds / 3600
    return -size if parts[0].startswith("-") else size
