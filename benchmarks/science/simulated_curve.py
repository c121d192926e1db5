"""Whether a learning curve can be extrapolated: simulated stars, of which there are enough.

Usage: ``python benchmarks/science/simulated_curve.py --root FOLDER [--sizes N ...] [--pools N]
[--couples N] [--model network] [--tables]``. Composites of simulated single stars and the cheap
reference, as in ``real_stars.py``, or the default network; the forms of ``real_curve.py`` are
fitted to pools of at most `SMALL` stars and compared with what larger ones reach. Scores are kept
in ``--root``, so a run that was stopped goes on. ``--tables`` only prints.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from composite_fits import fit_network, score
from real_curve import FORMS, drawn_aucs, shown
from real_folds import Stars, made
from real_stars import SEEDS, classic, columns_of
from windowed_pca import Windows, fit_mlp, mlp_logit

from pipeline.composites.couples import Composites
from pipeline.composites.pool import Pool, joined_pools
from pipeline.composites.sums import Stored
from pipeline.network.loader import Labelled
from pipeline.settings.load import Settings, load_settings
from pipeline.settings.network import NetworkSettings
from pipeline.simulate.examples import labelled_block
from pipeline.stars.dwarf_mass import dwarf_mass

SIZES = (100, 200, 400, 750, 1_500, 3_000, 6_000, 12_000, 68_000)
SMALL = 750
TEFF_MIN_K = 5000.0
"""As 97 % of the real pool."""

POOL_SNR = (30.0, 200.0)
FIRST_SEED, HELD_SEED, TEST_SEED = 9_001, 9_100, 9_200
HELD_STARS, TEST_STARS = 500, 1_500
HELD_COUPLES, TEST_COUPLES = 625, 2_500
STARS_A_SEED = 1_000_000
EPOCHS = 8
PROCESSES = len(os.sched_getaffinity(0))


def settings_for(root: Path) -> Settings:
    """As for the real stars."""
    overrides = ("pool_snr_min=15", "pool_logg_min=3.9", "snr_min=25")
    return load_settings(None, [f"composites.{one}" for one in overrides], root=root, inputs={})


def simulated_stars(n: int, seed: int, settings: Settings) -> Stars:
    """Simulate single stars; masses are those of their labels, as for real stars."""
    found: list[Stars] = []
    with ProcessPoolExecutor(PROCESSES) as processes:
        for round_ in count():
            blocks = range(round_ * PROCESSES, (round_ + 1) * PROCESSES)
            found += processes.map(partial(dwarfs_of, seed=seed, settings=settings), blocks)
            if sum(len(one.pool) for one in found) >= n:
                break
    stored = (one.stored for one in found)
    joined = Stored(*(np.concatenate(column) for column in zip(*stored, strict=True)))
    return Stars(joined_pools(*(one.pool for one in found)), joined).take(np.arange(n))


def dwarfs_of(block: int, seed: int, settings: Settings) -> Stars:
    """Simulate the single stars of one block, and keep those that a pool takes."""
    composites = settings.composites
    raw = labelled_block(
        block, seed, settings.simulate, q_range=(composites.q_min, composites.q_max),
        snr_range=POOL_SNR, binary_fraction=0.0,
    )  # fmt: skip
    mass_msun, m_g = dwarf_mass(raw.teff_k, raw.feh, composites.log_age)
    number = np.arange(len(raw)) + len(raw) * block
    pool = Pool(
        np.full(len(raw), seed), number, STARS_A_SEED * seed + number, raw.teff_k, raw.logg,
        raw.feh, raw.rv_kms_B, mass_msun, m_g,
    )  # fmt: skip
    spectra = Stored(
        raw.flux_BN, raw.ivar_BN, raw.log10_first_B, raw.n_pixel_B.astype(np.int32), raw.rv_kms_B
    )
    keep = np.flatnonzero(
        np.isfinite(mass_msun)
        & (raw.teff_k > TEFF_MIN_K)
        & (raw.logg > (composites.pool_logg_min or 0))
        & (raw.feh > composites.feh_min)
    )
    return Stars(pool, spectra).take(keep)


def couples_of(stars: Stars, n: int, seed: int, settings: Settings) -> Composites:
    """Twins against mass ratios 0.71-0.93."""
    return made(stars, n, lambda rng, m, pool: classic(rng, m, pool, settings), settings, seed)


def run(args: argparse.Namespace, folder: Path) -> None:
    """Make the test, and all scores that are not kept yet."""
    settings = settings_for(args.root)
    test = couples_of(
        simulated_stars(TEST_STARS, TEST_SEED, settings), TEST_COUPLES, TEST_SEED, settings
    )
    held = couples_of(
        simulated_stars(HELD_STARS, HELD_SEED, settings), HELD_COUPLES, HELD_SEED, settings
    )
    np.savez(folder / "test.npz", **columns_of(test, 0))
    for seed in range(FIRST_SEED, FIRST_SEED + args.pools):
        missing = [n for n in args.sizes if not score_file(folder, args, seed, n).exists()]
        if not missing:
            continue
        stars = simulated_stars(max(missing), seed, settings)
        for n in missing:
            begin = time.process_time()
            training = couples_of(stars.take(np.arange(n)), args.couples, seed, settings)
            found = MODELS[args.model](training, held, test)
            np.save(score_file(folder, args, seed, n), found)
            seconds = time.process_time() - begin
            print(f"pool {seed}, {n} stars: {seconds:.0f} s of CPU", flush=True)


def by_mlp(training: Composites, held: Composites, test: Composites) -> np.ndarray:
    """Log-odds of the test by the cheap reference with each seed: (S, B)."""
    windows = Windows.fit(training.flux_BL)
    x, held_x, test_x = (windows.features(each.flux_BL) for each in (training, held, test))
    return np.stack(
        [
            mlp_logit(fit_mlp(x, training.label_B, held_x, held.label_B, seed=seed), test_x)
            for seed in SEEDS
        ]
    )


def by_network(training: Composites, held: Composites, test: Composites) -> np.ndarray:
    """Log-odds of the test by the default network: (1, B)."""
    parts = (Labelled(one.flux_BL, one.label_B) for one in (training, held))
    network = fit_network(*parts, EPOCHS, NetworkSettings(), shift=1, noise=0.02)
    return score(network, test.flux_BL)[None]


MODELS = {"mlp": by_mlp, "network": by_network}


def score_file(folder: Path, args: argparse.Namespace, seed: int, n: int) -> Path:
    return folder / f"{args.model}-{args.couples}-{seed}-{n}.npy"


def print_tables(args: argparse.Namespace, folder: Path) -> None:
    """Print what was reached, and what the forms make of the small pools."""
    columns = dict(np.load(folder / "test.npz"))
    rows = np.ones(len(columns["label"]), bool)
    seeds = range(FIRST_SEED, FIRST_SEED + args.pools)
    sizes = [
        n for n in sorted(args.sizes) if all(score_file(folder, args, s, n).exists() for s in seeds)
    ]
    scores_PN = [[np.load(score_file(folder, args, s, n)) for n in sizes] for s in seeds]
    auc_DN = drawn_aucs(
        [np.concatenate(way) for way in zip(*scores_PN, strict=True)], columns, rows
    )
    print(f"{len(rows) // 2} couples of {TEST_STARS} test stars, pools: {args.pools}\n")
    print("| stars | AUC | by pool |\n|---|---|---|")
    single_PN = [drawn_aucs(ways, columns, rows, n_draw=0)[0] for ways in scores_PN]
    for k, n in enumerate(sizes):
        by_pool = ", ".join(f"{one[k]:.3f}" for one in single_PN)
        print(f"| {n:,} | {shown(auc_DN[:, k])} | {by_pool} |")
    n_N = np.array(sizes, float)
    fitted, beyond = n_N <= SMALL, n_N > SMALL
    if fitted.sum() < 2 or not beyond.any():
        return
    heads = " | ".join(f"{n:,.0f}" for n in n_N[beyond])
    print(f"\n| | {heads} |" + "\n|---" + "|---" * int(beyond.sum()) + "|")
    print("| measured | " + " | ".join(map(shown, auc_DN[:, beyond].T)) + " |")
    for form in FORMS:
        found_DW = form.at(n_N[fitted], auc_DN[:, fitted], n_N[beyond])
        print(f"| {form.name} | " + " | ".join(map(shown, found_DW.T)) + " |")
        excess_DW = found_DW - auc_DN[:, beyond]
        print("| less measured | " + " | ".join(map(shown, excess_DW.T)) + " |")
        one_by_one = form.at(n_N[fitted], np.stack(single_PN)[:, fitted], n_N[beyond])
        cells = (", ".join(f"{value:.3f}" for value in column) for column in one_by_one.T)
        print("| from each pool | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="keeps scores")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), metavar="N")
    parser.add_argument("--pools", type=int, default=3, help="of other stars each")
    parser.add_argument("--couples", type=int, default=5_000, help="to train with")
    parser.add_argument("--model", choices=MODELS, default="mlp")
    parser.add_argument("--tables", action="store_true", help="print what is there")
    args = parser.parse_args()
    folder = args.root / "simulated-curve"
    folder.mkdir(parents=True, exist_ok=True)
    if not args.tables:
        run(args, folder)
    print_tables(args, folder)


if __name__ == "__main__":
    main()
