"""What a trained network is worth: a plain loop and the trainer, the same epochs and spectra.

Usage: ``python benchmarks/speed/train_auc.py [--spectra N] [--epochs N] [--seeds N ...]
[--ways NAME ...] [--threads N] [--network JSON]``. Simulated single stars and pairs; every way has
the same network and threads, AdamW with a decay of 1, a cosine from its learning rate, and keeps
the weights of its best epoch by the validation spectra. AUC on others that no choice has seen.
Rates are of the training alone; those of ``train.py`` are less disturbed.
"""

import argparse
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from plain_loop import Plain, plain_epoch
from plain_network import PlainNet
from torch.utils.data import DataLoader

from pipeline.network.examples import simulated_examples
from pipeline.network.loader import Labelled
from pipeline.network.model import build_model
from pipeline.network.scoring import evaluate
from pipeline.network.trainer import train
from pipeline.settings.network import NetworkSettings
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.training import TrainingSettings

N_VALIDATION, N_TEST = 1_500, 6_000
WAYS = {
    "plain loop": (32, 1e-3),
    "trainer": (32, 1e-3),
    "trainer, batch 64, rate 2": (64, 2e-3),
    "trainer, batch 128": (128, 1e-3),
    "trainer, batch 128, rate 2": (128, 2e-3),
    "trainer, batch 128, rate 4": (128, 4e-3),
}


class Parts(NamedTuple):
    """Spectra to train with, to choose the epoch by, and to judge by."""

    training: Labelled
    validation: Labelled
    test: Labelled


class Found(NamedTuple):
    """Spectra per second of the training, and both AUCs."""

    rate: float
    validation_auc: float
    test_auc: float


def plain_loop(
    parts: Parts, network: NetworkSettings, batch: int, rate: float, epochs: int, seed: int
) -> Found:
    torch.manual_seed(seed)
    model = PlainNet(build_model(network, parts.training.flux_BL.shape[1], seed))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1.0)
    data = Plain(parts.training.flux_BL, parts.training.label_B)
    loader = DataLoader(data, batch_size=batch, shuffle=True, drop_last=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, epochs * len(loader), pct_start=0.05
    )
    seconds, best = 0.0, Found(0, 0, 0)
    for _ in range(epochs):
        begin = time.perf_counter()
        plain_epoch(model, loader, optimizer, schedule)
        seconds += time.perf_counter() - begin
        _, reached = evaluate(model, parts.validation)
        if reached > best.validation_auc:
            best = Found(0, reached, evaluate(model, parts.test)[1])
    return best._replace(rate=epochs * len(parts.training) / seconds)


def trainer(
    parts: Parts,
    network: NetworkSettings,
    batch: int,
    rate: float,
    epochs: int,
    seed: int,
    shift: int = 0,
) -> Found:
    settings = TrainingSettings(
        batch_size=batch, learning_rate=rate, schedule="cosine", optimizer="adamw",
        weight_decay=1.0, max_epochs=epochs, patience=epochs, seed=seed, device="cpu",
        threads=torch.get_num_threads(), oversample=False, shift_pixels=shift,
    )  # fmt: skip
    model = build_model(network, parts.training.flux_BL.shape[1], seed)
    with tempfile.TemporaryDirectory() as folder:
        result = train(model, settings, parts.training, parts.validation, Path(folder))
    per_epoch = [1 / record["spectra_per_s"] for record in result.history]
    rate = len(per_epoch) / sum(per_epoch)
    return Found(rate, result.best["validation_auc"], evaluate(result.model, parts.test)[1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spectra", type=int, default=12_000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--network", default="{}", help='sizes, as {"preset": "fast"}')
    parser.add_argument("--shift", type=int, default=0, help="training.shift_pixels of the trainer")
    args = parser.parse_args()
    network = NetworkSettings.model_validate_json(args.network)
    torch.set_num_threads(args.threads)
    n = args.spectra + N_VALIDATION + N_TEST
    whole = simulated_examples(n, 77, SimulateSettings(), SpectraSettings())
    cuts = np.split(np.arange(n), [args.spectra, args.spectra + N_VALIDATION])
    parts = Parts(*(whole.take(rows).spectra for rows in cuts))
    found: dict[str, list[Found]] = {}
    for seed in args.seeds:
        for name in args.ways:
            batch, rate = WAYS[name]
            way = plain_loop if name.startswith("plain") else partial(trainer, shift=args.shift)
            one = way(parts, network, batch, rate, args.epochs, seed)
            found.setdefault(name, []).append(one)
            told = f"{one.rate:.0f}/s, validation {one.validation_auc:.4f}, AUC {one.test_auc:.4f}"
            print(f"{name}, seed {seed}: {told}", flush=True)
    plain = np.mean([one.rate for one in found.get("plain loop", [Found(np.nan, 0, 0)])])
    print("\n| way | batch | learning rate | times the plain loop | validation AUC | AUC |")
    print("|---|---|---|---|---|---|")
    for name, ones in found.items():
        rates, validations, tests = np.transpose(ones)
        each = ", ".join(f"{value:.3f}" for value in tests)
        batch, rate = WAYS[name]
        print(
            f"| {name} | {batch} | {rate:g} | {rates.mean() / plain:.2f} | "
            f"{validations.mean():.3f} | {tests.mean():.3f} ({each}) |"
        )


if __name__ == "__main__":
    main()
