"""The batch job of the driver: its script for each kind of queue.

The job runs one command. Shortly before its time limit the queue signals it; the script then ends
the command in good order and gives the job back to the queue, as long as something was finished
since it started: it goes on where it was.
"""

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.settings import ClusterSettings

_REQUEUE = 'scontrol requeue "$SLURM_JOB_ID" && sleep 60'
_AGAIN = {
    "slurm": _REQUEUE,
    "allocation": _REQUEUE,
    "lsf": "exit 99",
    "sge": "exit 99",
    "oar": "exit 99",
}
"""How a job goes back into its queue; PBS and Moab let operators do so only."""

_JOB_ID = {
    "slurm": "SLURM_JOB_ID",
    "allocation": "SLURM_JOB_ID",
    "pbs": "PBS_JOBID",
    "moab": "PBS_JOBID",
    "lsf": "LSB_JOBID",
    "sge": "JOB_ID",
    "oar": "OAR_JOB_ID",
}


@dataclass(frozen=True)
class DriverJob:
    """What the job of a driver runs.

    Parameters
    ----------
    name : str
        Name in the queue.
    command : sequence of str
        What is run.
    folder : pathlib.Path
        Where it is run.
    log : pathlib.Path
        File that takes its output.
    records : pathlib.Path
        Folders in it named `ledger` and `training` hold a newer file once something was finished.
    state : pathlib.Path
        Stem of two small files, `.begun` and `.ended`; the latter holds number and exit code.
    """

    name: str
    command: Sequence[str]
    folder: Path
    log: Path
    records: Path
    state: Path


def driver_script(job: DriverJob, settings: ClusterSettings) -> str:
    """Return the script of a driver's job.

    Parameters
    ----------
    job : DriverJob
        What it runs.
    settings : ClusterSettings
        Kind of the queue, and the size of the job.

    Raises
    ------
    ValueError
        The kind has no queue, or none that takes a shell script.
    """
    if settings.kind not in _DIRECTIVES:
        raise ValueError(
            f"a driver cannot be submitted to cluster.driver.kind = {settings.kind!r}: choose one "
            f"of {', '.join(_DIRECTIVES)}"
        )
    prefix, directives = _DIRECTIVES[settings.kind]
    options = [
        f"{prefix} {option}" for option in (*directives(job, settings), *settings.directives)
    ]
    return "\n".join(["#!/usr/bin/env bash", *options, *_body(job, settings)]) + "\n"


def _body(job: DriverJob, settings: ClusterSettings) -> list[str]:
    begun, ended = shlex.quote(f"{job.state}.begun"), shlex.quote(f"{job.state}.ended")
    folders = " ".join(shlex.quote(str(job.records / name)) for name in ("ledger", "training"))
    command = [*(("srun",) if settings.kind == "allocation" else ()), *job.command]
    again = _AGAIN.get(settings.kind, "false")
    return [
        *settings.prologue,
        f"cd {shlex.quote(str(job.folder))} || exit 1",
        "# The settings are those of the time of submission.",
        "unset ${!PAIRSPEC_@}",
        f": > {begun}",
        "# What cancels the workers' jobs outlives the driver by a moment.",
        f'finish() {{ echo "${_JOB_ID[settings.kind]} $1" > {ended}; sleep 2; exit "$1"; }}',
        "near_the_limit() {",
        '  kill -TERM "$driver" 2>/dev/null; wait "$driver"; code=$?',
        '  [ "$code" -ne 0 ] || finish 0',
        f'  if [ -n "$(find {folders} -type f -newer {begun} -print -quit 2>/dev/null)" ]; then',
        "    echo 'pairspec: near the time limit; the job goes back into the queue' >&2",
        f"    {again}",
        "    echo 'pairspec: the queue did not take it back: submit again to go on' >&2",
        "  else",
        "    echo 'pairspec: near the time limit and nothing was finished: raise walltime' >&2",
        "  fi",
        "  finish 124",
        "}",
        "trap near_the_limit USR1",
        f"{shlex.join(command)} &",
        "driver=$!",
        'wait "$driver"',
        'finish "$?"',
    ]


def _mib(settings: ClusterSettings) -> int:
    from dask.utils import parse_bytes

    return math.ceil(parse_bytes(settings.memory) / 2**20)


def _named(pairs: Sequence[tuple[str, object]]) -> list[str]:
    """Return the options that have a value."""
    return [option.format(value) for option, value in pairs if value not in (None, 0)]


def _slurm(job: DriverJob, s: ClusterSettings) -> list[str]:
    size = [
        ("--nodes={}", 1),
        ("--ntasks={}", 1),
        ("--cpus-per-task={}", s.cores),
        ("--mem={}M", _mib(s)),
        ("--gres=gpu:{}", s.gpus),
    ]
    return _slurm_job(job, s, size)


def _allocation(job: DriverJob, s: ClusterSettings) -> list[str]:
    """Ask for a scheduler, a driver and the workers in one job, which share its memory evenly."""
    tasks = s.workers + 2
    size = [
        ("--ntasks={}", tasks),
        ("--cpus-per-task={}", 1),
        ("--mem-per-cpu={}M", math.ceil(_mib(s) / tasks)),
    ]
    return _slurm_job(job, s, size)


def _slurm_job(job: DriverJob, s: ClusterSettings, size: Sequence[tuple[str, object]]) -> list[str]:
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


def _pbs(job: DriverJob, s: ClusterSettings) -> list[str]:
    gpus = f":ngpus={s.gpus}" if s.gpus else ""
    return _named(
        [
            ("-N {}", job.name),
            ("-q {}", s.partition),
            ("-A {}", s.account),
            ("-l select=1:{}", f"ncpus={s.cores}:mem={_mib(s)}mb{gpus}"),
            ("-l walltime={}", s.walltime),
            ("-j {}", "oe"),
            ("-o {}", job.log),
            ("-r {}", "y"),
        ]
    )


def _moab(job: DriverJob, s: ClusterSettings) -> list[str]:
    gpus = f":gpus={s.gpus}" if s.gpus else ""
    return _named(
        [
            ("-N {}", job.name),
            ("-q {}", s.partition),
            ("-A {}", s.account),
            ("-l nodes=1:{}", f"ppn={s.cores}{gpus}"),
            ("-l mem={}mb", _mib(s)),
            ("-l walltime={}", s.walltime),
            ("-j {}", "oe"),
            ("-o {}", job.log),
        ]
    )


def _lsf(job: DriverJob, s: ClusterSettings) -> list[str]:
    hours, minutes, _ = s.walltime.split(":")
    return _named(
        [
            ("-J {}", job.name),
            ("-q {}", s.partition),
            ("-P {}", s.account),
            ("-n {}", s.cores),
            ("-R {}", '"span[hosts=1]"'),
            ("-M {}MB", _mib(s)),
            ('-gpu "num={}"', s.gpus),
            ("-W {}", f"{hours}:{minutes}"),
            ("-o {}", job.log),
            ("-wa {}", "USR1"),
            ("-wt {}", math.ceil(s.margin / 60)),
            ("-Q {}", 99),
        ]
    )


def _sge(job: DriverJob, s: ClusterSettings) -> list[str]:
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


def _oar(job: DriverJob, s: ClusterSettings) -> list[str]:
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


_DIRECTIVES: dict[str, tuple[str, Callable[[DriverJob, ClusterSettings], list[str]]]] = {
    "slurm": ("#SBATCH", _slurm),
    "allocation": ("#SBATCH", _allocation),
    "pbs": ("#PBS", _pbs),
    "moab": ("#MSUB", _moab),
    "lsf": ("#BSUB", _lsf),
    "sge": ("#$", _sge),
    "oar": ("#OAR", _oar),
}
