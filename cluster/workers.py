"""Who the workers of a cluster are, and what became of those that died."""

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cluster.rank import sees_gpu

if TYPE_CHECKING:
    from distributed import Client

_DEATH = re.compile(r"Worker process \d+ (?:was killed|exited).*")
_OVERDUE = re.compile(r"Worker process still alive after")


def present(client: "Client") -> dict[str, Any]:
    """Ask the scheduler which workers there are now.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.

    Returns
    -------
    dict
        What the scheduler knows of each worker, by address.

    Raises
    ------
    OSError
        The scheduler does not answer.
    """
    # Not client.scheduler_info: every two seconds a timer of the client puts an answer without
    # workers in its place, and who reads it just then believes that all workers are gone.
    if client.scheduler is None:
        raise OSError("the client is closed")
    identity = client.sync(client.scheduler.identity, n_workers=-1)
    found: dict[str, Any] = identity["workers"]
    return found


def most_memory(client: "Client") -> int:
    """Return the most bytes of memory that a worker holds now.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    """
    return max((int(w["metrics"]["memory"]) for w in present(client).values()), default=0)


def deaths(client: "Client") -> set[str]:
    """Collect what the nannies of the workers that are present saw of deaths.

    A process that had to be killed, since it was asked to end and did not, is none.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.

    Returns
    -------
    set of str
        One sentence for each process that ended: its number, and its exit status or signal.
    """
    # A nanny may be gone by the time that it is asked: then there is nothing to learn from it.
    with suppress(OSError):
        nannies = [address for address, worker in present(client).items() if worker["nanny"]]
        logs = client.get_worker_logs(workers=nannies, nanny=True) if nannies else {}
        return set().union(*(_deaths(line for _, line in reversed(log)) for log in logs.values()))
    return set()


def _deaths(lines: Iterable[str]) -> set[str]:
    """Find deaths in the lines of a nanny's log, oldest first."""
    found: set[str] = set()
    overdue = False
    for line in lines:
        if match := _DEATH.search(line):
            found |= set() if overdue else {match.group()}
            overdue = False
        overdue = overdue or bool(_OVERDUE.search(line))
    return found


def host_of(address: str) -> str:
    """Return the machine of a worker."""
    return urlsplit(address).hostname or ""


def spread(addresses: list[str]) -> list[str]:
    """Order workers so that the first ones are on as many machines as there are."""
    seen: Counter[str] = Counter()
    turns = []
    for address in addresses:
        turns.append((seen[host_of(address)], address))
        seen[host_of(address)] += 1
    return [address for _, address in sorted(turns)]


def natural_ranks(client: "Client", *, use_gpu: bool) -> int:
    """Count the ranks that train fastest: one per GPU worker, else one per machine.

    On a CPU one rank with all cores as threads does the work of several ranks without their
    messages.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    use_gpu : bool
        False: GPUs are not to be used.
    """
    if use_gpu and any(client.run(sees_gpu).values()):
        return len(present(client))
    return len({host_of(address) for address in present(client)})
