"""From files to p_b, and the network alone: a plain loop compared with ours.

Usage: ``python benchmarks/speed/infer.py [--files FOLDER] [--spectra N] [--rounds N] [--workers
N] [--presets NAME ...]``.

FOLDER holds LAMOST files (default: ``$PAIRSPEC_REAL_DATA/spectra``; without, files are simulated).
The plain loop is what a user would write: astropy, ``np.interp``, the continuum as a dense float32
product, the eager float32 network; one process per core, at its best batch size. Ours is the
reader, ``network_input`` and the predictor, one worker per core. Rounds are interleaved, so that
a busy machine slows all alike; the best round of every way counts. Of several presets each is
compared with the plain loop of its own network, and with that of the first. Rates per core-second
use the processor time; rates per second the wall time.
"""

import argparse
import os

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # one process per core

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from infer_ways import (
    SPECTRA,
    Outcome,
    matmul,
    our_files,
    our_network,
    plain_files,
    plain_network,
)
from rates import Rate, keep

from cluster.connect import connect
from pipeline.network.card import ModelCard
from pipeline.network.checkpoint import save_model
from pipeline.network.device import computes_bfloat16
from pipeline.network.model import build_model, flop_count, parameter_count
from pipeline.settings.infer import InferSettings
from pipeline.settings.load import load_settings
from pipeline.settings.network import NetworkSettings, Preset
from pipeline.spectra.grid import WaveGrid
from pipeline.stages import run_stage

PLAIN_BATCHES = (64, 128, 256)


@dataclass
class Way:
    """One way, as one call per process, and the rates of its rounds; the best one counts."""

    name: str
    calls: list[Callable[[], Outcome]]
    n: int
    rates: list[tuple[float, float]] = field(default_factory=list)
    part_s: dict[str, float] = field(default_factory=dict)
    p_b_B: np.ndarray | None = None

    def run(self, pool: ProcessPoolExecutor) -> None:
        """Run one round."""
        begin = time.perf_counter()
        outcomes = [future.result() for future in [pool.submit(call) for call in self.calls]]
        wall_s = time.perf_counter() - begin
        self.p_b_B = np.empty(self.n, np.float32)
        for start, outcome in enumerate(outcomes):  # each call has every k-th spectrum
            self.p_b_B[start :: len(outcomes)] = outcome.p_b_B
        cpu_s = sum(outcome.cpu_s for outcome in outcomes)
        self.rates.append((self.n / wall_s, self.n / cpu_s))
        if self.rates[-1][1] == self.per_core_s:
            parts = outcomes[0].part_s
            self.part_s = {name: sum(o.part_s[name] for o in outcomes) for name in parts}

    @property
    def per_s(self) -> float:
        """Spectra per second of wall time."""
        return max(per_s for per_s, _ in self.rates)

    @property
    def per_core_s(self) -> float:
        """Spectra per second of processor time."""
        return max(per_core_s for _, per_core_s in self.rates)


def untrained(folder: Path, preset: str) -> tuple[Path, int]:
    """Save a network whose every layer matters, as in a trained one; its FLOP per spectrum."""
    network = NetworkSettings.model_validate({"preset": preset})
    model = build_model(network, WaveGrid.from_settings(SPECTRA).n_pixel)
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
    for _ in range(20):  # fills the running means
        model.train()(1 + 0.1 * torch.randn(16, model.n_pixel))
    card = ModelCard(
        network=model.settings, n_pixel=model.n_pixel, spectra=SPECTRA, data="", split_seed=0
    )
    print(f"network {preset}: {parameter_count(model) / 1e6:.2f} M parameters, ", end="")
    print(f"{flop_count(model) / 1e6:.1f} MFLOP a spectrum")
    return save_model(folder, model.eval(), card), flop_count(model)


def fits_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.fits*") if path.is_file())


def simulated(scratch: Path) -> Path:
    """Simulate files; return their folder."""
    folder = scratch / "survey" / "spectra"
    # Without broken files, on which a plain loop stops.
    survey = {"n_stars": 800, "out": folder.parent, "survey": {"broken_fraction": 0}}
    settings = load_settings(None, [], simulate=survey)
    with connect(settings.cluster) as client:
        run_stage("simulate", settings, client)
    return folder


def dealt(items: list, workers: int) -> list[list]:
    return [items[start::workers] for start in range(workers)]


def file_ways(paths: list[Path], model: Path, workers: int, settings: InferSettings) -> list[Way]:
    plain = [
        Way(
            f"plain, batch {batch}",
            [partial(plain_files, some, model, batch) for some in dealt(paths, workers)],
            len(paths),
        )
        for batch in (32, 128)
    ]
    ours = [
        Way(
            f"ours, {n} worker(s)",
            [partial(our_files, some, model, settings) for some in dealt(paths, n)],
            len(paths),
        )
        for n in range(1, workers + 1)
    ]
    return plain + ours


def network_ways(flux: Path, n: int, model: Path, workers: int, precisions: list[str]) -> list[Way]:
    cuts = [slice(start, n, workers) for start in range(workers)]
    ways = []
    for batch in PLAIN_BATCHES:
        whole = partial(plain_network, flux, slice(0, n), model, batch, workers)
        ways.append(Way(f"plain, 1 process of {workers} threads, batch {batch}", [whole], n))
    for batch in PLAIN_BATCHES:
        calls = [partial(plain_network, flux, cut, model, batch, 1) for cut in cuts]
        ways.append(Way(f"plain, {workers} processes, batch {batch}", calls, n))
    for precision in precisions:
        for fuse, size in ((False, 64), (True, 32), (True, 64), (True, 128)):
            settings = InferSettings(precision=precision, batch_size=size, fuse=fuse)
            name = f"ours, {workers} workers, {precision}{'' if fuse else ' eager'}, batch {size}"
            ways.append(
                Way(name, [partial(our_network, flux, cut, model, settings) for cut in cuts], n)
            )
    return ways


def measure(ways: list[Way], pool: ProcessPoolExecutor, rounds: int) -> None:
    for _ in range(rounds + 1):  # the first round reads models and warms up
        for way in ways:
            way.run(pool)


def plain_ways(ways: list[Way]) -> list[Way]:
    return [way for way in ways if way.name.startswith("plain")]


def show_against(ways: list[Way], others: list[Way], names: tuple[str, str]) -> None:
    """Compare our best with the plain loops of another network."""
    ours, plain = [w for w in ways if w not in plain_ways(ways)], plain_ways(others)
    seconds = max(w.per_s for w in ours) / max(w.per_s for w in plain)
    core_s = max(w.per_core_s for w in ours) / max(w.per_core_s for w in plain)
    print(
        f"ours with {names[0]} against the plain loop with {names[1]}: {seconds:.2f} x per second, "
        f"{core_s:.2f} x per core-second"
    )


def kept_rates(what: str, ways: dict[str, list[Way]]) -> list[Rate]:
    """Compare the best way of each preset with the best plain loops of it and of the first."""
    found = []
    first, *_ = ways
    for name, some in ways.items():
        ours = max((w for w in some if w not in plain_ways(some)), key=lambda w: w.per_s)
        for peer in dict.fromkeys((name, first)):
            plain = max(plain_ways(ways[peer]), key=lambda w: w.per_s)
            for number, unit in enumerate(("spectra/s", "spectra/core-s")):
                # The first round reads models and warms up.
                mine, other = ([rate[number] for rate in w.rates[1:]] for w in (ours, plain))
                peer_name = f"plain loop, `{peer}`"
                found.append(Rate(f"{what}, `{name}`", f"{ours.n:,} spectra", unit, mine, peer_name,
                                  other))  # fmt: skip
    return found


def show(ways: list[Way], flop: float = 0, peak: float = 0) -> None:
    plain = plain_ways(ways)
    best_s, best_core_s = max(w.per_s for w in plain), max(w.per_core_s for w in plain)
    head = f"{'':44}{'spectra/s':>10}{'x plain':>8}{'/core-s':>9}{'x plain':>8}{'of matmul':>10}"
    print(f"{head}{'max |dp_b|':>12}")
    for way in ways:
        share = f"{way.per_core_s * flop / 1e9 / peak:.0%}" if peak else ""
        difference = np.abs(way.p_b_B - plain[0].p_b_B).max()
        print(
            f"{way.name:44}{way.per_s:10.0f}{way.per_s / best_s:8.2f}{way.per_core_s:9.0f}"
            f"{way.per_core_s / best_core_s:8.2f}{share:>10}{difference:12.1e}"
        )
        if way.part_s:
            parts = ", ".join(
                f"{name} {s / way.n * 1e6:.0f} us ({s / way.n * way.per_core_s:.0%})"
                for name, s in way.part_s.items()
            )
            print(f"{'':8}{parts}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path, help="folder of LAMOST files")
    parser.add_argument("--spectra", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--keep", action="store_true", help="write the result file")
    parser.add_argument("--presets", nargs="+", default=["light"], choices=get_args(Preset))
    args = parser.parse_args()
    named = os.environ.get("PAIRSPEC_REAL_DATA")
    folder = args.files or (Path(named) / "spectra" if named else None)
    if folder and not fits_files(folder):
        parser.error(f"no spectra under {folder}: name a folder of LAMOST files by --files")
    has_bfloat16 = computes_bfloat16(torch.device("cpu"))
    precisions = ["float32", "bfloat16"] if has_bfloat16 else ["float32"]
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as scratch,
        ProcessPoolExecutor(args.workers, mp_context=context) as pool,
    ):
        networks = {name: untrained(Path(scratch) / name, name) for name in args.presets}
        kinds = [torch.float32, *([torch.bfloat16] if has_bfloat16 else [])]
        peaks = [list(pool.map(matmul, [kind] * args.workers)) for kind in kinds]
        for kind, rates in zip(kinds, peaks, strict=True):
            print(f"matrix product, {kind}: {np.mean(rates):.0f} GFLOP/s per core")
        if not has_bfloat16:
            print("bfloat16: not in this hardware, where float32 is used instead")
        rng = np.random.default_rng(0)
        n_pixel = WaveGrid.from_settings(SPECTRA).n_pixel
        flux = Path(scratch) / "flux.npy"
        np.save(flux, (1 + 0.1 * rng.standard_normal((args.spectra, n_pixel))).astype(np.float32))
        print(f"\nThe network alone, {args.spectra} spectra")
        ways = {
            name: network_ways(flux, args.spectra, model, args.workers, precisions)
            for name, (model, _) in networks.items()
        }
        measure(list(chain(*ways.values())), pool, args.rounds)
        kept = kept_rates("the network alone", ways)
        for name, (_, flop) in networks.items():
            print(f"\nnetwork {name}")
            show(ways[name], flop, float(np.mean(peaks[0])))
        paths = fits_files(folder or simulated(Path(scratch)))
        print(f"\nFrom file to p_b, {len(paths)} files; processor time by part below each way")
        settings = InferSettings(precision=precisions[-1])
        ways = {
            name: file_ways(paths, model, args.workers, settings)
            for name, (model, _) in networks.items()
        }
        measure(list(chain(*ways.values())), pool, args.rounds)
        kept += kept_rates("from file to p_b", ways)
        if args.keep:
            keep(__file__, kept)
        first = args.presets[0]
        for name, some in ways.items():
            print(f"\nnetwork {name}")
            show(some)
            print(f"1 -> {args.workers} workers: {some[-1].per_s / some[2].per_s:.2f} x")
            if name != first:
                show_against(some, ways[first], (name, first))


if __name__ == "__main__":
    main()
