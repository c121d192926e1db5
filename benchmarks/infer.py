"""The network alone: a plain PyTorch loop beside the predictor.

Usage: ``python benchmarks/infer.py [--spectra N] [--threads N] [--rounds N]``. Rounds are
interleaved, so that a busy machine hits all alike, and rates are medians. Rates a core-second
count the processor time that was really given; rates a second are what a user waits for.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from pipeline.network.checkpoint import ModelCard, save_model
from pipeline.network.model import PairNet, build_model, flop_count, parameter_count
from pipeline.network.predictor import Predictor
from pipeline.network.settings import InferSettings, NetworkSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.settings import SpectraSettings


def plain_loop(model: PairNet, flux_BL: np.ndarray, batch_size: int) -> np.ndarray:
    """Predict as a user would write it."""
    loader = DataLoader(TensorDataset(torch.from_numpy(flux_BL)), batch_size=batch_size)
    model.eval()
    with torch.no_grad():
        return torch.cat([torch.sigmoid(model(batch_BL)) for (batch_BL,) in loader]).numpy()


def random_model(n_pixel: int) -> PairNet:
    """Build a network whose every layer matters, as in a trained one."""
    model = build_model(NetworkSettings(), n_pixel)
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
    for _ in range(20):  # fills the running means
        model.train()(1 + 0.1 * torch.randn(16, n_pixel))
    return model.eval()


def timed(call: Callable[[], object]) -> tuple[float, float]:
    wall, cores = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectra", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)

    spectra = SpectraSettings()
    model = random_model(WaveGrid.from_settings(spectra).n_pixel)
    rng = np.random.default_rng(0)
    flux_BL = (1 + 0.1 * rng.standard_normal((args.spectra, model.n_pixel))).astype(np.float32)
    calls = {
        f"plain loop, batch {b}": (lambda b=b: plain_loop(model, flux_BL, b)) for b in (64, 256)
    }
    notes = []
    with tempfile.TemporaryDirectory() as folder:
        card = ModelCard(
            network=model.settings, n_pixel=model.n_pixel, spectra=spectra, data="", split_seed=0
        )
        path = save_model(Path(folder), model, card)
        for precision in ("float32", "bfloat16"):
            for size in (16, 32, 64, 128, 256):
                settings = InferSettings(precision=precision, batch_size=size)
                predictor = Predictor(path, None, settings)
                if precision == "bfloat16" and predictor.dtype != torch.bfloat16:
                    notes.append("bfloat16: not in this hardware, where float32 is used instead")
                    break
                name = f"predictor {precision}, batch {size}"
                calls[name] = lambda p=predictor: p.predict(flux_BL)[1]

    a, b = torch.randn(2, 1024, 1024)
    matmul: list[tuple[float, float]] = []
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    expected_B = plain_loop(model, flux_BL, 256)
    difference = {name: np.abs(call() - expected_B).max() for name, call in calls.items()}
    for _ in range(args.rounds):
        matmul.append(timed(lambda: [a @ b for _ in range(5)]))
        for name, call in calls.items():
            times[name].append(timed(call))

    flop = flop_count(model)
    peak = 5 * 2 * 1024**3 / statistics.median(cores for _, cores in matmul) / 1e9
    print(
        f"{parameter_count(model) / 1e6:.2f} M parameters, {flop / 1e6:.1f} MFLOP a spectrum, "
        f"{torch.get_num_threads()} threads; product of 1024 x 1024 float32 matrices: "
        f"{peak:.0f} GFLOP/s a core"
    )
    print(f"{'':32}{'spectra/s':>10}{'/core-s':>9}{'of matmul':>11}{'max |dp_b|':>12}")
    for name, pairs in times.items():
        wall, cores = (statistics.median(column) for column in zip(*pairs, strict=True))
        rate = args.spectra / cores
        print(
            f"{name:32}{args.spectra / wall:10.0f}{rate:9.0f}{rate * flop / 1e9 / peak:11.0%}"
            f"{difference[name]:12.1e}"
        )
    print(*notes, sep="\n")


if __name__ == "__main__":
    main()
