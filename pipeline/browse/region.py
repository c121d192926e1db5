"""Regions that are drawn in a picture: which stars are inside, and the same as SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.browse.stars import Mask, Stars

DECIMALS = 4
"""Of bounds: far below a pixel of the screen, and short in SQL."""

LINE_DECIMALS = 6
"""Of the lines through the corners of a polygon."""

MOST_CORNERS = 40
"""Of a polygon drawn by hand; more of them change no pixel and make the SQL long."""


class Part(Protocol):
    """One part of a selection."""

    @property
    def sql(self) -> str:
        """The part as a condition in SQL."""

    def mask(self, stars: Stars) -> Mask:
        """Return which stars are inside, ndarray of bool (S,)."""


@dataclass(frozen=True)
class Box:
    """Ranges of one or two columns.

    Parameters
    ----------
    ranges : tuple of (str, float, float)
        Column, lowest and highest value, both inside.
    """

    ranges: tuple[tuple[str, float, float], ...]

    @classmethod
    def between(cls, **corners: tuple[float, float]) -> "Box":
        """Make a box from two opposite corners: ``Box.between(p_b=(0.5, 1))``.

        Parameters
        ----------
        **corners : tuple of float
            For each column the two values, in any order.
        """
        rounded = {name: sorted(round(v, DECIMALS) for v in pair) for name, pair in corners.items()}
        return cls(tuple((name, low, high) for name, (low, high) in rounded.items()))

    @property
    def sql(self) -> str:
        """The box as a condition in SQL."""
        return " AND ".join(
            f"{name} BETWEEN {low:.{DECIMALS}f} AND {high:.{DECIMALS}f}"
            for name, low, high in self.ranges
        )

    def mask(self, stars: Stars) -> Mask:
        """Return which stars are inside, ndarray of bool (S,)."""
        inside_S = np.ones(len(stars), np.bool_)
        for name, low, high in self.ranges:
            # Compared as float32 where the column is, as DuckDB does.
            value_S = stars.numbers[name]
            inside_S &= (value_S >= low) & (value_S <= high)
        return inside_S

    def corners(self) -> tuple[list[float], list[float]]:
        """Return the outline of a box of two columns: x and y."""
        (_, left, right), (_, low, high) = self.ranges
        return [left, right, right, left], [low, low, high, high]


@dataclass(frozen=True)
class Polygon:
    """The inside of a polygon in two columns, by the even-odd rule.

    Parameters
    ----------
    x, y : str
        Columns.
    x_K, y_K : ndarray of float64, (K,)
        Corners.
    """

    x: str
    y: str
    x_K: NDArray[np.float64]
    y_K: NDArray[np.float64]

    @classmethod
    def drawn(cls, x: str, y: str, x_K: Sequence[float], y_K: Sequence[float]) -> "Polygon":
        """Make a polygon of what was drawn by hand, with at most :data:`MOST_CORNERS` corners.

        Parameters
        ----------
        x, y : str
            Columns.
        x_K, y_K : sequence of float
            Corners.
        """
        step = -(-len(x_K) // MOST_CORNERS) or 1
        corners = (np.round(np.asarray(at, float)[::step], DECIMALS) for at in (x_K, y_K))
        return cls(x, y, *corners)

    @property
    def _around(self) -> Box:
        extent = {self.x: self.x_K, self.y: self.y_K}
        return Box.between(**{n: (float(v.min()), float(v.max())) for n, v in extent.items()})

    def _edges(self) -> Iterator[tuple[float, float, float, float]]:
        """Yield both y of each edge, and slope and offset of its line x = slope y + offset."""
        x_before, y_before = np.roll(self.x_K, 1), np.roll(self.y_K, 1)
        corners = (self.x_K, self.y_K, x_before, y_before)
        for x1, y1, x2, y2 in zip(*(at.tolist() for at in corners), strict=True):
            # An edge of constant y crosses no line of constant y.
            if y1 != y2:
                slope = (x2 - x1) / (y2 - y1)
                yield y1, y2, round(slope, LINE_DECIMALS), round(x1 - slope * y1, LINE_DECIMALS)

    @property
    def sql(self) -> str:
        """The polygon as a condition in SQL: a line from a star crosses an odd number of edges."""
        x, y = f"{self.x}::DOUBLE", f"{self.y}::DOUBLE"
        crossings = [
            # With an exponent, since DuckDB takes other numbers as DECIMAL.
            f"(({self.y} > {y1}) <> ({self.y} > {y2}) AND "
            f"{x} < {slope:.{LINE_DECIMALS}f}e0 * {y} + {offset:.{LINE_DECIMALS}f}e0)::INT"
            for y1, y2, slope, offset in self._edges()
        ]
        return f"{self._around.sql} AND ({' + '.join(crossings) or '0'}) % 2 = 1"

    def mask(self, stars: Stars) -> Mask:
        """Return which stars are inside, ndarray of bool (S,)."""
        inside_S = self._around.mask(stars)
        near = np.flatnonzero(inside_S)
        x, y = (stars.numbers[name][near] for name in (self.x, self.y))
        odd = np.zeros(near.size, np.bool_)
        for y1, y2, slope, offset in self._edges():
            line = slope * y.astype(np.float64) + offset
            odd ^= ((y > y1) != (y > y2)) & (x < line)
        inside_S[near] = odd
        return inside_S

    def corners(self) -> tuple[list[float], list[float]]:
        """Return the outline: x and y."""
        return self.x_K.tolist(), self.y_K.tolist()


@dataclass(frozen=True)
class Condition:
    """A condition that the user wrote.

    Parameters
    ----------
    sql : str
        In SQL on the columns of the stars.
    """

    sql: str

    def mask(self, stars: Stars) -> Mask:
        """Return which stars meet it, ndarray of bool (S,).

        Raises
        ------
        InputError
            It is not valid.
        """
        return stars.where(self.sql)


def drawn_region(x: str, y: str, geometry: dict[str, Any]) -> Box | Polygon:
    """Return the region that a tool of a picture has drawn.

    Parameters
    ----------
    x, y : str
        Columns on the axes.
    geometry : dict
        As Bokeh tells it: ``type`` is ``rect`` or ``poly``.
    """
    if geometry["type"] == "rect":
        sides = {x: (geometry["x0"], geometry["x1"]), y: (geometry["y0"], geometry["y1"])}
        return Box.between(**sides)
    return Polygon.drawn(x, y, geometry["x"], geometry["y"])
