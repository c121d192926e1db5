"""Stars counted in cells of a picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.browse.stars import Chosen

Range = tuple[float, float]


class Cells:
    """The cell of each star, for the part of a plane that is shown; ``x_range`` and ``y_range``.

    Parameters
    ----------
    x_S, y_S : ndarray of float, (S,)
        Coordinates; NaN where unknown.
    x_range, y_range : tuple of float
        Lowest and highest coordinate shown.
    shape : tuple of int
        Cells along y and x.
    """

    def __init__(
        self,
        x_S: NDArray[Any],
        y_S: NDArray[Any],
        x_range: Range,
        y_range: Range,
        shape: tuple[int, int],
    ) -> None:
        self._shape = shape
        n_y, n_x = shape
        inside_S = (x_S >= x_range[0]) & (x_S < x_range[1])
        inside_S &= (y_S >= y_range[0]) & (y_S < y_range[1])
        column = _index(x_S[inside_S], x_range, n_x)
        row = _index(y_S[inside_S], y_range, n_y)
        self.x_range, self.y_range = x_range, y_range
        # Stars outside fall into one more cell, which is dropped.
        self._cell_S = np.full(x_S.size, n_y * n_x, np.int32)
        self._cell_S[inside_S] = row * np.int32(n_x) + column
        self.all_YX = self.counts()
        """Number of all stars in each cell, as of :meth:`counts`."""

    def counts(self, chosen_C: Chosen | None = None) -> NDArray[np.float32]:
        """Return the number of stars in each cell, ndarray of float32 (Y, X); NaN where none.

        Parameters
        ----------
        chosen_C : ndarray of int64, (C,), optional
            Positions of the stars to count; all by default.
        """
        n_y, n_x = self._shape
        cell = self._cell_S if chosen_C is None else self._cell_S.take(chosen_C)
        n = np.bincount(cell, minlength=n_y * n_x + 1)[:-1].astype(np.float32)
        n[n == 0] = np.nan
        return n.reshape(n_y, n_x)


def _index(value: NDArray[Any], limits: Range, n: int) -> NDArray[np.int32]:
    scale = n / (limits[1] - limits[0])
    index = ((value - limits[0]) * scale).astype(np.int32)
    # Rounding may put the last value one cell too far.
    return np.minimum(index, np.int32(n - 1))


def nearest(
    x_S: NDArray[Any], y_S: NDArray[Any], at: tuple[float, float], size: tuple[float, float],
    chosen_C: Chosen | None = None,
) -> int | None:  # fmt: skip
    """Return the star nearest to a point of a picture, or None if none is known.

    Parameters
    ----------
    x_S, y_S : ndarray of float, (S,)
        Coordinates; NaN where unknown.
    at : tuple of float
        The point.
    size : tuple of float
        Width and height of the picture in units of the axes, so that distances are those seen.
    chosen_C : ndarray of int64, (C,), optional
        Positions of the stars to look at; all by default.
    """
    x, y = (v if chosen_C is None else v.take(chosen_C) for v in (x_S, y_S))
    dx, dy = (x - at[0]) / size[0], (y - at[1]) / size[1]
    distance = dx * dx + dy * dy
    if not np.isfinite(distance).any():
        return None
    found = int(np.nanargmin(distance))
    return found if chosen_C is None else int(chosen_C[found])


def middle_range(value_S: NDArray[Any], share: float = 0.999, rim: float = 0.05) -> Range:
    """Return the range that most values lie in, a little wider: strays do not shrink the picture.

    Parameters
    ----------
    value_S : ndarray of float, (S,)
        Values; NaN where unknown.
    share : float
        Share of the known values inside.
    rim : float
        Added at both ends, as a share of the range.
    """
    known = value_S[np.isfinite(value_S)]
    if not known.size:
        return 0.0, 1.0
    low, high = np.quantile(known, [(1 - share) / 2, (1 + share) / 2]).tolist()
    more = rim * (high - low) or 0.5
    return low - more, high + more
