"""Size a run: hours, jobs, disk and memory for many spectra, from what smaller runs measured.

Each stage leaves its processor time, its peak of memory and the pace of its workers below
ROOT/logs. This takes two or more roots of local runs of different size, fits a line in the number
of spectra to each of them, and prints its value for the survey. A line over a factor of hundreds is
an estimate: look at the pace that `pairspec status` shows once the run is under way.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.pace import RECORDS, read_paces
from pipeline.core.published import require_published
from pipeline.stages import STAGES

Runs = list[tuple[int, Path]]


def line(runs: Runs, measure: Callable[[Path], float], n: int) -> float:
    """Return the value at n spectra of the straight line through what the runs measured."""
    sizes = np.array([size for size, _ in runs], dtype=float)
    values = np.array([measure(root) for _, root in runs])
    slope, offset = np.polyfit(sizes, values, 1)
    return float(max(values.max(), offset + slope * n))


def stage_record(root: Path, stage: str) -> dict[str, Any]:
    path = root / RECORDS / f"{stage}.json"
    record: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return record


def cpu_seconds(root: Path, stage: str) -> float:
    seconds: float = stage_record(root, stage).get("cpu_seconds", 0.0)
    return seconds


def folder_bytes(folder: Path) -> float:
    return float(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def gigabytes(value: float) -> str:
    return f"{value / 1e9:,.1f} GB"


def times(runs: Runs, n: int, workers: int) -> list[str]:
    """Return the hours of each stage; one without units of work has the driver's core alone."""
    shared = {pace.stage for _, root in runs for pace in read_paces(root)}
    rows = [f"| stage | core-hours | hours with {workers} workers |", "|---|---|---|"]
    for stage in (s.name for s in STAGES[1:] if s.name != "train"):
        hours = line(runs, lambda root, s=stage: cpu_seconds(root, s), n) / 3600
        wall = hours / workers if stage in shared else hours
        rows.append(f"| `{stage}` | {hours:,.2f} | {wall:,.2f} |")
    return rows


def training(runs: Runs, examples: int, epochs: int) -> list[str]:
    """Return the hours of a training on one rank like the one that was measured."""
    _, root = runs[-1]
    pace = next((p for p in read_paces(root) if p.stage == "train" and p.rate), None)
    counts = require_published(root, "model", "train").counts
    if pace is None:
        return []
    rate = counts["examples"] * pace.rate
    hours = examples * epochs / rate / 3600
    speed = f"Training: {rate:,.0f} examples per second on the measured rank"
    return [f"{speed}, so {hours:,.0f} h for {epochs} epochs of {examples:,} examples."]


def memory(runs: Runs, n: int) -> list[str]:
    largest = max(p.memory_bytes for _, root in runs for p in read_paces(root))
    rows = [f"Memory of a worker: {gigabytes(largest)} at most, whatever the size.", ""]
    rows += ["| driver of | memory |", "|---|---|"]
    for stage in (s.name for s in STAGES[1:]):
        value = line(runs, lambda root, s=stage: stage_record(root, s).get("memory_bytes", 0), n)
        rows.append(f"| `{stage}` | {gigabytes(value)} |")
    return rows


def disk(runs: Runs, n: int) -> list[str]:
    rows = ["| folder | disk |", "|---|---|"]
    folders = {path.name for _, root in runs for path in root.iterdir() if path.is_dir()}
    names = sorted(folders - {"logs", "jobs"})
    sizes = {name: line(runs, lambda root, f=name: folder_bytes(root / f), n) for name in names}
    rows += [f"| `{name}` | {gigabytes(size)} |" for name, size in sizes.items() if size > 5e7]
    return [*rows, f"| all | {gigabytes(sum(sizes.values()))} |"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root_help = "a finished run; twice or more"
    parser.add_argument("--root", type=Path, action="append", required=True, help=root_help)
    parser.add_argument("--spectra", type=int, default=7_000_000, help="spectra of the survey")
    parser.add_argument("--workers", type=int, default=64, help="workers at once")
    parser.add_argument("--examples", type=int, default=109_000, help="training examples per epoch")
    parser.add_argument("--epochs", type=int, default=60, help="epochs of the training")
    given = parser.parse_args()
    runs = sorted(
        (require_published(root, "observations", "ingest").counts["valid"], root)
        for root in given.root
    )
    if len({size for size, _ in runs}) < 2:
        parser.error("give two roots or more, of different numbers of spectra")
    measured = " and ".join(f"{size:,}" for size, _ in runs)
    print(f"From {measured} spectra to {given.spectra:,} spectra and {given.workers} workers.")
    for part in (
        times(runs, given.spectra, given.workers),
        training(runs, given.examples, given.epochs),
        memory(runs, given.spectra),
        disk(runs, given.spectra),
    ):
        print("\n" + "\n".join(part))


if __name__ == "__main__":
    main()
