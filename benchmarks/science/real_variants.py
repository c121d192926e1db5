"""What else might help a network with few stars: on real composites of five folds.

Usage: ``python benchmarks/science/real_variants.py --root FOLDER [--data FOLDER] [--folds N]
[--ways NAME ...] [--seeds N ...] [--tables]``. Folds, tests and the quarter network are those of
``real_stars.py`` (every star). Known invariances as augmentation, Teff and mass ratio as further
outputs, weights of single stars by the gain of a second one, the mean over small shifts of a
spectrum. The validation stars choose the epoch; a way is to be chosen by them too.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from composite_fits import QUARTER, fit_epochs, score
from real_data import fold_parser
from real_folds import read_stars, settings_for
from real_pair_fit import evidence_of, training_singles
from real_scores import of_folds, read_columns
from real_stars import Fold, columns_of, folds_of
from real_tables import Q_CLASSIC, bins_of, counts, head, signed
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from pipeline.composites.couples import Composites
from pipeline.network.augment import augmented
from pipeline.network.metrics import auc
from pipeline.network.model import PairNet, build_model
from pipeline.settings.network import NetworkSettings

KNOTS = 16
TARGETS = ("teff_k", "teff2_k", "mass_ratio")


@dataclass(frozen=True)
class Way:
    """How a network is trained and asked.

    `tilt` is the scatter of a curve through knots that the flux is multiplied with, `broaden` the
    largest share of a pixel's flux that goes to its neighbours, `targets` the weight of the further
    outputs, `asked` the shifts in pixels over which the log-odds are averaged, `between` shifts by
    parts of a pixel.
    """

    title: str
    tilt: float = 0.0
    broaden: float = 0.0
    shift: int = 0
    targets: float = 0.0
    weighed: bool = False
    asked: tuple[int, ...] = (0,)
    between: bool = False
    network: NetworkSettings = QUARTER


ASKED = (-1, 0, 1)

WAYS = {
    "plain": Way("as it is"),
    "tilt": Way("curves of 1 % in the continuum", tilt=0.01),
    "broaden": Way("broadened by up to 0.7 pixels", broaden=0.5),
    "shift": Way("shifted by up to a pixel", shift=1),
    "targets": Way("Teff of both stars and mass ratio as outputs, weight 0.1", targets=0.1),
    "targets-more": Way("the same, weight 0.5", targets=0.5),
    "weighed": Way("stars weighed by 1 / (1 + gain / g90)", weighed=True),
    "plain-asked": Way("as it is, mean over shifts by a pixel", asked=ASKED),
    "shift-asked": Way("shifted, mean over shifts by a pixel", shift=1, asked=ASKED),
    "between": Way("shifted by up to a pixel, and by parts of it", shift=1, between=True),
    "between-asked": Way(
        "the same, mean over shifts by a pixel", shift=1, between=True, asked=ASKED
    ),
    "small-asked": Way("`small`", shift=1, asked=ASKED, network=NetworkSettings(preset="small")),
    "light-asked": Way("`light`", shift=1, asked=ASKED, network=NetworkSettings()),
    "fast-asked": Way("`fast`", shift=1, asked=ASKED, network=NetworkSettings(preset="fast")),
}


def trained_as(name: str) -> str:
    """Return the way whose network a way asks."""
    return name.removesuffix("-asked")


@dataclass(frozen=True)
class Given:
    """Composites of a fold; weights and further targets of the training ones."""

    training: Composites
    held: Composites
    weight_B: torch.Tensor
    target_BT: torch.Tensor


def given_by(fold: Fold) -> Given:
    """Make what all ways train with."""
    training = fold.composites("training", fold.couples, every=True, like=False)
    target_BT = np.stack([training.truth[name] for name in TARGETS], axis=1)
    target_BT = (target_BT - target_BT.mean(axis=0)) / target_BT.std(axis=0)
    star_S, weight_S = star_weights(fold)
    found_B = [weight_S[np.searchsorted(star_S, star)] for star in (training.star_B,
               training.star2_B)]  # fmt: skip
    weight_B = np.prod(found_B, axis=0)
    return Given(
        training, fold.held(),
        torch.from_numpy((weight_B / weight_B.mean()).astype(np.float32)),
        torch.from_numpy(target_BT.astype(np.float32)),
    )  # fmt: skip


def star_weights(fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Weigh each training star by how much better two stars fit its spectra than one."""
    singles = training_singles(fold)
    gain_B = evidence_of(singles, fold).gain(singles.flux_BL)
    star_S, place_B = np.unique(singles.star_B, return_inverse=True)
    gain_S = np.bincount(place_B, gain_B) / np.bincount(place_B)
    return star_S, 1 / (1 + gain_S.clip(0) / np.quantile(gain_S, 0.9))


def changed(flux_BL: torch.Tensor, way: Way) -> torch.Tensor:
    """Change spectra by what says nothing about a second star."""
    if way.between:
        share_B1 = torch.rand(len(flux_BL), 1)
        flux_BL = torch.lerp(flux_BL, flux_BL.roll(1, 1), share_B1)
    flux_BL = augmented(flux_BL, way.shift, 0.0, 0.02)
    if way.tilt:
        curve_BK = 1 + way.tilt * torch.randn(len(flux_BL), 1, KNOTS)
        size = flux_BL.shape[1]
        flux_BL = flux_BL * torch.nn.functional.interpolate(
            curve_BK, size, mode="linear", align_corners=True
        ).squeeze(1)
    if way.broaden:
        share_B1 = way.broaden * torch.rand(len(flux_BL), 1)
        beside_BL = (flux_BL.roll(1, 1) + flux_BL.roll(-1, 1)) / 2
        flux_BL = torch.lerp(flux_BL, beside_BL, share_B1)
    return flux_BL


def fit(given: Given, way: Way, epochs: int, seed: int) -> PairNet:
    """Train as ``composite_fits.fit_network`` does."""
    training, held = given.training, given.held
    model = build_model(way.network, training.flux_BL.shape[1], seed=seed)
    if way.targets:
        torch.manual_seed(seed)
        model.head[-1] = torch.nn.Linear(way.network.hidden[-1], 1 + len(TARGETS))
    flux_BL, label_B = torch.from_numpy(training.flux_BL), torch.from_numpy(training.label_B)

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        out = model(changed(flux_BL[rows].float(), way))
        weight_B = given.weight_B[rows] if way.weighed else None
        logit_B = out[:, 0] if way.targets else out
        loss = binary_cross_entropy_with_logits(logit_B, label_B[rows].float(), weight_B)
        if way.targets:
            loss = loss + way.targets * mse_loss(out[:, 1:], given.target_BT[rows])
        return loss

    def reached() -> float:
        return auc(logit(model, held.flux_BL), held.label_B)

    return fit_epochs(model, len(label_B), loss_of, reached, epochs, seed=seed)


def logit(model: PairNet, flux_BL: np.ndarray, asked: tuple[int, ...] = (0,)) -> np.ndarray:
    """Log-odds of each spectrum, the mean over some shifts."""
    found = [score(model, np.roll(flux_BL, pixels, axis=1)) for pixels in asked]
    return np.mean([one.reshape(len(flux_BL), -1)[:, 0] for one in found], axis=0)


def run_fold(fold: Fold, folder: Path, epochs: int, ways: list[str], seeds: list[int]) -> None:
    """Score the test of a fold in all ways that are not kept yet."""
    missing = [
        (name, seed) for seed in seeds for name in ways
        if not kept_file(folder, name, seed, fold.number).exists()
    ]  # fmt: skip
    if not missing:
        return
    given, test = given_by(fold), fold.tests()["classic"]
    np.savez(folder / f"classic-{fold.number}.npz", **columns_of(test, fold.number))
    networks: dict[tuple[str, int], PairNet] = {}
    for name, seed in missing:
        begin, network = time.process_time(), (trained_as(name), seed)
        if network not in networks:
            networks[network] = fit(given, WAYS[name], epochs, seed)
        held_B, test_B = (
            logit(networks[network], one.flux_BL, WAYS[name].asked) for one in (given.held, test)
        )
        reached = auc(held_B, given.held.label_B)
        np.savez(kept_file(folder, name, seed, fold.number), validation=reached, classic=test_B)
        seconds = time.process_time() - begin
        print(
            f"fold {fold.number}, {name}, seed {seed}: {reached:.3f}, {seconds:.0f} s", flush=True
        )


def kept_file(folder: Path, name: str, seed: int, fold: int) -> Path:
    return folder / f"{name}-{seed}-{fold}.npz"


def print_tables(folder: Path, folds: int, ways: list[str], seeds: list[int]) -> None:
    """Print validation and test of all ways, and what each adds to the first."""
    columns = read_columns(folder, "classic", folds)
    _, bins = next(bins_of(columns, Q_CLASSIC))
    print(f"\n{head(bins, 'training', 'validation')}")
    first = None
    for name in ways:
        kept = [[np.load(kept_file(folder, name, seed, k)) for seed in seeds] for k in range(folds)]
        test = of_folds([np.stack([one["classic"] for one in fold]) for fold in kept], columns)
        if first is None:
            print(counts(test, bins, ""))
            first = test
        held = np.mean([[float(one["validation"]) for one in fold] for fold in kept])
        print(test.row(f"{WAYS[name].title} | {held:.3f}", bins), flush=True)
        if test is not first:
            less = signed(test.less(first, bins[0][1]))
            print(f"| {WAYS[name].title}, less the first | | {less} |", flush=True)


def main() -> None:
    parser = fold_parser(__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--tables", action="store_true", help="print what is there")
    args = parser.parse_args()
    folder = args.root / "variants"
    folder.mkdir(parents=True, exist_ok=True)
    if not args.tables:
        settings = settings_for(args.root, args.data, [])
        stars, tested = read_stars(settings)
        for fold in folds_of(stars, tested, settings, args):
            run_fold(fold, folder, args.epochs, args.ways, args.seeds)
    print_tables(folder, args.folds, args.ways, args.seeds)


if __name__ == "__main__":
    main()
