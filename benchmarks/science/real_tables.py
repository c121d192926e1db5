"""Tables of scores on real composites: AUC by mass ratio, S/N and Teff, intervals by both stars."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from label_like import Q_EDGES

from pipeline.evaluation.intervals import Estimate
from pipeline.network.metrics import weighted_auc

N_DRAW = 200
FEWEST_STARS = 5
"""With fewer primaries or companions there is no figure: it would be that of these stars."""

COOL_K = 5650.0
COOL_TITLE = f"q, primary below {COOL_K:.0f} K"
SNR = ((25, 40), (40, 60), (60, 100))
TEFF = ((0, 5300), (5300, 5650), (5650, 6000), (6000, 8000))
Q_CLASSIC = ((0.71, 0.82), (0.82, 0.88), (0.88, 0.93))
Q_LABEL = tuple(pairwise(Q_EDGES))
Bins = list[tuple[str, np.ndarray]]


@dataclass(frozen=True)
class Scores:
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
        return self.mixed([rows], np.ones(1))

    def mixed(self, bins: list[np.ndarray], share_Q: np.ndarray) -> Estimate:
        """Mean of the AUCs of bins in given shares; NaN where one of them is not to be had."""
        places = [np.flatnonzero(rows) for rows in bins]
        if any(self._few(rows) for rows in places):
            return Estimate(np.nan, np.nan, np.nan)

        def mean(weight: np.ndarray) -> float:
            shares = zip(places, share_Q, strict=True)
            return float(sum(share * self._auc(rows, weight[rows]) for rows, share in shares))

        return _estimate(mean(weight) for weight in star_weights(self.columns))

    def less(self, other: "Scores", rows: np.ndarray) -> Estimate:
        """AUC less that of other scores of the same composites, the same stars drawn for both."""
        rows = np.flatnonzero(rows)
        stars = {name: self.columns[name][rows] for name in ("star", "star2")}
        return _estimate(
            self._auc(rows, weight) - other._auc(rows, weight) for weight in star_weights(stars)
        )

    def _few(self, rows: np.ndarray) -> bool:
        pairs = rows[self.columns["label"][rows] == 1]
        stars = (np.unique(self.columns[name][pairs]).size for name in ("star", "star2"))
        return min(stars) < FEWEST_STARS

    def _auc(self, rows: np.ndarray, weight: np.ndarray) -> float:
        label = self.columns["label"][rows] == 1
        if not (weight[label].sum() > 0 and weight[~label].sum() > 0):
            return np.nan
        return float(np.mean([weighted_auc(s[rows], label, weight) for s in self.score_SB]))

    def size(self, rows: np.ndarray) -> str:
        """Couples, and how many different primaries and companions they have."""
        pairs = np.flatnonzero(rows & (self.columns["label"] == 1))
        n_first, n_second = (
            np.unique(self.columns[name][pairs]).size for name in ("star", "star2")
        )
        return f"{len(pairs):,} / {n_first} / {n_second}"

    def row(self, name: str, bins: Bins) -> str:
        """One line of a table."""
        return f"| {name} | " + " | ".join(str(self.auc(rows)) for _, rows in bins) + " |"


def star_weights(columns: dict[str, np.ndarray], n_draw: int = N_DRAW) -> Iterator[np.ndarray]:
    """Yield how often each composite counts: once, then with all stars drawn again."""
    stars = np.concatenate([columns["star"], columns["star2"]])
    names, place = np.unique(stars, return_inverse=True)
    first, second = np.split(place, 2)
    rng = np.random.default_rng(0)
    yield np.ones(len(first))
    for _ in range(n_draw):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        yield (times[first] * times[second]).astype(np.float64)


def _estimate(values: Iterator[float]) -> Estimate:
    """First value, and the 95 % interval of the others."""
    value, *draws = values
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def head(bins: Bins, *names: str) -> str:
    """First two lines of a table."""
    titles = [*names, *(title for title, _ in bins)]
    return f"| {' | '.join(titles)} |\n" + "|---" * len(titles) + "|"


def counts(test: Scores, bins: Bins, *cells: str) -> str:
    """Line of a table: what each bin holds."""
    sizes = (test.size(rows) for _, rows in bins)
    return f"| {' | '.join(['couples / primaries / companions', *cells, *sizes])} |"


def signed(found: Estimate) -> str:
    """Write a difference with its interval."""
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def bins_of(
    columns: dict[str, np.ndarray], q_edges: tuple[tuple[float, float], ...]
) -> Iterator[tuple[str, Bins]]:
    """Columns of three tables: all and cool by q, then S/N, then Teff; whole couples each."""
    q = np.repeat(columns["mass_ratio"][1::2], 2)
    snr, teff = columns["snr_g"], columns["teff_k"]
    cool = teff < COOL_K
    every = np.ones(len(q), bool)
    spans = [(f"q {a}-{b}", (q >= a) & (q < b)) for a, b in q_edges]
    yield "q", [("all", every), *spans]
    yield (
        COOL_TITLE,
        [
            ("all", cool),
            *((name, rows & cool) for name, rows in spans),
        ],
    )
    yield "S/N", [(f"{a}-{b}", (snr >= a) & (snr < b)) for a, b in SNR]
    yield "Teff", [(f"{a}-{b} K", (teff >= a) & (teff < b)) for a, b in TEFF]
