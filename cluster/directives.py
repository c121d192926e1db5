"""What the job of a driver asks of each kind of queue."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from cluster.settings import ClusterSettings


class Named(Protocol):
    """A job with a name, and a log for its output."""

    @property
    def name(self) -> str:
        """Name in the queue."""

    @property
    def log(self) -> Path:
        """File that takes its output."""


def _named(pairs: Sequence[tuple[str, object]]) -> list[str]:
    """Return the options that have a value."""
    return [option.format(value) for option, value in pairs if value not in (None, 0)]


def _slurm(job: Named, s: ClusterSettings) -> list[str]:
    size = [
        ("--nodes={}", 1),
        ("--ntasks={}", 1),
        ("--cpus-per-task={}", s.cores),
        ("--mem={}M", s.memory_mib),
        ("--gres=gpu:{}", s.gpus),
    ]
    return _slurm_job(job, s, size)


def _allocation(job: Named, s: ClusterSettings) -> list[str]:
    """Ask for a scheduler, a driver and the workers in one job, which share its memory evenly."""
    tasks = s.workers + 2
    size = [
        ("--ntasks={}", tasks),
        ("--cpus-per-task={}", 1),
        ("--mem-per-cpu={}M", math.ceil(s.memory_mib / tasks)),
    ]
    return _slurm_job(job, s, size)


def _slurm_job(job: Named, s: ClusterSettings, size: Sequence[tuple[str, object]]) -> list[str]:
    log = str(job.log).replace("%", "%%")
    return _named(
        [
            ("--job-name={}", job.name),
            ("--partition={}", s.partition),
            ("--account={}", s.account),
            *size,
            ("--time={}", s.walltime),
            ('--output="{}"', log),
            ("{}", "--open-mode=append"),
            ("{}", "--requeue"),
            ("--signal=B:USR1@{}", s.margin),
            ("{}", "--kill-on-invalid-dep=yes"),
        ]
    )


def _pbs(job: Named, s: ClusterSettings) -> list[str]:
    gpus = f":ngpus={s.gpus}" if s.gpus else ""
    return _named(
        [
            ("-N {}", job.name),
            ("-q {}", s.partition),
            ("-A {}", s.account),
            ("-l select=1:{}", f"ncpus={s.cores}:mem={s.memory_mib}mb{gpus}"),
            ("-l walltime={}", s.walltime),
            ("-j {}", "oe"),
            ("-o {}", job.log),
            ("-r {}", "y"),
        ]
    )


def _moab(job: Named, s: ClusterSettings) -> list[str]:
    gpus = f":gpus={s.gpus}" if s.gpus else ""
    return _named(
        [
            ("-N {}", job.name),
            ("-q {}", s.partition),
            ("-A {}", s.account),
            ("-l nodes=1:{}", f"ppn={s.cores}{gpus}"),
            ("-l mem={}mb", s.memory_mib),
            ("-l walltime={}", s.walltime),
            ("-j {}", "oe"),
            ("-o {}", job.log),
            # Only so does the job know its number as msub gave it.
            ("{}", "-E"),
        ]
    )


def _lsf(job: Named, s: ClusterSettings) -> list[str]:
    return _named(
        [
            ("-J {}", job.name),
            ("-q {}", s.partition),
            ("-P {}", s.account),
            ("-n {}", s.cores),
            ("-R {}", '"span[hosts=1]"'),
            ("-M {}MB", s.memory_mib),
            ('-gpu "num={}"', s.gpus),
            ("-W {}", s.walltime_hhmm),
            ("-o {}", job.log),
            ("-wa {}", "USR1"),
            ("-wt {}", math.ceil(s.margin / 60)),
            ("-Q {}", 99),
        ]
    )


def _sge(job: Named, s: ClusterSettings) -> list[str]:
    return _named(
        [
            ("-N {}", job.name),
            ("-q {}", s.partition),
            ("-P {}", s.account),
            ("-l h_rt={}", s.walltime_s),
            ("-l s_rt={}", s.walltime_s - s.margin),
            ("-l gpu={}", s.gpus),
            ("-j {}", "y"),
            ("-o {}", job.log),
            ("-r {}", "y"),
        ]
    )


def _oar(job: Named, s: ClusterSettings) -> list[str]:
    return _named(
        [
            ("-n {}", job.name),
            ("-q {}", s.partition),
            ("--project {}", s.account),
            ("-l /nodes=1/core={}", f"{s.cores},walltime={s.walltime}"),
            ("-O {}", job.log),
            ("-E {}", job.log),
            ("-t {}", "idempotent"),
            ("--checkpoint {}", s.margin),
            ("--signal {}", 10),
        ]
    )


DIRECTIVES: dict[str, tuple[str, Callable[[Named, ClusterSettings], list[str]]]] = {
    "slurm": ("#SBATCH", _slurm),
    "allocation": ("#SBATCH", _allocation),
    "pbs": ("#PBS", _pbs),
    "moab": ("#MSUB", _moab),
    "lsf": ("#BSUB", _lsf),
    "sge": ("#$", _sge),
    "oar": ("#OAR", _oar),
}
"""First word of a line, and the options, for each kind of queue."""


def parted(path: Path, setting: str) -> str | None:
    """Tell that queues do not take a path as one, or None.

    Parameters
    ----------
    path : pathlib.Path
        Absolute.
    setting : str
        Which setting names it.
    """
    if len(str(path).split()) == 1:
        return None
    return f"batch systems part {path} at its spaces: change cluster.{setting}"
