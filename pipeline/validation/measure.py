"""One number of a validation: its interval, the paper's, and what the truth says."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.evaluation.intervals import Estimate
from schemas.validation import VALIDATION

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_Z = 1.959964
"""Standard normal deviate of a 95 % interval."""


@dataclass(frozen=True)
class Measure:
    """One row of the table of a validation.

    Parameters
    ----------
    quantity : str
        What it is.
    estimate : Estimate
        Value and 95 % interval.
    n_stars : int
        Stars that it rests on.
    bin : tuple of float, optional
        Ends of the bin of whatever the validation sorts by.
    truth : float, optional
        What the truth of a simulated survey says of the same.
    paper : float, optional
        The published value.
    main : bool
        Shown on the screen.
    """

    quantity: str
    estimate: Estimate
    n_stars: int
    bin: tuple[float, float] | None = None
    truth: float | None = None
    paper: float | None = None
    main: bool = False

    def line(self) -> str:
        """Return the row as text: quantity, value and interval, stars, truth, paper."""
        truth = "-" if self.truth is None or np.isnan(self.truth) else f"{self.truth:.3f}"
        paper = "-" if self.paper is None else f"{self.paper:.4g}"
        where = f" {self.bin[0]:g}-{self.bin[1]:g}" if self.bin else ""
        name = f"{self.quantity}{where}"
        return f"{name:58}{self.estimate!s:28}{self.n_stars:>8,}{truth:>9}{paper:>9}"


HEADER = f"{'':58}{'value [95 % interval]':28}{'stars':>8}{'truth':>9}{'paper':>9}"
"""Above the lines of `Measure.line`."""


def count_interval(n: int) -> Estimate:
    """Estimate a count and its interval as a Poisson number (Gehrels 1986, ApJ 303, 336).

    Parameters
    ----------
    n : int
        What was counted.
    """
    upper = (n + 1) * (1 - 1 / (9 * (n + 1)) + _Z / (3 * np.sqrt(n + 1))) ** 3
    lower = n * (1 - 1 / (9 * n) - _Z / (3 * np.sqrt(n))) ** 3 if n else 0.0
    return Estimate(float(n), max(float(lower), 0.0), float(upper))


def share_interval(n_hit: float, n: float) -> Estimate:
    """Estimate a share and its 95 % score interval (Wilson 1927, JASA 22, 209).

    Unlike draws of stars, it has a width where all stars or none are hit.

    Parameters
    ----------
    n_hit, n : float
        Stars that are hit, and all of them.

    Returns
    -------
    Estimate
        NaN without stars.
    """
    if not n:
        return Estimate(np.nan, np.nan, np.nan)
    p, z2 = n_hit / n, _Z**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # Rounding must not put the share itself outside where all are hit, or none.
    return Estimate(
        p, float(min(max(centre - half, 0.0), p)), float(max(min(centre + half, 1.0), p))
    )


def share(
    quantity: str,
    hit_S: BoolArray,
    *,
    bin: tuple[float, float] | None = None,  # noqa: A002 (the field's name)
    truth: float | None = None,
    paper: float | None = None,
    main: bool = False,
) -> Measure:
    """Measure the share of stars for which something holds.

    Parameters
    ----------
    quantity, bin, truth, paper, main
        As of `Measure`.
    hit_S : ndarray of bool, (S,)
        Where it holds, one entry per star.
    """
    estimate = share_interval(int(hit_S.sum()), hit_S.size)
    return Measure(quantity, estimate, int(hit_S.size), bin, truth, paper, main)


def mean_of(hit_S: BoolArray) -> float:
    """Share of stars for which something holds; NaN without stars."""
    return float(hit_S.mean()) if hit_S.size else float("nan")


def median_interval(value_S: FloatArray) -> Estimate:
    """Estimate a median and its 95 % interval by order statistics.

    Parameters
    ----------
    value_S : ndarray of float64, (S,)
        Finite values.

    Returns
    -------
    Estimate
        NaN without values.
    """
    n = value_S.size
    if not n:
        return Estimate(np.nan, np.nan, np.nan)
    half = _Z * np.sqrt(n) / 2
    ordered = np.sort(value_S)
    low, high = int(max(np.floor(n / 2 - half), 0)), int(min(np.ceil(n / 2 + half), n - 1))
    return Estimate(float(np.median(ordered)), float(ordered[low]), float(ordered[high]))


def as_table(validation: str, measures: Iterable[Measure]) -> pa.Table:
    """Return the measures of a validation as a table.

    Parameters
    ----------
    validation : str
        Its name.
    measures : iterable of Measure
        In the order of the rows.
    """
    rows: list[dict[str, Any]] = [
        {
            "validation": validation,
            "quantity": m.quantity,
            "bin_low": m.bin[0] if m.bin else None,
            "bin_high": m.bin[1] if m.bin else None,
            "value": m.estimate.value,
            "value_low": m.estimate.low,
            "value_high": m.estimate.high,
            "n_stars": m.n_stars,
            "truth": m.truth,
            "paper": m.paper,
        }
        for m in measures
    ]
    columns = {
        f.name: pa.array([row[f.name] for row in rows], f.type, from_pandas=True)
        for f in VALIDATION.schema
    }
    return pa.table(columns, schema=VALIDATION.schema)
