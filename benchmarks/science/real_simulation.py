"""What simulated pairs teach of real stars, as they are and brought near to them.

Usage: ``python benchmarks/science/real_simulation.py --root FOLDER [--data FOLDER] [--folds N]
[--model mlp|network|networks] [--network NAME] [--shift PIXELS]
[--kinds NAME ...]``. Tests, folds and validation are those of ``real_stars.py``; only the
validation stars, of other folds, may decide which kind is the best. ``networks`` is the mean
log-odds of three. Scores are kept in ``--root``, so a run that was stopped goes on.
"""

import argparse
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from composite_fits import NETWORKS, fit_network, score
from real_data import fold_parser
from real_folds import read_stars, settings_for
from real_scores import print_validated
from real_simulated import Kind, Simulated, fit_simulated, simulated, training_spectra
from real_stars import SEEDS, Fold, columns_of, folds_of
from real_tables import Q_LABEL
from windowed_pca import Windows, fit_mlp, mlp_logit

from pipeline.composites.mean_spectrum import MeanSpectrum
from pipeline.network.loader import Labelled
from pipeline.network.metrics import auc
from pipeline.settings.load import Settings

SEED, HELD_SEED, HELD = 7, 8, 1_000
HOT_K = 5200.0
"""About the coolest primary of the tests."""

KINDS = {
    "plain": Kind("simulation alone"),
    "twins": Kind("twins as class 0", twins=True),
    "join": Kind("twins, free curve at the join", twins=True, join=0.03),
    "hot": Kind("twins, primaries above 5,200 K", twins=True, teff_min_k=HOT_K),
    "hot-join": Kind("the same, free curve at the join", twins=True, join=0.03, teff_min_k=HOT_K),
    "hot-join-3": Kind("the same, 30,000 spectra", twins=True, join=0.03, teff_min_k=HOT_K,
                       times=3),
    "hot-join-10": Kind("the same, 100,000 spectra", twins=True, join=0.03, teff_min_k=HOT_K,
                        times=10),
    "means": Kind("twins, means of real stars", twins=True, means="each"),
    "shift": Kind("twins, means of real stars at the primary", twins=True, means="primary"),
    "residuals": Kind("twins, residuals of real stars", twins=True, residuals=True),
    "both": Kind("twins, means at the primary and residuals", twins=True, means="primary",
                 residuals=True),
}  # fmt: skip

Scorer = Callable[[np.ndarray], np.ndarray]


class Simulator:
    """Simulated spectra, and what is trained on them alone; each made once."""

    def __init__(self, n: int, settings: Settings, args: argparse.Namespace) -> None:
        self._n, self._settings, self._args = n, settings, args
        self._made: dict[tuple[bool, bool, float, float, int], Simulated] = {}
        self._fitted: dict[Kind, Scorer] = {}

    @cached_property
    def singles(self) -> MeanSpectrum:
        """Mean of calm single stars."""
        return fit_simulated(self._of(Kind("single stars", residuals=True)))

    def scorer(self, kind: Kind, fold: Fold, held: Labelled) -> Scorer:
        """Train on spectra of a kind; the best epoch is that of the validation stars.

        Without real stars in them the training is that of all folds, and the best epoch that of
        other simulated spectra.
        """
        made = self._of(kind)
        args = self._args
        if kind.needs_stars:
            stars = fold.of("training", every=True)
            data = training_spectra(kind, made, self.singles, stars, fold.settings, fold.number)
            return fit(args, data, held)
        if kind not in self._fitted:
            other = made_of(kind, HELD, HELD_SEED, self._settings)
            data, asked = (Labelled(one.flux_BL, one.label_B) for one in (made, other))
            self._fitted[kind] = fit(args, data, asked)
        return self._fitted[kind]

    def _of(self, kind: Kind) -> Simulated:
        key = kind.twins, kind.residuals, kind.join, kind.teff_min_k, kind.times
        if key not in self._made:
            self._made[key] = made_of(kind, kind.times * self._n, SEED, self._settings)
        return self._made[key]


def made_of(kind: Kind, n: int, seed: int, settings: Settings) -> Simulated:
    """Simulate spectra of a kind, as they are before real stars have a part in them."""
    return simulated(
        n, seed, settings, twins=kind.twins, calm=kind.residuals, join=kind.join,
        teff_min_k=kind.teff_min_k,
    )  # fmt: skip


def fit(args: argparse.Namespace, data: Labelled, held: Labelled) -> Scorer:
    """Train; return what gives the log-odds of spectra, one row per seed."""
    if args.model != "mlp":
        seeds = SEEDS if args.model == "networks" else SEEDS[:1]
        sizes, change = NETWORKS[args.network], {"shift": args.shift, "noise": 0.02}
        networks = [
            fit_network(data, held, args.epochs, sizes, seed=seed, **change) for seed in seeds
        ]
        return lambda flux_BL: np.mean([score(each, flux_BL) for each in networks], axis=0)[None]
    windows = Windows.fit(np.asarray(data.flux_BL))
    x, asked = (windows.features(np.asarray(each.flux_BL)) for each in (data, held))
    nets = [fit_mlp(x, data.label_B, asked, held.label_B, seed=seed) for seed in SEEDS]
    return lambda flux_BL: np.stack([mlp_logit(net, windows.features(flux_BL)) for net in nets])


def run_fold(fold: Fold, simulator: Simulator, args: argparse.Namespace, folder: Path) -> None:
    """Score the tests of a fold in all ways that are not kept yet."""
    missing = [
        k for k in args.kinds if not (folder / f"{args.model}-{k}-{fold.number}.npz").exists()
    ]
    if not missing:
        return
    held, tests = fold.held(), fold.tests()
    for name, test in tests.items():
        np.savez(folder / f"{name}-{fold.number}.npz", **columns_of(test, fold.number))
    asked = Labelled(held.flux_BL, held.label_B)
    for name in missing:
        begin = time.perf_counter()
        scores_of = simulator.scorer(KINDS[name], fold, asked)
        reached = np.mean([auc(score_B, held.label_B) for score_B in scores_of(held.flux_BL)])
        place = folder / f"{args.model}-{name}-{fold.number}.npz"
        found = {name: scores_of(test.flux_BL) for name, test in tests.items()}
        np.savez(place, validation=reached, **found)
        took = time.perf_counter() - begin
        print(f"fold {fold.number}: {name}, validation {reached:.3f}, {took:.0f} s", flush=True)


def main() -> None:
    parser = fold_parser(__doc__)
    parser.add_argument("--epochs", type=int, default=6, help="of the network")
    parser.add_argument("--model", choices=("mlp", "network", "networks"), default="mlp")
    parser.add_argument("--network", choices=NETWORKS, default="quarter")
    parser.add_argument("--shift", type=int, default=0, help="pixels, as training.shift_pixels")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="NAME")
    args = parser.parse_args()
    folder = args.root / f"simulation-{args.network}-{args.shift}"
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings_for(args.root, args.data, [])
    stars, tested = read_stars(settings)
    simulator = Simulator(2 * args.couples, settings, args)
    for fold in folds_of(stars, tested, settings, args):
        run_fold(fold, simulator, args, folder)
    titles = {f"{args.model}-{k}": KINDS[k].name for k in args.kinds}
    print_validated(folder, titles, args.folds)
    print_validated(folder, titles, args.folds, "label", Q_LABEL)


if __name__ == "__main__":
    main()
