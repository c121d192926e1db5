"""Injected completeness beside the truth of a simulated survey, cell by cell."""

import numpy as np
import pyarrow as pa

from pipeline.evaluation.intervals import Estimate
from pipeline.validation.measure import Measure, share_interval

FEWEST = 5
"""True stars that a cell needs, to be compared with the injections."""


def agreement(table: pa.Table) -> Measure:
    """Measure the share of cells whose truth and injections differ by no more than chance.

    Parameters
    ----------
    table : pyarrow.Table
        As `schemas.completeness.COMPLETENESS`, with a truth.

    Returns
    -------
    Measure
        At a threshold of 0.5; the interval is by cell. ``n_stars`` are those of the truth.
    """
    frame = table.to_pandas()
    frame = frame[(frame["p_b_min"] == 0.5) & (frame["truth_stars"] >= FEWEST)]
    true = [
        share_interval(t * n, n) for t, n in zip(frame["truth"], frame["truth_stars"], strict=True)
    ]
    ours = [Estimate(*row) for row in frame[["share", "share_low", "share_high"]].to_numpy()]
    agree = np.array([alike(a, b) for a, b in zip(ours, true, strict=True)], bool)
    estimate = share_interval(int(agree.sum()), agree.size)
    return Measure(
        "cells in which the truth agrees", estimate, int(frame["truth_stars"].sum()), main=True
    )


def alike(one: Estimate, other: Estimate) -> bool:
    """Tell whether two shares differ by less than the 95 % interval of their difference.

    Newcombe's (1998, Statistics in Medicine 17, 873) interval from those of both shares.

    Parameters
    ----------
    one, other : Estimate
        Shares with their Wilson intervals.
    """
    high, low = (one, other) if one.value >= other.value else (other, one)
    return bool(high.value - low.value <= np.hypot(high.value - high.low, low.high - low.value))
