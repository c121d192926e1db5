"""The lines of shell that every batch job runs before its workers."""

import shlex
from pathlib import Path

from cluster.jobs.keys import CERTIFICATE, KEY
from cluster.settings import ClusterSettings

MARK = "pairspec:"
"""Starts each line of a job's log that is ours."""
ENDED = f"{MARK} the job ended with status"

ENVIRONMENT = {
    "OMP_NUM_THREADS": 1,
    "MALLOC_TRIM_THRESHOLD_": 256 << 20,
    "MALLOC_MMAP_THRESHOLD_": 32 << 20,
    "GOMP_SPINCOUNT": 1000,
}
"""As for the workers of `local`; see cluster/connect.py."""


def prologue(settings: ClusterSettings, keys: Path, log: Path) -> list[str]:
    """Return complete statements of POSIX shell; HTCondor joins them by semicolons.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: `prologue`, `scratch`, walltime and margin.
    keys : pathlib.Path
        Folder of the keys of the run.
    log : pathlib.Path
        Where all that the job says goes.
    """
    lifetime, stagger = lifetime_s(settings)
    lines = [f"exec >>{quoted(log)} 2>&1", f"trap 'echo \"{ENDED} $?\"' EXIT"]
    # A shell that is not bash says nothing when a signal ends it.
    lines += ["trap 'exit 143' TERM"]
    lines += settings.prologue
    lines += [f"export {name}={value}" for name, value in ENVIRONMENT.items()]
    lines += [
        f"export DASK_DISTRIBUTED__WORKER__LIFETIME__DURATION='{lifetime}s'",
        f"export DASK_DISTRIBUTED__WORKER__LIFETIME__STAGGER='{stagger}s'",
        f'SCRATCH="{settings.scratch}"',
        'mkdir -p "$SCRATCH" && test -w "$SCRATCH" || '
        + _stop("cannot write to the scratch folder $SCRATCH; change cluster.scratch"),
        f"test -r {quoted(keys / CERTIFICATE)} && test -r {quoted(keys / KEY)} || "
        + _stop(
            f"cannot read {keys}: cluster.shared_folder must be on a file system that nodes share"
        ),
    ]
    return lines


def lifetime_s(settings: ClusterSettings) -> tuple[int, int]:
    """Return after what time a worker hands over and ends, and by how much that is varied.

    The latest worker ends one margin before the time limit. The others end earlier, so that their
    replacements do not all start at once.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: `walltime` and `margin`.
    """
    longest = settings.walltime_s - settings.margin
    stagger = longest // 20
    return longest - stagger, stagger


def quoted(path: Path) -> str:
    """Quote a path for the shell.

    Parameters
    ----------
    path : pathlib.Path
        Absolute.
    """
    return shlex.quote(str(path))


def _stop(why: str) -> str:
    # Not $(...), which HTCondor takes for a macro of its own.
    return f'{{ echo "{MARK} node `uname -n` {why}"; exit 1; }}'
