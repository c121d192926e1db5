"""How hard the simulated task is: what the default network reaches, where, and what is possible.

``python benchmarks/science/difficulty.py PART ... --cache FOLDER`` runs the parts ``train``,
``score``, ``ideal`` and ``write``, or ``all``. Each keeps what it made in the cache and makes it
only once, so that a run that was stopped goes on, and the tables can be written again without
training. ``write`` prints the tables, and fills them in in the page ``--out``. The same arguments
give the same figures.
"""

import argparse
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from difficulty_page import difficulty_tables
from difficulty_samples import Columns, ideal_block, ideal_samples, samples, score_block
from difficulty_tables import Study
from pages import fill

from pipeline.core.digest import digest_of
from pipeline.core.root import Root
from pipeline.network.card import read_card
from pipeline.network.job import TrainingJob, train_on_blocks, write_block
from pipeline.network.trainer import LOG
from pipeline.settings.load import Settings, load_settings
from pipeline.simulate.examples import BLOCK

PARTS = ("train", "score", "ideal", "write")

FORMAT = 1
"""Version of the cached columns: raise it when they change, so that old ones are not read."""


def cached(
    path: Path, work: Callable[[int], Columns], n_blocks: int, pool: ProcessPoolExecutor
) -> Columns:
    """Read columns, or compute them block by block and keep them."""
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
    """Classify all samples with the trained network."""
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="+", metavar="PART", help="train, score, ideal, write, or all"
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
    parser.add_argument("--out", type=Path, help="page whose tables to fill in")
    args = parser.parse_args()
    parts = list(PARTS) if args.parts == ["all"] else args.parts
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    jobs = {scatter: training_job(scatter, args) for scatter in args.scatter}
    # Workers read this when they start: one thread each, so that they do not compete for the cores.
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
        tables = difficulty_tables(studies, ideal)
        print("\n".join(tables.values()))
        if args.out:
            fill(args.out, tables)


if __name__ == "__main__":
    main()
