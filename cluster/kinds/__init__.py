"""The kinds of clusters, one small file each: settings in, a running engine out."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module

from cluster.engine import Engine
from cluster.settings import ClusterSettings

Notify = Callable[[str], None]
Start = Callable[[ClusterSettings, Notify], AbstractContextManager[Engine]]

MODULES = {
    "local": "machine",
    "inline": "machine",
    "address": "address",
    "cuda": "cuda",
    "slurm": "queue",
    "pbs": "queue",
    "lsf": "queue",
    "sge": "queue",
    "htcondor": "queue",
    "oar": "queue",
    "moab": "queue",
    "allocation": "allocation",
}
"""Module of each kind; its ``start(settings, notify)`` is a context manager around the engine."""


def starter(kind: str) -> Start:
    """Return the function that starts an engine of a kind; what it needs is imported now only.

    Parameters
    ----------
    kind : str
        One of :data:`cluster.settings.KINDS`.
    """
    start: Start = import_module(f"cluster.kinds.{MODULES[kind]}").start
    return start
