"""Tables of scores on real composites: AUC by mass ratio, S/N and Teff, intervals by both stars."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from label_like import Q_EDGES

from pipeline.evaluation.intervals import Estimate
from pipeline.network.metrics import weighted_auc

N_DRAW = 200
COOL_K = 5650.0
SNR = ((25, 40), (40, 60), (60, 100))
TEFF = ((0, 5300), (5300, 5650), (5650, 6000), (6000, 8000))
Q_CLASSIC = ((0.71, 0.82), (0.82, 0.88), (0.88, 0.93))
Q_LABEL = tuple(pairwise(Q_EDGES))


@dataclass(frozen=True)
class Test:
    """Scores of all folds.

    Parameters
    ----------
    score_SB : ndarray, (S, B)
        Ranks within the fold, one row per seed.
    columns : dict of str to ndarray
        ``label``, ``star``, ``star2``, ``snr_g``, ``teff_k``, ``mass_ratio`` of each composite;
        the two of a couple follow each other, twins first.
    """

    score_SB: np.ndarray
    columns: dict[str, np.ndarray]

    def auc(self, rows: np.ndarray) -> Estimate:
        """Mean AUC of the seeds; the interval is over stars, primaries and second stars alike."""
        rows = np.flatnonzero(rows)
        label = self.columns["label"][rows] == 1
        if len(rows) < 40 or label.all() or not label.any():
            return Estimate(np.nan, np.nan, np.nan)
        stars = np.concatenate([self.columns["star"][rows], self.columns["star2"][rows]])
        names, place = np.unique(stars, return_inverse=True)
        first, second = np.split(place, 2)
        rng = np.random.default_rng(0)
        scores = self.score_SB[:, rows]

        def mean(weight: np.ndarray) -> float:
            return float(np.mean([weighted_auc(s, label, weight) for s in scores]))

        value, draws = mean(np.ones(len(rows))), []
        for _ in range(N_DRAW):
            times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
            weight = (times[first] * times[second]).astype(np.float64)
            if weight[label].sum() > 0 and weight[~label].sum() > 0:
                draws.append(mean(weight))
        low, high = np.percentile(draws, [2.5, 97.5])
        return Estimate(value, float(low), float(high))

    def row(self, name: str, bins: list[tuple[str, np.ndarray]]) -> str:
        """One line of a table."""
        return f"| {name} | " + " | ".join(str(self.auc(rows)) for _, rows in bins) + " |"


def bins_of(
    columns: dict[str, np.ndarray], q_edges: tuple[tuple[float, float], ...]
) -> Iterator[tuple[str, list[tuple[str, np.ndarray]]]]:
    """Columns of three tables: all and cool by q, then S/N, then Teff; whole couples each."""
    q = np.repeat(columns["mass_ratio"][1::2], 2)
    snr, teff = columns["snr_g"], columns["teff_k"]
    cool = teff < COOL_K
    every = np.ones(len(q), bool)
    spans = [(f"q {a}-{b}", (q >= a) & (q < b)) for a, b in q_edges]
    yield "q", [("all", every), *spans]
    yield (
        f"q, primary below {COOL_K:.0f} K",
        [
            ("all", cool),
            *((name, rows & cool) for name, rows in spans),
        ],
    )
    yield "S/N", [(f"{a}-{b}", (snr >= a) & (snr < b)) for a, b in SNR]
    yield "Teff", [(f"{a}-{b} K", (teff >= a) & (teff < b)) for a, b in TEFF]
