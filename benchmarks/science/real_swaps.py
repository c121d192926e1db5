"""Which difference between simulated and real stars costs most: one thing real at a time.

Usage: ``python benchmarks/science/real_swaps.py --root FOLDER [--data FOLDER] [--folds N]
[--model mlp|network] [--kinds NAME ...]``. For every real training star there are four simulated
ones at its labels, of which the couples are made as of real stars; a swap makes one thing real, or
one simulated that was real. Tests and folds are those of ``real_stars.py``; only validation stars,
of other folds, may decide which is the best. Scores are kept in ``--root``: a stopped run goes on.
"""

import time
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from real_data import fold_parser
from real_folds import made, read_stars, settings_for
from real_scores import print_validated
from real_simulation import fit
from real_stars import Fold, classic, columns_of, folds_of
from swapped_stars import Draw, Swap, Swapper, within

from pipeline.composites.couples import Composites
from pipeline.network.loader import Labelled
from pipeline.network.metrics import auc
from pipeline.spectra.grid import WaveGrid

DRAWS = 4
EPOCHS = 6
"""Of the network."""

SKY = ("join", "air")
LABELS = Draw(teff_k=170, feh=-0.45)
JOIN = Draw(join=0.03)
SWAPS = {
    "simulated": Swap("all simulated"),
    "hide-join": Swap("join of the arms hidden, in the test too", hidden=("join",)),
    "hide-air": Swap("atmosphere hidden, in the test too", hidden=("air",)),
    "hidden": Swap("both hidden, in the test too", hidden=SKY),
    "free": Swap("free curve at the join, 0.03", draw=JOIN),
    "free-mean": Swap("free curve at the join, mean real", "real", draw=JOIN),
    "free-labels": Swap("free curve at the join, other labels", draw=replace(LABELS, join=0.03)),
    "free-5": Swap("free curve at the join, 0.05", draw=replace(JOIN, join=0.05)),
    "bands": Swap("join and atmosphere real", bands=SKY),
    "other": Swap("scatter and noise real, of a near star", rest="other"),
    "mixed": Swap("scatter and noise real, of two near stars", rest="mixed"),
    "own": Swap("scatter and noise real, the star's own", rest="own"),
    "rest-slow": Swap("scatter real on scales above 60 Angstrom", rest="slow"),
    "rest-fast": Swap("scatter and noise real on scales below 60 Angstrom", rest="fast"),
    "mean": Swap("mean real", mean="real"),
    "offset": Swap("mean real, one offset for all stars", mean="offset"),
    "slope": Swap("mean real, without that offset", mean="slope"),
    "slow": Swap("mean real on scales above 60 Angstrom", mean="slow"),
    "fast": Swap("mean real on scales below 60 Angstrom", mean="fast"),
    "shape": Swap("smoothed flux real", shape="own"),
    "labels": Swap("template at Teff + 170 K, [Fe/H] - 0.45", draw=LABELS),
    "resolution": Swap("resolving power 15 % lower", draw=Draw(resolution=0.85)),
    "scatter": Swap("twice the scatter of line depths", draw=Draw(scatter=2)),
    "errors": Swap("labels with errors", draw=Draw(label_errors=1)),
    "pairs": Swap("42 % have an unseen companion", draw=Draw(pairs=0.42)),
    "jitter": Swap("velocities with errors of 10 km/s", jitter_kms=10),
    "hidden-labels": Swap("join and atmosphere hidden, other labels", hidden=SKY, draw=LABELS),
    "hidden-other": Swap("join and atmosphere hidden, scatter real", rest="other", hidden=SKY),
    "labels-other": Swap("other labels, scatter real", rest="other", draw=LABELS),
    "both": Swap("mean and scatter real, of a near star", "real", "other"),
    "both-mixed": Swap("mean and scatter real, of two near stars", "real", "mixed"),
    "no-own": Swap("all real, scatter of a near star", "real", "other", "own"),
    "no-shape": Swap("all real but the smoothed flux", "real", "own"),
    "no-mean": Swap("all real but the mean", "template", "own", "own"),
    "no-mean-labels": Swap("the same, other labels", "template", "own", "own", draw=LABELS),
    "no-scatter": Swap("all real but scatter and noise", "real", "simulated", "own"),
    "real": Swap("all real", "real", "own", "own"),
}


class Trial:
    """One fold: its tests, made once, and the scores of every kind."""

    def __init__(self, fold: Fold, model: str, folder: Path) -> None:
        self._fold, self._model, self._folder = fold, model, folder

    @cached_property
    def _tests(self) -> tuple[Composites, Composites]:
        """Real composites of the validation and of the test stars."""
        fold = self._fold
        test = fold.composites("test", fold.couples // 4, every=False, like=False)
        np.savez(self._folder / f"classic-{fold.number}.npz", **columns_of(test, fold.number))
        return fold.held(), test

    @cached_property
    def _swapper(self) -> Swapper:
        fold = self._fold
        return Swapper(fold.of("training", every=True), fold.settings, fold.number)

    def run(self, name: str) -> None:
        """Train with stars of a kind and score the test, unless that is kept."""
        fold, swap = self._fold, SWAPS[name]
        place = self._folder / f"{name}-{fold.number}.npz"
        if place.exists():
            return
        begin = time.process_time()
        # A star's own scatter is there once.
        stars = self._swapper.stars(swap, 1 if swap.rest == "own" else DRAWS)
        draw = partial(classic, settings=fold.settings)
        data = made(stars, fold.couples, draw, fold.settings, 100 * fold.number)
        wave_L = WaveGrid.from_settings(fold.settings.spectra).wave_L
        seen_L = ~within(wave_L, swap.hidden)
        spectra = [each.flux_BL[:, seen_L] for each in (data, *self._tests)]
        labels = data.label_B, self._tests[0].label_B
        scores_of = fit(self._model, *map(Labelled, spectra[:2], labels), epochs=EPOCHS)
        reached = np.mean([auc(score_B, labels[1]) for score_B in scores_of(spectra[1])])
        np.savez(place, classic=scores_of(spectra[2]), validation=reached)
        took = time.process_time() - begin
        print(f"fold {fold.number}: {name}, validation {reached:.3f}, {took:.0f} s", flush=True)


def main() -> None:
    parser = fold_parser(__doc__)
    parser.add_argument("--model", choices=("mlp", "network"), default="mlp")
    parser.add_argument("--kinds", nargs="+", choices=SWAPS, default=list(SWAPS), metavar="NAME")
    args = parser.parse_args()
    folder = args.root / ("swaps" if args.model == "mlp" else f"swaps-{args.model}")
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings_for(args.root, args.data, [])
    stars, tested = read_stars(settings)
    folds = folds_of(stars, tested, settings, args)
    trials = [Trial(fold, args.model, folder) for fold in folds]
    for name in args.kinds:
        for trial in trials:
            trial.run(name)
    titles = {k: SWAPS[k].name for k in args.kinds}
    print_validated(folder, titles, args.folds)


if __name__ == "__main__":
    main()
