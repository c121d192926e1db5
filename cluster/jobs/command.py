"""Commands of a queue, and what they say when they fail."""

import subprocess

from cluster.engine import ClusterError

_TIMEOUT_S = 30


def ask(*command: str, stdin: str | None = None) -> str:
    """Return what a command of the queue prints.

    Parameters
    ----------
    *command : str
        Command and arguments.
    stdin : str, optional
        What it reads.

    Raises
    ------
    ClusterError
        There is no such command, it failed, or it gave no answer; with its own words.
    """
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
    except FileNotFoundError:
        raise ClusterError(
            f"there is no {command[0]} on this machine: run this on a login node of the cluster, "
            "or choose another cluster.kind"
        ) from None
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{command[0]} gave no answer within {_TIMEOUT_S} s") from None
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())
        raise ClusterError(f"{command[0]} failed with exit code {done.returncode}: {words}")
    return done.stdout
