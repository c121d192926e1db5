"""Training: a plain PyTorch loop and the trainer with one and two ranks, on the same arrays.

Usage: ``python benchmarks/speed/train.py [--spectra N] [--rounds N] [--presets NAME ...]``. The
plain loop is what a user would write: a Dataset over a float16 file, a DataLoader, Adam, float32,
all cores for one process. The trainer's figures are those of its own log, without the evaluation.
Rounds are interleaved, so that a busy machine hits all alike; rates are medians. The last columns
are the ratios to the plain loop with batches of either size, which trains the same network.
"""

import argparse
import os
import statistics
import tempfile
import time
from itertools import product as product_of
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from plain_loop import Plain, plain_epoch
from plain_network import PlainNet
from rates import Rate, keep
from torch.utils.data import DataLoader

from cluster.connect import connect
from cluster.gang import GangOptions, run_gang
from cluster.rank import Rank
from cluster.settings import ClusterSettings
from pipeline.network.loader import Labelled
from pipeline.network.model import build_model, flop_count
from pipeline.network.trainer import train
from pipeline.settings.network import NetworkSettings, Preset
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.training import TrainingSettings
from pipeline.spectra.grid import WaveGrid

SIZES = (32, 128)
N_PIXEL = WaveGrid.from_settings(SpectraSettings()).n_pixel


def network(preset: str) -> NetworkSettings:
    return NetworkSettings.model_validate({"preset": preset})


def plain_rate(folder: Path, batch_size: int, preset: str) -> float:
    model = PlainNet(build_model(network(preset), N_PIXEL, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    data = Plain(np.load(folder / "flux.npy", mmap_mode="r"), np.load(folder / "label.npy"))
    batches = DataLoader(data, batch_size=batch_size, shuffle=True)
    begin = time.perf_counter()
    plain_epoch(model, batches, optimizer)
    return len(data) / (time.perf_counter() - begin)


def train_epoch(
    rank: Rank, folder: Path, out: Path, settings: TrainingSettings, preset: str
) -> float:
    flux = np.load(folder / "flux.npy", mmap_mode="r")
    part = Labelled(flux, np.load(folder / "label.npy"))
    few = Labelled(flux[:64], part.label_B[:64])
    model = build_model(network(preset), N_PIXEL, 1)
    result = train(model, settings, part, few, out, rank=rank.number, world=rank.world)
    return result.history[-1]["spectra_per_s"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spectra", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--presets", nargs="+", default=["light"], choices=get_args(Preset))
    parser.add_argument("--keep", action="store_true", help="write the result file")
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    base = TrainingSettings(
        max_epochs=1, patience=1, oversample=False, device="cpu", shift_pixels=0
    )  # as the plain loop
    ways = {
        f"1 rank, {cores} threads": (1, cores, True),
        "1 rank, 1 thread": (1, 1, True),
        "2 ranks, 1 thread each": (2, 1, True),
        "2 ranks, norms apart": (2, 1, False),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rng = np.random.default_rng(0)
        flux = 1 + 0.1 * rng.standard_normal((args.spectra, N_PIXEL), dtype=np.float32)
        np.save(folder / "flux.npy", flux.astype(np.float16))
        np.save(folder / "label.npy", (rng.random(args.spectra) < 0.5).astype(np.int8))
        rates: dict[tuple[str, str], list[float]] = {}
        product: list[float] = []
        with connect(ClusterSettings(workers=2)) as client:
            for number in range(args.rounds):
                a, b = torch.randn(2, 1024, 1024)
                begin = time.perf_counter()
                for _ in range(10):
                    a @ b
                product.append(10 * 2 * 1024**3 / (time.perf_counter() - begin))
                for preset, size in product_of(args.presets, SIZES):
                    plain = plain_rate(folder, size, preset)
                    rates.setdefault((preset, f"plain loop, batch {size}"), []).append(plain)
                    for way, (ranks, threads, together) in ways.items():
                        update = {"threads": threads, "batch_size": size}
                        update["synchronise_norms"] = together
                        out = folder / f"{number}-{preset}-{size}-{way}"
                        rate = run_gang(
                            client,
                            train_epoch,
                            folder,
                            out,
                            base.model_copy(update=update),
                            preset,
                            options=GangOptions(ranks=ranks, backend="cpu"),
                            notify=print,
                        )[0]
                        rates.setdefault((preset, f"{way}, batch {size}"), []).append(rate)
    if args.keep:
        keep(__file__, kept_rates(rates, args.presets, cores, args.spectra))
    for preset in args.presets:
        mine = {way: found for (name, way), found in rates.items() if name == preset}
        show(preset, mine, statistics.median(product))


def kept_rates(
    rates: dict[tuple[str, str], list[float]], presets: list[str], cores: int, n: int
) -> list[Rate]:
    found = []
    for preset, size in product_of(presets, SIZES):
        ours = rates[preset, f"1 rank, {cores} threads, batch {size}"]
        for peer in SIZES:
            theirs = f"plain loop, batch {peer}"
            what = f"train `{preset}`, batch {size}, {cores} threads"
            found.append(
                Rate(what, f"{n:,} spectra", "spectra/s", ours, theirs, rates[preset, theirs])
            )
    return found


def show(preset: str, rates: dict[str, list[float]], peak: float) -> None:
    # Backward is twice forward.
    flop = 3 * flop_count(build_model(network(preset), N_PIXEL))
    plain = {size: statistics.median(rates[f"plain loop, batch {size}"]) for size in SIZES}
    print(f"\nnetwork {preset}: {flop / 1e6:.0f} MFLOP a spectrum; ", end="")
    print(f"matrix product {peak / 1e9:.0f} GFLOP/s")
    print(f"{'':36}{'spectra/s':>10}{'of matmul':>11}" + "".join(f"{f'x {s}':>9}" for s in SIZES))
    for way, found in rates.items():
        rate = statistics.median(found)
        ratios = "".join(f"{rate / plain[size]:9.2f}" for size in SIZES)
        print(f"{way:36}{rate:10.0f}{rate * flop / peak:11.0%}{ratios}")


if __name__ == "__main__":
    main()
