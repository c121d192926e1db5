"""What every kind of cluster gives to the door: where to connect, and how it is looked after."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed.security import Security


class ClusterError(RuntimeError):
    """The engine cannot be started, or has been lost; the message says which setting to change."""


class Engine:
    """A running engine.

    Parameters
    ----------
    target : object
        What a `distributed.Client` connects to: a cluster, or the address of a scheduler.
    security : distributed.security.Security, optional
        Keys of the client, where `target` does not carry them.
    """

    def __init__(self, target: Any, security: "Security | None" = None) -> None:
        self.target, self.security = target, security

    def refusal(self) -> str | None:
        """Tell why no worker will ever come, in the queue's own words, or None."""
        return None

    def tend(self, workers: Collection[str]) -> str | None:
        """Look after the workers.

        Parameters
        ----------
        workers : collection of str
            Names of those that are present.

        Returns
        -------
        str or None
            Why the work cannot go on, or None.
        """
        del workers
        return None
