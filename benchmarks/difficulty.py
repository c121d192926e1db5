"""How hard the simulated task is: what the default network reaches, where, and what it could.

``python benchmarks/difficulty.py [PART ...] --cache FOLDER`` runs the parts ``train``, ``score``,
``ideal`` and ``write``, or ``all``. Each keeps what it made in the cache and makes it only once, so
that a run that was stopped goes on, and the tables can be written again without training. ``write``
puts the tables into ``--out``. The same arguments give the same figures.
"""

import argparse
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from difficulty_page import document
from difficulty_tables import Q_EDGES, SNR_EDGES, Study

from pipeline.atomic import write_bytes
from pipeline.digest import digest_of
from pipeline.network.checkpoint import read_card
from pipeline.network.ensemble import Member, get_ensemble
from pipeline.network.job import TrainingJob, train_on_blocks, write_block
from pipeline.network.settings import InferSettings
from pipeline.network.trainer import LOG
from pipeline.root import Root
from pipeline.settings import Settings, load_settings
from pipeline.simulate.binary import Systems, build_systems
from pipeline.simulate.examples import BLOCK, labelled_block
from pipeline.simulate.settings import SimulateSettings
from pipeline.simulate.templates import LABEL_MAX, LABEL_MIN
from pipeline.spectra.prepare import network_input
from pipeline.spectra.settings import SpectraSettings
from pipeline.validation.ideal import expose_exactly, nearest_single, single_spectra

Columns = dict[str, np.ndarray]
PARTS = ("train", "score", "ideal", "write")
SNR_RANGE = (SNR_EDGES[0], SNR_EDGES[-1])
FIRST_SEED = 7000
"""Seeds from here on are for spectra that no network was trained on."""

FORMAT = 1
"""Of the cached columns: raise it when they change, and old ones are not read."""

STILL = {"log_period_mean": 7.999, "log_period_sigma": 1e-6}
"""All orbits last 1e8 days: velocities far below 1 km/s a star, everything else is drawn alike."""


class Sample(NamedTuple):
    """Unseen spectra: blocks of one seed."""

    name: str
    seed: int
    n_blocks: int
    q_range: tuple[float, float] = (0.71, 0.93)
    binary_fraction: float = 0.5
    still: bool = False

    def settings(self, simulate: SimulateSettings) -> SimulateSettings:
        """Return the settings with which this sample is simulated."""
        if not self.still:
            return simulate
        population = simulate.population.model_copy(update=STILL)
        return simulate.model_copy(update={"population": population})


def samples(args: argparse.Namespace) -> list[Sample]:
    """List what the network is scored on."""
    test, table = -(-args.test // BLOCK), -(-args.table // BLOCK)
    return [
        Sample("test", FIRST_SEED, test),
        Sample("still", FIRST_SEED, test, still=True),
        Sample("singles", FIRST_SEED + 1, 2 * table, binary_fraction=0.0),
        *(
            Sample(f"q{k}", FIRST_SEED + 2 + k, table, q_range, 1.0)
            for k, q_range in enumerate(pairwise(Q_EDGES))
        ),
    ]


def ideal_samples(args: argparse.Namespace) -> list[Sample]:
    """List the pairs that the ideal observer judges."""
    few = -(-args.pairs // BLOCK)
    bins = enumerate(pairwise(Q_EDGES))
    return [
        Sample("test", FIRST_SEED, few, binary_fraction=1.0),
        *(Sample(f"q{k}", FIRST_SEED + 2 + k, few, q_range, 1.0) for k, q_range in bins),
    ]


def score_block(
    block: int, sample: Sample, simulate: SimulateSettings, spectra: SpectraSettings, model: Path,
    sha256: str,
) -> Columns:  # fmt: skip
    """Simulate one block and let the network judge it."""
    ensemble = get_ensemble((Member(model, sha256),), InferSettings(threads=1, device="cpu"))
    raw = labelled_block(
        block, sample.seed, sample.settings(simulate), q_range=sample.q_range, snr_range=SNR_RANGE,
        binary_fraction=sample.binary_fraction,
    )  # fmt: skip
    ready = network_input(
        raw.flux_BN, raw.ivar_BN, raw.log10_first_B, raw.n_pixel_B, raw.rv_kms_B, spectra
    )
    usable = np.flatnonzero(np.asarray(ready.usable_B))
    logit_B = ensemble.predict(np.asarray(ready.flux_BL)[usable]).logit_B
    names = ("label_B", "teff_k", "logg", "feh", "snr_g", "rv_kms_B", "q", "velocity1_kms",
             "velocity2_kms")  # fmt: skip
    truth = {name.removesuffix("_B"): getattr(raw, name)[usable] for name in names}
    systems = build_systems(raw.mass1_msun, raw.q, raw.log_age, raw.mh)
    return {
        "logit": logit_B.astype(float),
        "star": block * BLOCK + usable,
        "clipped": clipped(systems)[usable],
        **truth,
    }


def clipped(systems: Systems) -> np.ndarray:
    """Tell whose companion lies outside the templates and is given the nearest valid spectrum."""
    with np.errstate(invalid="ignore"):
        cool = systems.secondary.teff_k < LABEL_MIN[0]
        dense = systems.secondary.logg > LABEL_MAX[1]
    return np.asarray(cool | dense)


def ideal_block(
    block: int, sample: Sample, simulate: SimulateSettings, spectra: SpectraSettings
) -> Columns:
    """Find the single stars nearest to the pairs of one block, without scatter or calibration."""
    raw = labelled_block(
        block, sample.seed, simulate, q_range=sample.q_range, snr_range=SNR_RANGE,
        binary_fraction=1.0,
    )  # fmt: skip
    systems = build_systems(raw.mass1_msun, raw.q, raw.log_age, raw.mh)
    velocity_BS = np.stack([raw.velocity1_kms, raw.velocity2_kms], axis=1)
    view, flux_BN = expose_exactly(
        np.random.default_rng((sample.seed, block)), systems, velocity_BS, raw.rv_kms_B, raw.snr_g,
        simulate.instrument, spectra,
    )  # fmt: skip
    target_BL, ivar_BL = view.weighed(flux_BN)
    start_B4 = np.stack([raw.teff1_k, raw.logg1, raw.mh, raw.velocity1_kms], axis=1)
    found = nearest_single(
        target_BL, ivar_BL, start_B4, lambda theta_B4: single_spectra(theta_B4, view)
    )
    rows = (ivar_BL == 0).mean(axis=1) <= spectra.max_bad_fraction
    columns = {
        "d_prime": found.d_prime_B,
        "teff_k": raw.teff_k,
        "snr_g": raw.snr_g,
        "q": raw.q,
        "teff_difference_k": systems.primary.teff_k - systems.secondary.teff_k,
        "clipped": clipped(systems),
        "light_ratio": systems.light_BS[:, 1] / systems.light_BS[:, 0],
    }
    return {name: column[rows] for name, column in columns.items()}


def cached(
    path: Path, work: Callable[[int], Columns], n_blocks: int, pool: ProcessPoolExecutor
) -> Columns:
    """Read columns, or make them block by block and keep them."""
    if not path.exists():
        begin = time.perf_counter()
        parts = list(pool.map(work, range(n_blocks)))
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        path.parent.mkdir(parents=True, exist_ok=True)
        partial_path = path.with_suffix(".partial.npz")
        np.savez(partial_path, **columns)
        partial_path.replace(path)
        print(
            f"  {path.stem}: {n_blocks} blocks in {time.perf_counter() - begin:.0f} s", flush=True
        )
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


def training_job(scatter: str, args: argparse.Namespace) -> TrainingJob:
    """Gather the settings of one training, which keeps all of its files in a folder of its own."""
    settings = load_settings(overrides=args.set)
    enabled = settings.simulate.scatter.model_copy(update={"enabled": scatter == "on"})
    simulate = settings.simulate.model_copy(update={"scatter": enabled})
    sizes = {"source": "simulated", "n_examples": args.examples, "max_epochs": args.epochs}
    training = settings.training.model_copy(update=sizes)
    digest = digest_of(simulate, settings.spectra, settings.network, training)
    return TrainingJob(
        Root(args.cache.resolve() / f"{scatter}-{digest}"),
        simulate,
        settings.spectra,
        settings.network,
        training.model_copy(update={"threads": args.threads}),
    )


def train(job: TrainingJob, pool: ProcessPoolExecutor) -> None:
    """Simulate the training blocks that are missing, then train; both go on where they stopped."""
    wanted, found, n_blocks = job.training.n_examples, 0, 0
    while found < wanted:
        n_blocks += -(-(wanted - found) // BLOCK)
        pending = job.examples.pending(n_blocks)
        for done, _ in enumerate(pool.map(partial(write_block, job=job), pending), start=1):
            if done % 20 == 0 or done == len(pending):
                print(f"  {done} of {len(pending)} blocks simulated", flush=True)
        found = job.examples.total(n_blocks)["examples"]
    begin = time.perf_counter()
    with followed(job.folder / LOG):
        card = train_on_blocks(n_blocks, job)
    reached = ", ".join(f"{name} {value:.4f}" for name, value in card.metrics.items())
    print(f"  {reached} ({time.perf_counter() - begin:.0f} s)", flush=True)


@contextmanager
def followed(log: Path) -> Iterator[None]:
    """Print the lines that a training log gains."""
    ended = threading.Event()

    def follow() -> None:
        seen = 0
        while True:
            last = ended.wait(2)
            lines = log.read_text().splitlines() if log.exists() else []
            for line in lines[seen:]:
                print(f"  {line}", flush=True)
            seen = len(lines)
            if last:
                return

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def scored(job: TrainingJob, args: argparse.Namespace, pool: ProcessPoolExecutor) -> Study:
    """Let the trained network judge all samples."""
    card = read_card(job.root.model)
    columns = {}
    for sample in samples(args):
        digest = digest_of(FORMAT, card.sha256, list(sample), job.simulate, job.spectra)
        work = partial(
            score_block, sample=sample, simulate=job.simulate, spectra=job.spectra,
            model=job.root.model, sha256=card.sha256,
        )  # fmt: skip
        path = job.root.path / "scores" / f"{sample.name}-{digest}.npz"
        columns[sample.name] = cached(path, work, sample.n_blocks, pool)
    return Study(card, job.simulate, columns)


def judged(args: argparse.Namespace, settings: Settings, pool: ProcessPoolExecutor) -> Columns:
    """Run the ideal observer over its samples; one set of columns, with the name of the sample."""
    off = settings.simulate.scatter.model_copy(update={"enabled": False})
    simulate = settings.simulate.model_copy(update={"scatter": off})
    parts: list[Columns] = []
    for sample in ideal_samples(args):
        digest = digest_of(FORMAT, list(sample), simulate, settings.spectra)
        work = partial(ideal_block, sample=sample, simulate=simulate, spectra=settings.spectra)
        path = args.cache / "ideal" / f"{sample.name}-{digest}.npz"
        part = cached(path, work, sample.n_blocks, pool)
        parts.append({**part, "sample": np.full(len(part["q"]), sample.name)})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help="train, score, ideal, write, or all"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("run/difficulty"), help="folder of models and scores"
    )
    parser.add_argument("--scatter", choices=("off", "on"), nargs="+", default=["off", "on"])
    parser.add_argument("--examples", type=int, default=30_000, help="80 %% of them train")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--test", type=int, default=6000, help="unseen spectra of both classes")
    parser.add_argument("--table", type=int, default=1500, help="unseen pairs a bin of q")
    parser.add_argument("--pairs", type=int, default=1024, help="pairs a bin, ideal observer")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--threads", type=int, default=0, help="of the training; 0: all cores")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--out", type=Path, default=Path("docs/difficulty.md"))
    args = parser.parse_args()
    if not args.parts:
        parser.print_help()
        return
    parts = list(PARTS) if args.parts == ["all"] else args.parts
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    jobs = {scatter: training_job(scatter, args) for scatter in args.scatter}
    # Workers read this when they start: one thread each, so that they don't fight for the cores.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
        if "train" in parts:
            for scatter, job in jobs.items():
                print(f"train, scatter {scatter}", flush=True)
                train(job, pool)
        studies: dict[str, Study] = {}
        if {"score", "write"} & set(parts):
            for scatter, job in jobs.items():
                print(f"score, scatter {scatter}", flush=True)
                studies[scatter] = scored(job, args, pool)
        if {"ideal", "write"} & set(parts):
            print("ideal observer", flush=True)
            ideal = judged(args, load_settings(overrides=args.set), pool)
    if "write" in parts:
        text = document(studies, ideal)
        write_bytes(args.out, text.encode())
        print(text)


if __name__ == "__main__":
    main()
