"""What classifiers of real stars reach: every usable star, new stars, the test like the labels.

Usage: ``python benchmarks/science/real_stars.py --root FOLDER [--data FOLDER] [--folds N] [--ways
NAME ...] [--tables]``. Scores are kept in ``--root``, so a run that was stopped goes on. Tested
stars, S/N and folds are as in ``composites.py``; a tenth of the stars of a fold, never of the test,
decides which epoch counts. ``--tables`` only prints.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from composite_fits import QUARTER, fit_network, quadratic_scores, score
from composite_folds import Arrays
from label_like import label_couples, population
from real_data import fold_parser
from real_folds import Draw, Stars, made, parts_of, read_stars, settings_for
from real_scores import read_columns, read_scores
from real_tables import COOL_K, COOL_TITLE, Q_CLASSIC, Q_LABEL, bins_of, counts, head
from windowed_pca import Windows, fit_mlp, mlp_logit

from pipeline.composites.couples import Composites
from pipeline.composites.pairing import Couples, draw_couples
from pipeline.composites.pool import Pool
from pipeline.network.loader import Labelled
from pipeline.settings.load import Settings

SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Way:
    """How to train.

    Parameters
    ----------
    name : str
        In words.
    model : str
        ``mlp``, ``pca`` or ``network``.
    every : bool
        Train with every usable star, else with the bright ones of the DR10 catalogue.
    vary : bool
        Train with new stars.
    like : bool
        Train with couples like the labels, else of mass ratio 0.71-0.93.
    n_stars : int
        Most stars to train with; 0 all.
    seed : int
        Of the network; the MLP has all of `SEEDS`.
    """

    name: str
    model: str = "mlp"
    every: bool = False
    vary: bool = False
    like: bool = False
    n_stars: int = 0
    seed: int = 1


MLP = "windowed-PCA MLP"
WAYS = {
    "pca": Way("PCA + quadratic logistic regression", model="pca"),
    "pca-vary": Way("the same, new stars", model="pca", vary=True),
    "mlp": Way(MLP),
    "mlp-vary": Way(f"{MLP}, new stars", vary=True),
    "every": Way(f"{MLP}, every star", every=True),
    "every-vary": Way(f"{MLP}, every star, new stars", every=True, vary=True),
    "pca-every-vary": Way("PCA + regression, every star, new stars", "pca", every=True, vary=True),
    "like": Way(f"{MLP}, every star, couples like the labels", every=True, like=True),
    "like-vary": Way(f"{MLP}, every star, new stars, like the labels", every=True, vary=True,
                     like=True),
    **{
        f"curve-{n}": Way(f"{MLP}, {n} stars, new stars", every=True, vary=True, n_stars=n)
        for n in (100, 150, 200, 300, 400)
    },
    **{
        f"plain-{n}": Way(f"{MLP}, {n} stars", every=True, n_stars=n)
        for n in (100, 150, 200, 300, 400)
    },
    "network": Way("the network", model="network"),
    "network-every": Way("the network, every star", "network", every=True),
    **{
        f"network-every-{n}": Way(f"the network, every star, seed {n}", "network", every=True,
                                  seed=n)
        for n in (2, 3)
    },
    "network-every-vary": Way("the network, every star, new stars", "network", every=True,
                              vary=True),
}  # fmt: skip


@dataclass(frozen=True)
class Fold:
    """Stars of one fold by part, and the composites of its tests."""

    number: int
    stars: Stars
    part: np.ndarray
    bright: np.ndarray
    settings: Settings
    couples: int

    def of(self, part: str, *, every: bool) -> Stars:
        """Stars of one part."""
        return self.stars.take((self.part == part) & (self.bright | every))

    def composites(
        self, part: str, n: int, *, every: bool, like: bool, vary: bool = False, n_stars: int = 0
    ) -> Composites:
        """Couples of one part."""
        stars = self.of(part, every=every or like)
        if n_stars:
            stars = stars.some(n_stars, self.number)
        draw: Draw = partial(classic, settings=self.settings)
        if like:
            draw = partial(labelled, settings=self.settings)
        seed = 100 * self.number + ("training", "validation", "test").index(part)
        return made(stars, n, draw, self.settings, seed, vary=vary)

    def held(self) -> Composites:
        """Couples of every validation star."""
        return self.composites("validation", self.couples // 8, every=True, like=False)

    def tests(self) -> dict[str, Composites]:
        """Couples of the test stars: of mass ratio 0.71-0.93 against twins, and like the labels."""
        n = self.couples // 4
        return {
            "classic": self.composites("test", n, every=False, like=False),
            "label": self.composites("test", n, every=True, like=True),
        }


def folds_of(
    stars: Stars, tested: np.ndarray, settings: Settings, args: argparse.Namespace
) -> Iterator[Fold]:
    """Yield the folds that are asked for."""
    for number in range(args.folds):
        part, bright = parts_of(stars.pool, tested, number, 1)
        yield Fold(number, stars, part, bright, settings, args.couples)


def classic(rng: np.random.Generator, n: int, pool: Pool, settings: Settings) -> Couples:
    """Twins against mass ratios 0.71-0.93."""
    return draw_couples(rng, n, pool.mass_msun, pool.feh, pool.star, settings.composites)


def labelled(rng: np.random.Generator, n: int, pool: Pool, settings: Settings) -> Couples:
    """Both bands of the photometric label."""
    found = population(rng, pool, settings.composites, settings.labels)
    shares = ", ".join(f"{share:.3f}" for share in found.share_Q)
    print(
        f"  band of binaries: shares by q {shares}; companions for {found.made:.2f} of the pairs; "
        f"single stars {found.contamination:.2f}",
        flush=True,
    )
    return label_couples(rng, n, pool, found)


@dataclass(frozen=True)
class Examples:
    """Composites to train with and to choose by."""

    training: Composites
    held: Composites


def examples(way: Way, fold: Fold) -> Examples:
    """Make what a way trains with."""
    training = fold.composites(
        "training", fold.couples, every=way.every, like=way.like, vary=way.vary,
        n_stars=way.n_stars,
    )  # fmt: skip
    held = fold.composites("validation", fold.couples // 8, every=way.every, like=way.like)
    return Examples(training, held)


def scores(way: Way, given: Examples, tests: dict[str, Composites], epochs: int) -> Arrays:
    """Train with every seed; scores of each test, (S, B)."""
    training, held = given.training, given.held
    flux_BL = np.concatenate([test.flux_BL for test in tests.values()])
    if way.model == "pca":
        data = {"flux": training.flux_BL, "label": training.label_B}
        found = [quadratic_scores(data, {"flux": flux_BL})]
    elif way.model == "network":
        asked = Labelled(held.flux_BL, held.label_B)
        data_of = Labelled(training.flux_BL, training.label_B)
        network = fit_network(data_of, asked, epochs, QUARTER, noise=0.02, seed=way.seed)
        found = [score(network, flux_BL)]
    else:
        windows = Windows.fit(training.flux_BL)
        x, asked_x, test_x = (
            windows.features(each) for each in (training.flux_BL, held.flux_BL, flux_BL)
        )
        found = [
            mlp_logit(fit_mlp(x, training.label_B, asked_x, held.label_B, seed=seed), test_x)
            for seed in SEEDS
        ]
    ends = np.cumsum([len(test) for test in tests.values()])[:-1]
    return dict(zip(tests, np.split(np.stack(found), ends, axis=1), strict=True))


def made_for(way: Way) -> tuple[bool, bool, bool, int]:
    """Return what the examples of a way depend on."""
    return way.every, way.vary, way.like, way.n_stars


def columns_of(test: Composites, number: int) -> Arrays:
    """Return what the tables need of the composites of a test."""
    names = ("snr_g", "teff_k", "mass_ratio", "mass1_msun", "bad_fraction")
    return {
        "label": test.label_B,
        "star": test.star_B,
        "star2": test.star2_B,
        "fold": np.full(len(test), number),
        **{name: test.truth[name] for name in names},
    }


def run_fold(fold: Fold, ways: list[str], folder: Path, epochs: int) -> None:
    """Make the tests of a fold, and all scores that are not kept yet."""
    missing = [w for w in ways if not (folder / f"{w}-{fold.number}.npz").exists()]
    if not missing:
        return
    tests = fold.tests()
    for name, test in tests.items():
        np.savez(folder / f"{name}-{fold.number}.npz", **columns_of(test, fold.number))
    # Ways that differ in the model alone follow each other and share their examples.
    same, given = None, None
    for way in sorted(missing, key=lambda name: str(made_for(WAYS[name]))):
        begin = time.perf_counter()
        if given is None or same != made_for(WAYS[way]):
            same, given = made_for(WAYS[way]), examples(WAYS[way], fold)
        found = scores(WAYS[way], given, tests, epochs)
        np.savez(folder / f"{way}-{fold.number}.npz", **found)
        print(f"fold {fold.number}: {way}, {time.perf_counter() - begin:.0f} s", flush=True)


def keep_shares(pool: Pool, settings: Settings, folder: Path) -> None:
    """Keep the mass ratios that the label's band of binaries has in the population."""
    rng = np.random.default_rng(1)
    titles = {"q": np.inf, COOL_TITLE: COOL_K}
    found = {
        title: population(rng, pool.take(pool.teff_k < hottest), settings.composites,
                          settings.labels).share_Q
        for title, hottest in titles.items()
    }  # fmt: skip
    np.savez(folder / "shares.npz", **found)


def print_tables(ways: list[str], folds: int, folder: Path) -> None:
    """Print both tests, for the ways that all folds have."""
    shares = dict(np.load(folder / "shares.npz"))
    if not ways:
        return
    done = [w for w in ways if all((folder / f"{w}-{k}.npz").exists() for k in range(folds))]
    for name, edges in (("classic", Q_CLASSIC), ("label", Q_LABEL)):
        tests = {way: read_scores(folder, way, name, folds) for way in done}
        for title, bins in bins_of(read_columns(folder, name, folds), edges):
            print(f"\n{name}, by {title}\n")
            print(head(bins, "classifier"))
            print(counts(next(iter(tests.values())), bins))
            for way, test in tests.items():
                print(test.row(WAYS[way].name, bins), flush=True)
            if name == "label" and title in shares:
                print(f"\nat the population's mass ratios: {np.round(shares[title], 3)}\n")
                for way, test in tests.items():
                    mixed = test.mixed([rows for _, rows in bins[1:]], shares[title])
                    print(f"| {WAYS[way].name} | {mixed} |", flush=True)


def main() -> None:
    parser = fold_parser(__doc__, couples=10_000)
    parser.add_argument("--epochs", type=int, default=6, help="of the network")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="NAME")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--tables", action="store_true", help="print what is there")
    args = parser.parse_args()
    folder = args.root / "scores"
    folder.mkdir(parents=True, exist_ok=True)
    if not args.tables:
        if not (args.data / "inventory.csv").is_file():
            parser.error(f"{args.data} has no inventory.csv: name the folder by --data")
        settings = settings_for(args.root, args.data, args.set)
        stars, tested = read_stars(settings)
        pool = stars.pool
        print(f"{np.unique(pool.star[tested]).size} tested of {np.unique(pool.star).size} stars")
        keep_shares(pool, settings, folder)
        for fold in folds_of(stars, tested, settings, args):
            run_fold(fold, args.ways, folder, args.epochs)
    print_tables(args.ways, args.folds, folder)


if __name__ == "__main__":
    main()
