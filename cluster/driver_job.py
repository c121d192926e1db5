"""The batch job of the driver: its script for each kind of queue.

The job runs one command. Shortly before its time limit the queue signals it; the script then ends
the command in good order and gives the job back to the queue, as long as something was finished
since it started: it goes on where it was.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.directives import DIRECTIVES
from cluster.kinds.htcondor import of_the_site
from cluster.settings import ClusterSettings

_REQUEUE = 'scontrol requeue "$SLURM_JOB_ID" && sleep 60'
_AGAIN = {
    "slurm": _REQUEUE,
    "allocation": _REQUEUE,
    "lsf": "exit 99",
    "sge": "exit 99",
    "oar": "exit 99",
    "htcondor": "exit 99",
}
"""How a job goes back into its queue; PBS and Moab let operators do so only."""

_JOB_ID = {
    "slurm": "SLURM_JOB_ID",
    "allocation": "SLURM_JOB_ID",
    "pbs": "PBS_JOBID",
    "moab": "MOAB_JOBID",
    "lsf": "LSB_JOBID",
    "sge": "JOB_ID",
    "oar": "OAR_JOB_ID",
    "htcondor": "CONDOR_JOB_ID",
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

    @property
    def script(self) -> Path:
        """File of the script."""
        return self.state.with_suffix(".sh")


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
        The kind has no queue.
    """
    if settings.kind not in _JOB_ID:
        raise ValueError(
            f"a driver cannot be submitted to cluster.driver.kind = {settings.kind!r}: choose one "
            f"of {', '.join(_JOB_ID)}"
        )
    if settings.kind == "htcondor":
        # What it asks for stands in its description.
        log = f"exec >>{shlex.quote(str(job.log))} 2>&1"
        return "\n".join(["#!/usr/bin/env bash", log, *_body(job, settings)]) + "\n"
    prefix, directives = DIRECTIVES[settings.kind]
    options = [
        f"{prefix} {option}" for option in (*directives(job, settings), *settings.directives)
    ]
    return "\n".join(["#!/usr/bin/env bash", *options, *_body(job, settings)]) + "\n"


def condor_description(job: DriverJob, settings: ClusterSettings) -> str:
    """Return what HTCondor is given for a driver's job, beside its script.

    Evicted, the job is signalled, goes back into the queue and goes on. There is no time limit
    but the site's.

    Parameters
    ----------
    job : DriverJob
        What it runs.
    settings : ClusterSettings
        Size of the job.

    Raises
    ------
    ClusterError
        A partition, or a directive that is no assignment.
    """
    commands = {
        "batch_name": job.name,
        "executable": job.script,
        "transfer_executable": "False",
        "initialdir": job.folder,
        "log": job.log.with_suffix(".condor"),
        "getenv": "True",
        "environment": '"CONDOR_JOB_ID=$(ClusterId)"',
        "request_cpus": settings.cores,
        "request_memory": settings.memory_mib,
        "kill_sig": "SIGUSR1",
        "on_exit_remove": "ExitBySignal || ExitCode != 99",
    } | of_the_site(settings)
    return "\n".join([*(f"{key} = {value}" for key, value in commands.items()), "queue"]) + "\n"


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
