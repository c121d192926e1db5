"""What a queue or a job said when it refused, in one line, and which setting to change."""

import re

_SETTINGS = (
    (r"account|AllowAccounts|project", "cluster.account"),
    (r"partition(?!Config|TimeLimit)|queue", "cluster.partition"),
    (r"mem(ory)?\b|MaxMem", "cluster.memory"),
    (r"time ?limit|walltime|runlimit", "cluster.walltime"),
    (r"gres|gpu", "cluster.gpus"),
    (r"cpu|core|PartitionConfig|node configuration|slots", "cluster.cores"),
    (r"feature|constraint|qos|option|unrecognized", "cluster.directives"),
    (r"Error|No such file|command not found", "cluster.prologue"),
)

_TRANSIENT = re.compile(
    r"unable to contact|socket timed out|connection (refused|timed out)|temporarily|try again|"
    r"did not answer",
    re.IGNORECASE,
)

_HOPELESS = re.compile(
    r"MaxMemPerLimit|PartitionTimeLimit|PartitionConfig|PartitionNodeLimit|can't use this partition"
    r"|AccountNotAllowed|InvalidAccount|InvalidQOS|QOSNotAllowed|BadConstraints|PerJob|"
    r"launch failed|JobHeld|DependencyNeverSatisfied",
    re.IGNORECASE,
)
"""Reasons of waiting jobs that SLURM accepts although they can never start as they are."""


def advice(words: str) -> str:
    """Name the setting to change, unless the words do so themselves.

    Parameters
    ----------
    words : str
        What the queue or the job said.
    """
    if "cluster." in words:
        return ""
    for pattern, name in _SETTINGS:
        if re.search(pattern, words, re.IGNORECASE):
            return f"; change {name}"
    return "; look at the settings below [cluster]"


def is_transient(words: str) -> bool:
    """Tell whether the queue only did not answer.

    Parameters
    ----------
    words : str
        What its command said.
    """
    return bool(_TRANSIENT.search(words))


def is_hopeless(reason: str) -> bool:
    """Tell whether a waiting job can never start.

    Parameters
    ----------
    reason : str
        Why it waits, as SLURM says it.
    """
    return bool(_HOPELESS.search(reason))


def one_line(text: str) -> str:
    """Join the last lines of what a command or a log said.

    Parameters
    ----------
    text : str
        Any number of lines.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-3:])
