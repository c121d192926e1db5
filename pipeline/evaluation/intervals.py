"""Intervals by bootstrap over stars: repeats of one star are not independent."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; NaN where it cannot be computed.

    Parameters
    ----------
    value : float
        The number.
    low, high : float
        Ends of the interval.
    """

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float | None]:
        """Return the three numbers for JSON, null instead of NaN."""
        return {k: None if np.isnan(v) else round(v, 5) for k, v in asdict(self).items()}

    def __str__(self) -> str:
        """Return e.g. ``0.912 [0.895, 0.927]``."""
        if np.isnan(self.value):
            return "-"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class Bootstrap:
    """Draws of stars with replacement, made once and used for every statistic.

    Parameters
    ----------
    star : ndarray of int64, (B,)
        Star of each row.
    n_draws : int
        Number of draws.
    seed : int
        Seed of the draws.
    """

    def __init__(self, star: NDArray[np.int64], n_draws: int = 400, seed: int = 0) -> None:
        _, self._star_of_row = np.unique(star, return_inverse=True)
        n_stars = int(self._star_of_row.max()) + 1 if star.size else 0
        rng = np.random.default_rng(seed)
        # How often each star was drawn: n draws of one out of n.
        self._times = [
            np.bincount(rng.integers(n_stars, size=n_stars), minlength=n_stars).astype(np.uint16)
            for _ in range(n_draws if n_stars else 0)
        ]

    def interval(self, statistic: Callable[[FloatArray], float]) -> Estimate:
        """Estimate a statistic and its 95 % interval.

        Parameters
        ----------
        statistic : callable
            From the weights of all rows, ndarray of float64, (B,): how often a row was drawn, to a
            number.

        Returns
        -------
        Estimate
            Value on the rows as they are, and the 2.5 and 97.5 percentiles of the draws (percentile
            bootstrap, Efron & Tibshirani 1993); NaN without rows.
        """
        if not self._times:
            return Estimate(np.nan, np.nan, np.nan)
        value, low, high = self.curve(lambda weight: np.array([statistic(weight)]))
        return Estimate(float(value[0]), float(low[0]), float(high[0]))

    def curve(
        self, statistic: Callable[[FloatArray], FloatArray]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Estimate many numbers at once, each with its own 95 % interval.

        Parameters
        ----------
        statistic : callable
            As in :meth:`interval`, to an array of numbers.

        Returns
        -------
        value, low, high : ndarray of float64
            As in :meth:`interval`; an interval is of the draws in which its number is known.
        """
        value = statistic(np.ones(self._star_of_row.size))
        if not self._times:
            unknown = np.full(value.shape, np.nan)
            return unknown, unknown, unknown
        draws = np.array(
            [statistic(times[self._star_of_row].astype(float)) for times in self._times]
        )
        low, high = np.full((2, *value.shape), np.nan)
        known = ~np.isnan(draws).all(axis=0)
        if known.any():
            low[known], high[known] = np.nanpercentile(draws[:, known], [2.5, 97.5], axis=0)
        return value, low, high


def by_star(
    statistic: Callable[[FloatArray], float],
    star: NDArray[np.int64],
    n_draws: int = 400,
    seed: int = 0,
) -> Estimate:
    """Estimate one statistic and its 95 % interval.

    Parameters
    ----------
    statistic : callable
        From the weights of all rows, ndarray of float64, (B,), to a number.
    star : ndarray of int64, (B,)
        Star of each row.
    n_draws : int
        Number of draws.
    seed : int
        Seed of the draws.

    Returns
    -------
    Estimate
        As of :meth:`Bootstrap.interval`.
    """
    return Bootstrap(star, n_draws, seed).interval(statistic)
