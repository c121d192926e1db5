"""What a classifier learns from composites of real dwarfs, and how it goes wrong.

Usage: ``python benchmarks/composites.py [--data FOLDER] [--root FOLDER] [--couples N] [--epochs N]
[--seed N] [--threads N] [--plain]``. FOLDER holds public LAMOST files: ``spectra/`` and
``tables/dr10_stellar_subset.csv``. Trains on composites of some stars and tests on composites of
other stars. ``--plain`` measures the wrong way instead: single spectra as they are against sums.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load

from cluster.connect import connect
from pipeline.ingest.stage import run as ingest
from pipeline.network.augment import augmented
from pipeline.network.examples import simulated_examples
from pipeline.network.loader import Labelled
from pipeline.network.model import PairNet, build_model
from pipeline.network.settings import NetworkSettings
from pipeline.root import Root
from pipeline.sample.composite_block import composite_files, read_stored
from pipeline.sample.composites import exposure, mean_snr, relative_variance, star_light
from pipeline.sample.compositing import run as composites
from pipeline.sample.dwarf_pool import read_pool
from pipeline.sample.split import PARTS
from pipeline.settings import Settings, load_settings
from pipeline.validation.intervals import Estimate, by_star, weighted_auc
from schemas.composites import COMPOSITE_POOL

NETWORK = NetworkSettings(stem_stride=8, channels=(16, 32, 64), blocks=(1, 1, 1), strides=(2, 2, 2))
"""A quarter of the default's arithmetic, so that six trainings take minutes on a CPU."""

COMPONENTS = 60
PENALTY = 3e-3
BATCH = 64
Arrays = dict[str, np.ndarray]


def settings_for(root: Path, data: Path, couples: int, seed: int) -> Settings:
    """F and G dwarfs with S/N above 40; 60 % of the stars train, 30 % test."""
    table = data / "tables" / "dr10_stellar_subset.csv"
    overrides = {
        "ingest.shard_rows": 512, "ingest.chunk_rows": 128, "sample.teff_max_k": 7200,
        "labels.training_fraction": 0.6, "labels.validation_fraction": 0.1, "labels.seed": seed,
        "composites.training_couples": couples, "composites.validation_couples": couples // 8,
        "composites.test_couples": couples // 4, "composites.snr_min": 25, "cluster.workers": 2,
    }  # fmt: skip
    return load_settings(
        None,
        [f"{key}={value}" for key, value in overrides.items()],
        root=root,
        inputs={"spectra": data / "spectra", "catalogue": table},
    )


def read_part(settings: Settings, part: str) -> Arrays:
    blocks = [load(path.read_bytes()) for path in composite_files(Root(settings.root), part)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def with_plain_singles(arrays: Arrays, settings: Settings, part: str) -> Arrays:
    """Replace the twins by their primary's own spectrum, brought to the same S/N: the wrong way."""
    root = Root(settings.root)
    pool = read_pool(root.path / COMPOSITE_POOL.location, part)
    stored = read_stored(root, pool.row, pool.rv_kms)
    rng = np.random.default_rng(0)
    flux_BL = arrays["flux"].copy()
    twins = np.flatnonzero(arrays["label"] == 0)
    first = {star: place for place, star in reversed(list(enumerate(pool.star)))}
    place_B = np.array([first[star] for star in arrays["star"][twins]])
    for start in range(0, len(twins), 256):
        rows, place = (a[start : start + 256] for a in (twins, place_B))
        light = star_light(
            stored.take(place), np.zeros(len(place)), pool.m_g[place], settings.composites,
            settings.spectra,
        )  # fmt: skip
        own_BL = relative_variance(light, settings.spectra)
        factor_B = mean_snr(own_BL, light.bad_BL, settings.spectra) / arrays["snr_g"][rows]
        wanted_BL = (own_BL * np.maximum(factor_B, 1)[:, None] ** 2).astype(np.float32)
        flux_BL[rows] = exposure(light, wanted_BL, rng, settings.spectra).flux_BL
    return arrays | {"flux": flux_BL}


def fit_network(
    training: Labelled,
    validation: Labelled,
    epochs: int,
    *,
    start: PairNet | None = None,
    rate: float = 5e-4,
    shift: int = 0,
    mask: float = 0.0,
) -> PairNet:
    """Train, and keep the epoch of the best validation AUC."""
    model = build_model(NETWORK, training.flux_BL.shape[1], seed=1)
    if start is not None:
        model.load_state_dict(start.state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-2)
    steps = epochs * -(-len(training) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    torch.manual_seed(1)
    best, kept = -1.0, model.state_dict()
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(len(training)).split(BATCH):
            flux_BL, label_B = training.fetch(rows.numpy())
            logit_B = model(augmented(flux_BL, shift, mask))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logit_B, label_B)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        auc = plain_auc(score(model, validation.flux_BL), validation.label_B)
        if auc > best:
            best, kept = auc, {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(kept)
    return model.eval()


def score(model: PairNet, flux_BL: np.ndarray) -> np.ndarray:
    model.eval()
    with torch.inference_mode():
        parts = [
            model(torch.from_numpy(flux_BL[i : i + 256].astype(np.float32)))
            for i in range(0, len(flux_BL), 256)
        ]
    return torch.cat(parts).numpy()


def quadratic_scores(training: Arrays, test: Arrays) -> np.ndarray:
    """Logistic regression on all products of principal components, penalised."""
    mean_L = training["flux"].mean(axis=0, dtype=np.float64).astype(np.float32)
    train_BL, test_BL = (part["flux"].astype(np.float32) - mean_L for part in (training, test))
    torch.manual_seed(1)
    *_, vector_LK = torch.svd_lowrank(torch.from_numpy(train_BL), COMPONENTS + 10, niter=4)
    axes = vector_LK[:, :COMPONENTS].numpy()
    upper = np.triu_indices(COMPONENTS)
    spread = (train_BL @ axes).std(axis=0)

    def features(flux_BL: np.ndarray) -> np.ndarray:
        z = flux_BL @ axes / spread
        return np.concatenate([z, (z[:, :, None] * z[:, None])[:, *upper]], axis=1)

    x, y = features(train_BL), torch.from_numpy(training["label"].astype(np.float32))
    center, width = x.mean(axis=0), x.std(axis=0)
    x_BF = torch.from_numpy((x - center) / width)
    weight = torch.zeros(x.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(x_BF @ weight + bias, y)
        value = value + PENALTY * (weight**2).sum()
        value.backward()
        return value

    optimizer.step(loss)
    return (features(test_BL) - center) / width @ weight.detach().numpy()


def plain_auc(score_B: np.ndarray, label_B: np.ndarray) -> float:
    return weighted_auc(score_B, label_B == 1, np.ones(len(label_B)))


def measured(score_B: np.ndarray, test: Arrays) -> Estimate:
    pair_B = test["label"] == 1
    return by_star(lambda weight: weighted_auc(score_B, pair_B, weight), test["star"], 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "lamost"
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("PAIRSPEC_REAL_DATA", beside))
    )
    parser.add_argument("--root", type=Path, help="keeps the composites for the next run")
    parser.add_argument("--couples", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--plain", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if not (args.data / "spectra").is_dir():
        parser.exit(message=f"nothing measured: no {args.data / 'spectra'}; name it by --data\n")
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(args.root or Path(folder), args.data, args.couples, args.seed)
        begin = time.perf_counter()
        with connect(settings.cluster) as client:
            ingest(settings, client)
            lap("ingest", begin)
            begin = time.perf_counter()
            report = composites(settings, client)
            lap("composites", begin)
        print(*report.lines()[:6], sep="\n")
        training, validation, test = (read_part(settings, part) for part in PARTS)
        if args.plain:
            training, validation, test = (
                with_plain_singles(arrays, settings, part)
                for arrays, part in zip((training, validation, test), PARTS, strict=True)
            )
    real = Labelled(training["flux"], training["label"])
    check = Labelled(validation["flux"], validation["label"])
    for name in ("mass1_msun", "snr_g", "bad_fraction"):
        print(f"{name + ' alone':44} {measured(test[name], test)}")
    run(lambda: quadratic_scores(training, test), "PCA + quadratic logistic regression", test)
    if args.plain:
        run(lambda: score(fit_network(real, check, args.epochs), test["flux"]), "network", test)
        return
    begin = time.perf_counter()
    made = simulated_examples(2 * args.couples, 7, settings.simulate, settings.spectra).spectra
    held = simulated_examples(1000, 8, settings.simulate, settings.spectra).spectra
    lap("simulate", begin)
    begin = time.perf_counter()
    taught = fit_network(made, held, args.epochs)
    lap("train on simulation", begin)
    own = plain_auc(score(taught, held.flux_BL), held.label_B)
    print(f"{'network of simulation on simulation':44} {own:.3f}")
    run(lambda: score(taught, test["flux"]), "network, simulation alone", test)
    both = Labelled(
        np.concatenate([real.flux_BL, made.flux_BL]), np.concatenate([real.label_B, made.label_B])
    )
    variants = {
        "network, from scratch": {},
        "network, from scratch, augmented": {"shift": 2, "mask": 0.1},
        "network, simulation then composites": {"start": taught, "rate": 2e-4},
    }
    for name, options in variants.items():
        run(
            lambda o=options: score(fit_network(real, check, args.epochs, **o), test["flux"]),
            name,
            test,
        )
    run(
        lambda: score(fit_network(both, check, args.epochs // 2), test["flux"]),
        "network, both mixed",
        test,
    )


def run(make, name: str, test: Arrays) -> None:
    begin = time.perf_counter()
    score_B = make()
    bright = test["snr_g"] > 60
    of_bright = measured(score_B[bright], {k: v[bright] for k, v in test.items()})
    columns = f"{measured(score_B, test)}  S/N > 60: {of_bright}"
    print(f"{name:44} {columns}  {time.perf_counter() - begin:.0f} s", flush=True)


def lap(name: str, begin: float) -> None:
    print(f"{name:44} {time.perf_counter() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
