"""Whether an interval of p_b for every row covers: simulated spectra, a demo run, real composites.

Usage: ``python benchmarks/science/row_intervals.py [--demo FOLDER --simulated N] [--real FOLDER]``.
``--demo`` is the folder of ``pairspec demo`` with ``run`` and ``truth``, ``--real`` the root of
``real_stars.py`` with the way ``every``. All is fitted on stars that the network has not seen and
tried on others: inductive Venn-Abers intervals (Vovk & Petej 2014), bootstraps by star of Platt's
and of an isotonic calibration, and conformal sets of classes.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from calibration import simulated
from composite_folds import N_FOLDS
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from pipeline.core.root import Root
from pipeline.evaluation.calibration import balanced_weights
from pipeline.evaluation.labelled import LabelledPredictions, read_labelled_predictions
from schemas.catalogue import PREDICTIONS
from schemas.observations import OBSERVATIONS
from schemas.sample import LABELS

N_DRAW, N_BIN, N_REPEAT = 100, 10, 12
NOMINAL, SET_SHARE = 0.95, 0.90


@dataclass(frozen=True)
class Rows:
    """Log-odds and classes of B spectra, and both their stars (the same for single stars)."""

    logit: np.ndarray
    binary: np.ndarray
    star: np.ndarray
    star2: np.ndarray

    def take(self, rows: np.ndarray) -> "Rows":
        """Return some of them."""
        return Rows(self.logit[rows], self.binary[rows], self.star[rows], self.star2[rows])


@dataclass(frozen=True)
class Tried:
    """What one fit says of its test.

    Parameters
    ----------
    venn, platt, isotonic : float
        Share of the bins in which the observed share agrees with the interval, the errors of the
        test considered.
    venn_width, platt_width, isotonic_width : float
        Mean width of the intervals.
    set_single, set_binary : float
        Share of the rows of a class that have it in their conformal set.
    """

    venn: float
    venn_width: float
    platt: float
    platt_width: float
    isotonic: float
    isotonic_width: float
    set_single: float
    set_binary: float


def times_drawn(rows: Rows, rng: np.random.Generator) -> np.ndarray:
    """How often each row counts when all stars are drawn again: both its stars must be drawn."""
    names, place = np.unique(np.concatenate([rows.star, rows.star2]), return_inverse=True)
    times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
    first, second = times[place].reshape(2, -1)
    return np.where(rows.star == rows.star2, first, first * second).astype(float)


def platt(rows: Rows, weight: np.ndarray) -> np.ndarray:
    """Scale and shift of the log-odds by weighted likelihood."""
    weight = weight / weight.sum()

    def loss(found: np.ndarray) -> tuple[float, np.ndarray]:
        z = found[0] * rows.logit + found[1]
        slope = weight * (expit(z) - rows.binary)
        value = (weight * np.logaddexp(0, np.where(rows.binary, -z, z))).sum()
        return float(value), np.array([slope @ rows.logit, slope.sum()])

    return np.asarray(minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B").x)


def isotonic(
    logit: np.ndarray, binary: np.ndarray, weight: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Probability that rises with the log-odds, by weighted least squares."""
    curve = IsotonicRegression(out_of_bounds="clip")
    return np.asarray(curve.fit(logit, binary.astype(float), weight).predict(at))


def venn_abers(fit: Rows, weight: np.ndarray, logit: np.ndarray) -> np.ndarray:
    """Intervals [p0, p1] of new rows: isotonic fits with the row as a single star, as a pair."""
    asked, place = np.unique(logit.round(2), return_inverse=True)
    own = weight.mean()
    found = np.empty((len(asked), 2))
    for row, z in enumerate(asked):
        x, w, at = np.append(fit.logit, z), np.append(weight, own), np.array([z])
        for label in (0, 1):
            found[row, label] = isotonic(x, np.append(fit.binary, label), w, at)[0]
    return found[place]


def in_sets(fit: Rows, test: Rows) -> list[float]:
    """Share of the rows of each class with a score as that class has in the fit."""
    shares = []
    for binary in (False, True):
        sign = 1 if binary else -1
        known = np.sort(sign * fit.logit[fit.binary == binary])
        edge = known[max(int((1 - SET_SHARE) * (len(known) + 1)) - 1, 0)]
        shares.append(float((sign * test.logit[test.binary == binary] >= edge).mean()))
    return shares


def tried(fit: Rows, test: Rows, seed: int) -> Tried:
    """Fit intervals on some rows, and try them on others; classes weighted alike."""
    rng = np.random.default_rng(seed)
    weight, test_weight = (balanced_weights(rows.binary) for rows in (fit, test))
    order = np.argsort(test.logit, kind="stable")
    bins = np.array_split(order, N_BIN)
    venn = venn_abers(fit, weight * len(weight), test.logit)
    platt_DB, isotonic_DB, seen_DH = [], [], []
    for _ in range(N_DRAW):
        drawn = weight * times_drawn(fit, rng)
        scale, shift = platt(fit, drawn)
        platt_DB.append(expit(scale * test.logit + shift))
        isotonic_DB.append(isotonic(fit.logit, fit.binary, drawn, test.logit))
        seen_DH.append(means(test.binary, test_weight * times_drawn(test, rng), bins))
    seen_H = means(test.binary, test_weight, bins)
    tails = 100 * np.array([(1 - NOMINAL) / 2, (1 + NOMINAL) / 2])
    down_H, up_H = np.nanpercentile(np.array(seen_DH) - seen_H, tails, axis=0)
    p0_H, p1_H = (means(venn[:, k], test_weight, bins) for k in (0, 1))
    inside = (seen_H >= p0_H + down_H) & (seen_H <= p1_H + up_H)
    found = [float(inside.mean()), float((venn[:, 1] - venn[:, 0]).mean())]
    for p_DB in (np.array(platt_DB), np.array(isotonic_DB)):
        gap_DH = np.array([means(p_B, test_weight, bins) for p_B in p_DB]) - seen_DH
        low_H, high_H = np.nanpercentile(gap_DH, tails, axis=0)
        ends = np.percentile(p_DB, tails, axis=0)
        found += [float(((low_H <= 0) & (high_H >= 0)).mean()), float((ends[1] - ends[0]).mean())]
    return Tried(*found, *in_sets(fit, test))


def means(value: np.ndarray, weight: np.ndarray, bins: list[np.ndarray]) -> np.ndarray:
    """Weighted mean of every bin; NaN where nothing was drawn."""
    total = np.array([weight[rows].sum() for rows in bins])
    safe = np.where(total > 0, total, np.nan)
    return np.array([(weight[rows] * value[rows]).sum() for rows in bins]) / safe


def of_part(part: LabelledPredictions, binary: np.ndarray) -> Rows:
    """Rows of a part of a run."""
    return Rows(part.logit_B, binary, part.star_B, part.star_B)


def of_demo(demo: Path) -> Iterator[tuple[str, Rows, Rows]]:
    """Read validation and test part of a demo: as labelled, and tried on the truth."""
    root = Root(demo / "run")
    found = read_labelled_predictions(
        root.table(LABELS), root.table(PREDICTIONS), demo / "truth", root.table(OBSERVATIONS)
    )
    validation, test = found.part("validation"), found.part("test")
    fit = of_part(validation, validation.binary_B)
    yield "demo, labels", fit, of_part(test, test.binary_B)
    yield "demo, labels tried on the truth", fit, of_part(test, test.kind_B == "pair")


def of_simulated(demo: Path, n: int, n_fit: int) -> Iterator[tuple[str, Rows, Rows]]:
    """Draw as few as the demo's validation part has of simulated spectra; the others test."""
    made = simulated(demo / "run", n, 8801)
    rows = Rows(made.logit, made.binary, made.star, made.star)
    for repeat in range(N_REPEAT):
        order = np.random.default_rng(repeat).permutation(len(rows.logit))
        yield f"simulated, fitted on {n_fit}", rows.take(order[:n_fit]), rows.take(order[n_fit:])


def of_real(folder: Path) -> Iterator[tuple[str, Rows, Rows]]:
    """Composites of one half of the test stars and of the other, every fold and seed."""
    for number in range(N_FOLDS):
        test = np.load(folder / f"classic-{number}.npz")
        stars = np.unique(np.concatenate([test["star"], test["star2"]]))
        half = np.random.default_rng(number).permutation(stars)[: len(stars) // 2]
        first, second = (np.isin(test[name], half) for name in ("star", "star2"))
        for logit_B in np.load(folder / f"every-{number}.npz")["classic"]:
            rows = Rows(logit_B.astype(float), test["label"] == 1, test["star"], test["star2"])
            halves = rows.take(first & second), rows.take(~first & ~second)
            yield "real composites", *halves
            yield "real composites", *halves[::-1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--demo", type=Path)
    parser.add_argument("--simulated", type=int, default=0, metavar="N")
    parser.add_argument("--real", type=Path)
    args = parser.parse_args()
    cases: list[tuple[str, Rows, Rows]] = []
    if args.demo:
        cases += of_demo(args.demo)
        if args.simulated:
            cases += of_simulated(args.demo, args.simulated, len(cases[0][1].logit))
    if args.real:
        cases += of_real(args.real / "scores")
    found: dict[str, list[Tried]] = {}
    for number, (name, fit, test) in enumerate(cases):
        found.setdefault(name, []).append(tried(fit, test, number))
    heads = ("Venn-Abers", "width", "Platt", "width", "isotonic", "width", "sets, single",
             "sets, binary")  # fmt: skip
    print("| rows | fits | " + " | ".join(heads) + " |")
    print("|---" * (2 + len(heads)) + "|")
    for name, each in found.items():
        table = np.array([list(vars(one).values()) for one in each])
        cells = [
            f"{c.mean():.3f}" + (f" [{c.min():.2f}, {c.max():.2f}]" if len(each) > 2 else "")
            for c in table.T
        ]
        print(f"| {name} | {len(each)} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
