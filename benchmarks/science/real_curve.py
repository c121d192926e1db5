"""How far more stars carry: AUC against number of training stars, extrapolated.

Usage: ``python benchmarks/science/real_curve.py --root FOLDER [--full NAME] [--prefix NAME]``,
after the ways ``plain-100`` and so on and ``every`` of ``real_stars.py``. Three forms are fitted,
of which nobody knows the right one; their spread beside the intervals by star is the uncertainty.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from composite_folds import N_FOLDS
from real_scores import read_columns, read_scores
from real_stars import WAYS
from real_tables import COOL_K, star_weights

from pipeline.network.metrics import weighted_auc

N_DRAW = 200
WANTED = (1_000, 10_000, 68_000)


@dataclass(frozen=True)
class Form:
    """A curve with two parameters: linear in a function of n, after a function of the AUC."""

    name: str
    axis: Callable[[np.ndarray], np.ndarray]
    to_line: Callable[[np.ndarray], np.ndarray]
    from_line: Callable[[np.ndarray], np.ndarray]

    def at(self, n_N: np.ndarray, auc_DN: np.ndarray, wanted_W: np.ndarray) -> np.ndarray:
        """Fit by least squares and extrapolate, shape (D, W)."""
        design = np.stack([np.ones(len(n_N)), self.axis(n_N)], axis=1)
        found_2D = np.linalg.lstsq(design, self.to_line(auc_DN).T, rcond=None)[0]
        line = np.stack([np.ones(len(wanted_W)), self.axis(wanted_W)], axis=1) @ found_2D
        return self.from_line(line.T)


def logit(auc: np.ndarray) -> np.ndarray:
    return np.log(auc / (1 - auc))


def logistic(line: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-line))


FORMS = (
    Form("log-odds of the AUC linear in log n", np.log2, logit, logistic),
    Form("A - B n^(-1/4)", lambda n: n**-0.25, np.asarray, np.asarray),
    Form("A - B n^(-1/2)", lambda n: n**-0.5, np.asarray, np.asarray),
)


def drawn_aucs(
    scores: list[np.ndarray],
    columns: dict[str, np.ndarray],
    rows: np.ndarray,
    n_draw: int = N_DRAW,
) -> np.ndarray:
    """AUC of every way, as it is and with stars drawn again, the same for all; (1 + D, N)."""
    rows = np.flatnonzero(rows)
    label = columns["label"][rows] == 1
    weights = list(star_weights({name: columns[name][rows] for name in ("star", "star2")}, n_draw))
    return np.array(
        [
            [np.mean([weighted_auc(one, label, w) for one in way[:, rows]]) for way in scores]
            for w in weights
        ]
    )


def shown(values: np.ndarray) -> str:
    """First value, and the 95 % interval of the others."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return f"{values[0]:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--full", default="every", choices=WAYS)
    parser.add_argument("--prefix", default="plain-")
    parser.add_argument("--full-stars", type=int, default=525, help="training stars of a fold")
    args = parser.parse_args()
    folder = args.root / "scores"
    ways = [w for w in WAYS if w.startswith(args.prefix)]
    ways = [w for w in ways if all((folder / f"{w}-{k}.npz").exists() for k in range(N_FOLDS))] + [
        args.full
    ]
    n_N = np.array([WAYS[w].n_stars or args.full_stars for w in ways], float)
    wanted_W = np.array(WANTED, float)
    for test in ("classic", "label"):
        columns = read_columns(folder, test, N_FOLDS)
        scores = [read_scores(folder, way, test, N_FOLDS).score_SB for way in ways]
        everyone = np.ones(len(columns["label"]), bool)
        for name, rows in (("all", everyone), ("cool", columns["teff_k"] < COOL_K)):
            auc_DN = drawn_aucs(scores, columns, rows)
            print(f"\n{test}, {name} primaries\n\n| stars | AUC |\n|---|---|")
            for n, column in zip(n_N, auc_DN.T, strict=True):
                print(f"| {n:.0f} | {shown(column)} |")
            print("\n| form | " + " | ".join(f"{n:,}" for n in WANTED) + " |\n|---|---|---|---|")
            for form in FORMS:
                found = form.at(n_N, auc_DN, wanted_W)
                print(f"| {form.name} | " + " | ".join(map(shown, found.T)) + " |", flush=True)


if __name__ == "__main__":
    main()
