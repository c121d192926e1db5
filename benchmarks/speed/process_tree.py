"""Time and memory of a command with all its processes."""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
from rates import Rate

MIB = 2**20


class Use(NamedTuple):
    """What a command used; memory as proportional set size, in which shared pages count once."""

    seconds: float
    """By the clock."""
    cpu: float
    """Processor seconds of all processes."""
    peak: float
    """Largest memory of all processes together in MiB, every 250 ms."""
    driver: float
    """Largest memory of the command's own process in MiB."""
    worker: float
    """Largest memory of any process that it started in MiB."""

    def __str__(self) -> str:
        return f"{self.seconds:8.1f} {self.cpu:7.1f} {self.peak:9.0f}"


def fresh(root: Path, number: int) -> Path:
    """Copy a run by hard links, for a repeat that finds nothing done."""
    copied = root.with_name(f"{root.name}-{number}")
    return Path(shutil.copytree(root, copied, copy_function=os.link))


def rates_of(
    what: str, size: str, ours: Sequence[Use], peer: str = "", theirs: Sequence[Use] = ()
) -> list[Rate]:
    """Return times, processor times and memories of a command beside those of its peer."""
    units = {"seconds": "s", "cpu": "s of CPU", "peak": "MiB"}
    return [
        Rate(
            what, size, unit, [getattr(use, name) for use in ours],
            peer, [getattr(use, name) for use in theirs], less_is_more=True,
        )
        for name, unit in units.items()
    ]  # fmt: skip


def measure(command: list[str]) -> Use:
    """Run a command and say what it used."""
    used = _children_seconds()
    begin = time.perf_counter()
    peak = driver = worker = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            own, *others = [_memory(member) for member in [tree, *_children(tree)]]
            peak = max(peak, own + sum(others))
            driver, worker = max(driver, own), max(worker, *others, 0.0)
            time.sleep(0.25)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    seconds, cpu = time.perf_counter() - begin, _children_seconds() - used
    return Use(seconds, cpu, peak, driver, worker)


def _memory(process: psutil.Process) -> float:
    """Return the memory of a process in MiB, 0 if it has just ended."""
    try:
        return float(process.memory_full_info().pss / MIB)
    except psutil.Error:
        return 0.0


def _children_seconds() -> float:
    """Return the processor time of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []
