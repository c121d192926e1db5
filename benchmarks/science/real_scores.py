"""Scores that the folds kept, as those of all stars."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from real_tables import Q_CLASSIC, Scores, bins_of, counts, head


def ranked(score_SB: np.ndarray) -> np.ndarray:
    """Bring the scores of a fold to one scale: their ranks."""
    return np.argsort(np.argsort(score_SB, axis=1), axis=1) / score_SB.shape[1]


def read_columns(folder: Path, test: str, folds: int) -> dict[str, np.ndarray]:
    """Return what is known of the composites of a test."""
    kept = [np.load(folder / f"{test}-{k}.npz") for k in range(folds)]
    return {name: np.concatenate([one[name] for one in kept]) for name in kept[0].files}


def read_scores(folder: Path, way: str, test: str, folds: int) -> Scores:
    """Return the scores of a way on a test, ranked within each fold."""
    kept = [np.load(folder / f"{way}-{k}.npz")[test] for k in range(folds)]
    return of_folds(kept, read_columns(folder, test, folds))


def of_folds(score_KSB: list[np.ndarray], columns: dict[str, np.ndarray]) -> Scores:
    """Join the scores of the folds, ranked within each."""
    return Scores(np.concatenate([ranked(score_SB) for score_SB in score_KSB], axis=1), columns)


def print_validated(
    folder: Path,
    titles: Mapping[str, str],
    folds: int,
    name: str = "classic",
    edges: Sequence[tuple[float, float]] = Q_CLASSIC,
) -> None:
    """Print validation and a test of ways that kept both: ``validation`` and the test's name."""
    columns = read_columns(folder, name, folds)
    _, bins = next(bins_of(columns, edges))
    print(f"\n{name}\n\n{head(bins, 'training', 'validation')}")
    for number, (way, title) in enumerate(titles.items()):
        kept = [np.load(folder / f"{way}-{k}.npz") for k in range(folds)]
        test = of_folds([one[name] for one in kept], columns)
        if number == 0:
            print(counts(test, bins, ""))
        held = np.mean([float(one["validation"]) for one in kept])
        print(test.row(f"{title} | {held:.3f}", bins), flush=True)
