"""What classifiers learn from composites of real dwarfs: folds by star, what helps, what does not.

Usage: ``python benchmarks/science/composites.py [--data FOLDER] [--root FOLDER] [--folds N] [--ways
NAME ...]``. FOLDER holds public LAMOST files: ``spectra/`` and ``tables/dr10_stellar_subset.csv``.
Each fold trains on composites of some stars and tests on composites of other stars; the scores of
all folds go into one table. ``--plain`` measures the wrong way instead: single spectra as they are
against sums. Composites and scores are kept in ``--root``, so a run that was stopped goes on.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from composite_fits import (
    NETWORKS,
    fit_network,
    pretrained,
    quadratic_scores,
    score,
)
from composite_folds import (
    N_FOLDS,
    Arrays,
    find_pool,
    make_fold,
    read_part,
    settings_for,
    unlabelled,
    with_plain_singles,
)
from real_data import add_data

from pipeline.evaluation.intervals import Estimate, by_star
from pipeline.network.examples import simulated_examples
from pipeline.network.loader import Labelled
from pipeline.network.metrics import auc, weighted_auc
from pipeline.network.model import PairNet
from pipeline.settings.load import Settings

MASS_EDGES = (0.0, 0.9, 1.0, 1.1, 9.0)
BRIGHT = 60.0


@dataclass
class Fold:
    """Composites of one fold, and what all ways of training have in common."""

    training: Arrays
    validation: Arrays
    test: Arrays
    wide: Callable[[], Arrays]
    plain: Callable[[], np.ndarray]
    settings: Settings
    args: argparse.Namespace

    def fit(self, *parts: Labelled, **options: object) -> np.ndarray:
        """Train the network on some examples and score the test part."""
        flux = [np.asarray(part.flux_BL) for part in parts]
        data = Labelled(np.concatenate(flux), np.concatenate([part.label_B for part in parts]))
        held = Labelled(self.validation["flux"], self.validation["label"])
        model = fit_network(data, held, self.args.epochs, NETWORKS[self.args.network], **options)
        return score(model, self.test["flux"])

    @property
    def real(self) -> Labelled:
        """Composites of the training stars."""
        return Labelled(self.training["flux"], self.training["label"])

    @property
    def more(self) -> Labelled:
        """Composites of these and of noisier stars."""
        wide = self.wide()
        return Labelled(wide["flux"], wide["label"])

    @cached_property
    def made(self) -> Labelled:
        """Take as many simulated spectra."""
        n = 2 * self.args.couples
        return simulated_examples(n, 7, self.settings.simulate, self.settings.spectra).spectra

    @cached_property
    def taught(self) -> PairNet:
        """A network of the simulated spectra alone."""
        settings = self.settings
        held = simulated_examples(1000, 8, settings.simulate, settings.spectra).spectra
        model = fit_network(self.made, held, self.args.epochs, NETWORKS[self.args.network])
        reached = auc(score(model, held.flux_BL), held.label_B)
        print(f"  simulated network on simulated spectra: AUC {reached:.3f}", flush=True)
        return model


def ensemble(fold: Fold) -> np.ndarray:
    """Mean logit of three networks and the regression, each over its standard deviation."""
    parts = [fold.fit(fold.real, noise=0.02, seed=seed) for seed in (1, 2, 3)]
    mean_B = np.mean(parts, axis=0)
    other_B = quadratic_scores(fold.training, fold.test)
    return mean_B / mean_B.std() + other_B / other_B.std()


WAYS: dict[str, tuple[str, Callable[[Fold], np.ndarray]]] = {
    "pca": (
        "PCA + quadratic logistic regression",
        lambda fold: quadratic_scores(fold.training, fold.test),
    ),
    "scratch": ("network from scratch", lambda fold: fold.fit(fold.real)),
    "noise": ("the same, noise up to 2 % added", lambda fold: fold.fit(fold.real, noise=0.02)),
    "shift": (
        "the same, shift 1 pixel, hide 5 %",
        lambda fold: fold.fit(fold.real, shift=1, mask=0.05),
    ),
    "decay": (
        "noise, and a weight decay of 1 instead of 0.01",
        lambda fold: fold.fit(fold.real, noise=0.02, decay=1.0),
    ),
    "more": ("more stars to train with (S/N > 20)", lambda fold: fold.fit(fold.more, noise=0.02)),
    "most": (
        "more stars, noise, weight decay of 1",
        lambda fold: fold.fit(fold.more, noise=0.02, decay=1.0),
    ),
    "simulated": ("simulation alone", lambda fold: score(fold.taught, fold.test["flux"])),
    "tuned": (
        "simulation, then composites",
        lambda fold: fold.fit(fold.real, noise=0.02, start=fold.taught, rate=3e-4),
    ),
    "pretrained": (
        "first to restore hidden stretches of all spectra",
        lambda fold: fold.fit(
            fold.real, noise=0.02, start=pretrained(fold.plain(), NETWORKS[fold.args.network])
        ),
    ),
    "mixed": (
        "composites and simulation mixed",
        lambda fold: fold.fit(fold.real, fold.made, noise=0.02),
    ),
    "ensemble": ("three networks and the regression", ensemble),
}


def measured(score_B: np.ndarray, test: Arrays, rows: np.ndarray) -> Estimate:
    pair_B = test["label"][rows] == 1
    score_B = score_B[rows]
    return by_star(lambda w: weighted_auc(score_B, pair_B, w), test["star"][rows], 200)


def row(name: str, score_B: np.ndarray, test: Arrays) -> str:
    bins = [np.ones(len(score_B), bool), test["snr_g"] > BRIGHT]
    bins += [(test["mass1_msun"] >= a) & (test["mass1_msun"] < b) for a, b in pairwise(MASS_EDGES)]
    return f"| {name} | " + " | ".join(str(measured(score_B, test, rows)) for rows in bins) + " |"


def ranked(score_B: np.ndarray) -> np.ndarray:
    """Bring the scores of a fold to one scale: their ranks."""
    return np.argsort(np.argsort(score_B)) / len(score_B)


def run_fold(number: int, settings: Settings, table: object, args: argparse.Namespace) -> Arrays:
    """Make one fold and all scores of it that are not kept yet."""
    job = make_fold(settings, table, number, args.seed, wide=False)
    root = job.root
    training, validation, test = (read_part(job, p) for p in ("training", "validation", "test"))
    if args.plain:
        training, validation, test = (
            with_plain_singles(arrays, settings, root, part)
            for arrays, part in (
                (training, "training"), (validation, "validation"), (test, "test")
            )
        )  # fmt: skip

    def wide() -> Arrays:
        return read_part(make_fold(settings, table, number, args.seed, wide=True), "training")

    plain = partial(unlabelled, settings, root)
    fold = Fold(training, validation, test, wide, plain, settings, args)
    kind = f"{args.network}-{args.epochs}-{args.couples}{'-plain' if args.plain else ''}"
    result = {name: column for name, column in test.items() if name != "flux"}
    for way in args.ways:
        path = root.path / "scores" / f"{way}-{kind}.npy"
        if not path.exists():
            begin = time.perf_counter()
            found = WAYS[way][1](fold)
            path.parent.mkdir(exist_ok=True)
            np.save(path, found)
            took = time.perf_counter() - begin
            reached = auc(found, test["label"])
            print(f"fold {number}: {way:12} AUC {reached:.3f}, {took:.0f} s", flush=True)
        result[f"score {way}"] = ranked(np.load(path))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("--root", type=Path, help="keeps composites and scores for the next run")
    parser.add_argument("--folds", type=int, default=N_FOLDS, choices=range(1, N_FOLDS + 1))
    parser.add_argument("--couples", type=int, default=10_000, help="to train with, a fold")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--network", choices=NETWORKS, default="quarter")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="NAME")
    parser.add_argument("--plain", action="store_true", help="the wrong way, to measure the leak")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if not (args.data / "spectra").is_dir():
        parser.error(
            f"no folder {args.data / 'spectra'}: name the folder of public files by --data"
        )
    with tempfile.TemporaryDirectory() as temporary:
        settings = settings_for(args.root or Path(temporary), args.data, args.couples)
        table = find_pool(settings)
        bright = table["snr_g"].to_numpy() > settings.composites.pool_snr_min
        star = table["star"].to_numpy()
        print(f"{len(np.unique(star[bright]))} stars, {len(np.unique(star))} in the wide pool")
        folds = [run_fold(number, settings, table, args) for number in range(args.folds)]
    test = {name: np.concatenate([fold[name] for fold in folds]) for name in folds[0]}
    masses = [f"{a:g}-{b:g} Msun" for a, b in pairwise(MASS_EDGES)]
    print("| classifier | AUC | " + " | ".join([f"S/N > {BRIGHT:.0f}", *masses]) + " |")
    print("|---" * (3 + len(masses)) + "|")
    for name in ("mass1_msun", "snr_g", "bad_fraction"):
        print(row(f"{name} alone", test[name], test))
    for way in args.ways:
        print(row(WAYS[way][0], test[f"score {way}"], test))


if __name__ == "__main__":
    main()
