"""Training with q relative (labels of all stars by one model) and with a pool cleaned of pairs.

Usage: ``python benchmarks/science/real_pool.py --root FOLDER [--data FOLDER] [--folds N]
[--ways NAME ...] [--tables]``. Tests and validation are those of ``real_stars.py``, with their
couples and q; only the couples to train with change. The windowed-PCA MLP, every star, three seeds;
the validation AUC alone may decide. Scores are kept in ``--root``, so that a run goes on.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from real_data import fold_parser
from real_folds import catalogued, read_stars, settings_for
from real_labels import Found, relabelled
from real_scores import read_scores
from real_stars import Examples, Fold, Way, columns_of, folds_of, scores
from real_tables import Q_CLASSIC, Q_LABEL, Bins, Scores, bins_of, counts, head, signed

from pipeline.network.metrics import auc

EVERY = Way("present", every=True)


@dataclass(frozen=True)
class Change:
    """What changes of the stars to train with.

    Parameters
    ----------
    name : str
        In words.
    labels : bool
        Teff, [Fe/H], and with them mass and light, are those of the spectra.
    dropped : float
        Share of the training stars that is left out, those that gain most by a companion.
    """

    name: str
    labels: bool = False
    dropped: float = 0.0


WAYS = {
    "present": Change("present"),
    "labels": Change("labels by one model", labels=True),
    "clean-10": Change("a tenth of the stars left out", dropped=0.10),
    "clean-25": Change("a quarter of the stars left out", dropped=0.25),
    "both-10": Change("labels by one model, a tenth left out", labels=True, dropped=0.10),
    "both-25": Change("labels by one model, a quarter left out", labels=True, dropped=0.25),
}

NAMES = {way: change.name for way, change in WAYS.items()}


def changed(fold: Fold, change: Change, found: Found) -> Fold:
    """Return the fold with other labels, and without the training stars to be left out."""
    training = fold.part == "training"
    pool = found.pool if change.labels else fold.stars.pool
    names, first = np.unique(pool.star[training], return_index=True)
    gain = found.gain_B[training][first]
    out = names[np.argsort(-gain, kind="stable")[: round(change.dropped * len(names))]]
    part = np.where(training & np.isin(pool.star, out), "none", fold.part)
    return replace(fold, stars=replace(fold.stars, pool=pool), part=part)


def run_fold(fold: Fold, found: Found, ways: list[str], folder: Path) -> None:
    """Score validation and tests of a fold in all ways that are not kept yet."""
    missing = [w for w in ways if not (folder / f"{w}-{fold.number}.npz").exists()]
    if not missing:
        return
    n, tests = fold.couples, {"held": fold.held(), **fold.tests()}
    for name, test in tests.items():
        np.savez(folder / f"{name}-{fold.number}.npz", **columns_of(test, fold.number))
    for way in missing:
        begin = time.process_time()
        training = changed(fold, WAYS[way], found).composites("training", n, every=True, like=False)
        given = scores(EVERY, Examples(training, tests["held"]), tests, 0)
        np.savez(folder / f"{way}-{fold.number}.npz", **given)
        reached = np.mean([auc(one, tests["held"].label_B) for one in given["held"]])
        took = time.process_time() - begin
        print(f"fold {fold.number}: {way}, validation {reached:.3f}, {took:.0f} s", flush=True)


def by_fold(held: Scores) -> float:
    """Mean AUC of the folds on their validation stars."""
    fold_B, label_B = held.columns["fold"], held.columns["label"]
    return float(
        np.mean(
            [
                auc(one[fold_B == number], label_B[fold_B == number])
                for one in held.score_SB
                for number in np.unique(fold_B)
            ]
        )
    )


def by_new_labels(test: Scores, found: Found) -> Scores:
    """Give couples the mass ratios of the new labels; keep only those whose classes hold."""
    star, place = np.unique(found.pool.star, return_index=True)
    mass_B, second_B = (
        found.pool.mass_msun[place[np.searchsorted(star, test.columns[name])]]
        for name in ("star", "star2")
    )
    q = (second_B / mass_B).reshape(-1, 2)
    keep = np.repeat((q[:, 0] > 0.97) & (q[:, 1] >= 0.71) & (q[:, 1] < 0.93), 2)
    columns = {k: v[keep] for k, v in (test.columns | {"mass_ratio": q.ravel()}).items()}
    return Scores(test.score_SB[:, keep], columns)


def print_tables(ways: list[str], folds: int, folder: Path, found: Found) -> None:
    """Print both tests of the ways that all folds have, and gains over the first."""
    done = [w for w in ways if all((folder / f"{w}-{k}.npz").exists() for k in range(folds))]

    def of(test: str) -> dict[str, Scores]:
        return {way: read_scores(folder, way, test, folds) for way in done}

    held = {way: by_fold(scores) for way, scores in of("held").items()}
    for name, edges in (("classic", Q_CLASSIC), ("label", Q_LABEL)):
        tests = of(name)
        for title, bins in bins_of(tests[done[0]].columns, edges):
            print_table(f"{name}, by {title}", tests, bins, held)
    moved = {way: by_new_labels(test, found) for way, test in of("classic").items()}
    _, bins = next(bins_of(moved[done[0]].columns, Q_CLASSIC))
    print_table("classic, q by the new labels", moved, bins, held)


def print_table(title: str, tests: dict[str, Scores], bins: Bins, held: dict[str, float]) -> None:
    """Print one test, and below it the gains over the first way in the first column."""
    print(f"\n{title}\n\n{head(bins, 'training', 'validation')}")
    first, *others = tests
    print(counts(tests[first], bins, ""))
    for way, test in tests.items():
        print(test.row(f"{NAMES[way]} | {held[way]:.3f}", bins), flush=True)
    for way in others:
        found = signed(tests[way].less(tests[first], bins[0][1]))
        moved = held[way] - held[first]
        print(f"| {NAMES[way]}, less present | {moved:+.3f} | {found} |", flush=True)


def describe(found: Found, old: np.ndarray, known: np.ndarray, teff_k: np.ndarray) -> None:
    """Print how far the labels moved, for the catalogue's and for estimated ones."""
    for name, rows in (("catalogue", known), ("estimated", ~known)):
        moved = (found.pool.teff_k - teff_k)[rows]
        mass = np.log(found.pool.mass_msun / old)[rows]
        print(f"labels of the {name}: {rows.sum()} spectra, Teff {moved.mean():+.0f} K, scatter "
              f"{robust(moved):.0f} K, mass {100 * robust(mass):.1f} %")  # fmt: skip
    q = np.percentile(found.gain_B, [50, 75, 90])
    print(f"gain of a second star in chi^2: median, 75 and 90 % {np.round(q, 1)}", flush=True)


def robust(values: np.ndarray) -> float:
    """Return the standard deviation by the median of the distances."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def main() -> None:
    parser = fold_parser(__doc__)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="NAME")
    parser.add_argument("--tables", action="store_true", help="print what is there")
    args = parser.parse_args()
    folder = args.root / "pool"
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings_for(args.root, args.data, [])
    stars, tested = read_stars(settings)
    found = relabelled(stars, settings)
    describe(found, stars.pool.mass_msun, catalogued(settings, stars.pool), stars.pool.teff_k)
    if not args.tables:
        for fold in folds_of(stars, tested, settings, args):
            run_fold(fold, found, args.ways, folder)
    print_tables(args.ways, args.folds, folder, found)


if __name__ == "__main__":
    main()
