"""Two stars against one by chi^2 beside the network, on real composites of five folds.

Usage: ``python benchmarks/science/real_pair_fit.py --root FOLDER [--data FOLDER] [--folds N]
[--shift PIXELS] [--network NAME] [--tables]``. Folds and tests are those of ``real_stars.py``
(every star), three seeds; the fit is that of ``training.pair_fit``, weighed by the validation stars
of the fold.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from composite_fits import NETWORKS, fit_network, score
from real_data import fold_parser
from real_folds import read_stars, settings_for
from real_scores import of_folds, read_columns
from real_stars import SEEDS, Fold, columns_of, folds_of, keep_shares
from real_tables import COOL_K, Q_CLASSIC, Q_LABEL, Scores, bins_of, counts, head, signed

from pipeline.network.loader import Labelled
from pipeline.network.metrics import auc
from pipeline.network.pair_fit import weighed_terms
from pipeline.network.pair_training import weights
from pipeline.pairfit.evidence import Evidence
from pipeline.pairfit.fit import fit_stars
from pipeline.pairfit.grid import label_grid
from pipeline.pairfit.spectra import Singles, singles_of

WAYS = {
    "network": "the network, three seeds one by one",
    "gain": "chi^2",
    "both": "network and chi^2",
    "mean": "three networks",
    "mean_both": "three networks and chi^2",
}
LESS = (
    ("mean", "network"), ("gain", "network"), ("both", "network"), ("both", "gain"),
    ("mean_both", "mean"), ("mean_both", "network"),
)  # fmt: skip


def training_singles(fold: Fold) -> Singles:
    """Normalise the training stars of a fold."""
    stars, settings = fold.of("training", every=True), fold.settings
    return singles_of(stars.pool, stars.stored, settings.composites, settings.spectra)


def evidence_of(singles: Singles, fold: Fold) -> Evidence:
    """Learn what single stars are like."""
    grid = label_grid(singles.wave_L, fold.settings.composites.log_age)
    return Evidence(fit_stars(singles, grid), grid)


def run_fold(fold: Fold, folder: Path, args: argparse.Namespace) -> None:
    """Score the tests of a fold in all ways, unless that is done."""
    kept = folder / f"fold-{fold.number}.npz"
    if kept.exists():
        return
    begin, held = time.process_time(), fold.held()
    made = {"held": held, **fold.tests()}
    evidence = evidence_of(training_singles(fold), fold)
    gain = {name: evidence.gain(c.flux_BL.astype(np.float32) - 1) for name, c in made.items()}
    training = fold.composites("training", fold.couples, every=True, like=False)
    asked, taught = (Labelled(c.flux_BL, c.label_B) for c in (held, training))
    logit: dict[str, list[np.ndarray]] = {name: [] for name in made}
    both: dict[str, list[np.ndarray]] = {name: [] for name in made}
    for seed in SEEDS:
        network = fit_network(
            taught, asked, args.epochs, NETWORKS[args.network], shift=args.shift, noise=0.02,
            seed=seed,
        )  # fmt: skip
        terms = {
            name: weighed_terms(score(network, c.flux_BL), gain[name]) for name, c in made.items()
        }
        found = weights(terms["held"], held.label_B == 1, np.unique(held.star_B).size)
        for name, terms_B3 in terms.items():
            logit[name].append(terms_B3[:, 0])
            both[name].append(terms_B3 @ found)
        print(f"fold {fold.number}, seed {seed}: weights {np.round(found, 2)}", flush=True)
    arrays = {}
    for name in made:
        arrays |= {
            f"network-{name}": np.stack(logit[name]),
            f"both-{name}": np.stack(both[name]),
            f"mean-{name}": np.mean(logit[name], axis=0)[None],
            f"mean_both-{name}": np.mean(both[name], axis=0)[None],
            f"gain-{name}": gain[name][None],
        }
        np.savez(folder / f"{name}-{fold.number}.npz", **columns_of(made[name], fold.number))
    np.savez(kept, **arrays)
    reached = {way: _mean_auc(arrays[f"{way}-held"], held.label_B) for way in WAYS}
    told = ", ".join(f"{way} {value:.3f}" for way, value in reached.items())
    print(f"fold {fold.number}: validation {told}; {time.process_time() - begin:.0f} s", flush=True)


def _mean_auc(score_SB: np.ndarray, label_B: np.ndarray) -> float:
    return float(np.mean([auc(one, label_B) for one in score_SB]))


def print_tables(folder: Path, folds: int) -> None:
    """Print both tests, with the gains of the same stars."""
    kept = [np.load(folder / f"fold-{k}.npz") for k in range(folds)]
    for name, edges in (("classic", Q_CLASSIC), ("label", Q_LABEL)):
        columns = read_columns(folder, name, folds)
        tests = {way: of_folds([k[f"{way}-{name}"] for k in kept], columns) for way in WAYS}
        _, bins = next(bins_of(columns, edges))
        bins.append((f"below {COOL_K:.0f} K", columns["teff_k"] < COOL_K))
        print(f"\n{name}\n\n{head(bins, 'classifier')}")
        print(counts(tests["gain"], bins))
        for seed, score_B in zip(SEEDS, tests["network"].score_SB, strict=True):
            print(Scores(score_B[None], columns).row(f"the network, seed {seed}", bins))
        for way, title in WAYS.items():
            print(tests[way].row(title, bins), flush=True)
        if name == "label":
            share_Q = np.load(folder / "shares.npz")["q"]
            for way, title in WAYS.items():
                mixed = tests[way].mixed([rows for _, rows in bins[1:-1]], share_Q)
                print(f"| {title}, at the population's mass ratios | {mixed} |", flush=True)
        for first, second in LESS:
            less = signed(tests[first].less(tests[second], bins[0][1]))
            print(f"| {WAYS[first]}, less {WAYS[second]} | {less} |", flush=True)


def main() -> None:
    parser = fold_parser(__doc__)
    parser.add_argument("--epochs", type=int, default=6, help="of the network")
    parser.add_argument("--shift", type=int, default=0, help="pixels, as training.shift_pixels")
    parser.add_argument("--network", choices=NETWORKS, default="quarter")
    parser.add_argument("--tables", action="store_true", help="print what is there")
    args = parser.parse_args()
    folder = args.root / f"pair_fit-{args.network}-{args.shift}"
    folder.mkdir(parents=True, exist_ok=True)
    if not args.tables:
        settings = settings_for(args.root, args.data, [])
        stars, tested = read_stars(settings)
        keep_shares(stars.pool, settings, folder)
        for fold in folds_of(stars, tested, settings, args):
            run_fold(fold, folder, args)
    print_tables(folder, args.folds)


if __name__ == "__main__":
    main()
