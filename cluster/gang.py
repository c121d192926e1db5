"""Runs one torch rank a worker: all of them or none, from the start again if one is lost."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cluster.rank import Backend, PeerLostError, Rank, offer, run_rank
from cluster.workers import deaths, host_of, present, spread

if TYPE_CHECKING:
    from distributed import Client, Future

_POLL_S = 0.2
_GRACE_S = 3.0
_RESTART_S = 60.0


class GangError(RuntimeError):
    """A gang cannot be formed, or was lost too often."""


class RankError(RuntimeError):
    """A rank failed by itself; the message names it, the cause is its error."""


class _LostError(Exception):
    """A worker is gone, or its rank cannot go on without another."""


@dataclass(frozen=True)
class GangOptions:
    """How a gang is formed and how much it puts up with.

    Parameters
    ----------
    ranks : int
        Ranks, one per worker; 0: all workers there are at the start.
    min_ranks : int
        With how many to go on when lost workers do not come back; 0: not with fewer.
    max_restarts : int
        How often the gang starts again after a loss.
    rejoin_s : float
        How long to wait for workers.
    timeout_s : float
        After this time without an answer from its peers a rank gives up.
    backend : {"auto", "cpu"}
        NCCL where there is a GPU, else gloo; or gloo in any case.
    """

    ranks: int = 0
    min_ranks: int = 0
    max_restarts: int = 3
    rejoin_s: float = 60.0
    timeout_s: float = 600.0
    backend: Backend = "auto"


def run_gang(
    client: "Client",
    function: Callable[..., Any],
    *args: Any,
    options: GangOptions,
    notify: Callable[[str], None],
) -> list[Any]:
    """Run ``function(rank, *args)`` on several workers at once, in one process group.

    The default process group of ``torch.distributed`` stands while `function` runs, if there is
    more than one rank. When a worker is lost, the others' ranks are ended, their workers started
    afresh, and the whole gang runs again: `function` must go on from its own checkpoints.

    Parameters
    ----------
    client : distributed.Client
        Of a cluster whose size is fixed.
    function : callable
        Top-level; its first argument is the :class:`cluster.rank.Rank`.
    *args
        Its further arguments.
    options : GangOptions
        How.
    notify : callable
        Gets a sentence for every loss, and one for how each lost process ended.

    Returns
    -------
    list
        What each rank returned, in order of rank.

    Raises
    ------
    RankError
        `function` itself failed on a rank. In a gang of one its own error is raised.
    GangError
        Too few workers, or too many losses.
    """
    wanted = options.ranks
    known = deaths(client)
    for attempt in range(options.max_restarts + 1):
        ranks = _form(client, wanted, options)
        seen = deaths(client)
        for death in sorted(seen - known):
            notify(death)
        known = seen
        wanted = wanted or len(ranks)
        try:
            return _attempt(client, function, args, ranks, options)
        except _LostError as error:
            lost = str(error)
            left = options.max_restarts - attempt
            notify(f"{lost}; " + (f"{left} restarts left" if left else "no restart left"))
            _refresh(client, ranks)
        except RankError:
            _refresh(client, ranks)
            raise
    raise GangError(
        f"the gang was lost {options.max_restarts + 1} times, last because {lost}; look into the "
        "workers' logs (memory?), then run the same command again to go on"
    )


def _form(client: "Client", wanted: int, options: GangOptions) -> list[Rank]:
    """Wait for the workers; one rank for each, ordered by address."""
    deadline = time.monotonic() + options.rejoin_s
    while True:
        addresses = sorted(present(client))
        if len(addresses) >= max(wanted, 1):
            break
        if time.monotonic() > deadline:
            least = options.min_ranks or wanted
            if len(addresses) >= max(least, 1):
                break
            raise GangError(
                f"{max(wanted, 1)} ranks need as many workers, but {len(addresses)} are there "
                f"after {options.rejoin_s:.0f} s: start more workers, or allow fewer ranks"
            )
        time.sleep(_POLL_S)
    addresses = spread(addresses)[: wanted or None]
    if len(addresses) > 1 and any(address.startswith("inproc:") for address in addresses):
        raise GangError(
            f"{len(addresses)} ranks need as many processes, but the workers are threads of this "
            "one: ask for one rank, or for a cluster of processes"
        )
    hosts = [host_of(address) for address in addresses]
    on_host = Counter(hosts)
    return [
        Rank(number, len(addresses), address, on_host[host])
        for number, (address, host) in enumerate(zip(addresses, hosts, strict=True))
    ]


def _attempt(
    client: "Client",
    function: Callable[..., Any],
    args: tuple[Any, ...],
    ranks: list[Rank],
    options: GangOptions,
) -> list[Any]:
    meeting = _collect(client, {_pinned(client, ranks[0], offer): ranks[0]})[0]
    futures = {
        _pinned(
            client,
            rank,
            run_rank,
            rank,
            meeting,
            options.backend,
            options.timeout_s,
            function,
            args,
        ): rank
        for rank in ranks
    }
    return _collect(client, futures)


def _pinned(
    client: "Client", rank: Rank, function: Callable[..., Any], *args: Any
) -> "Future[Any]":
    return client.submit(
        function,
        *args,
        workers=[rank.address],
        allow_other_workers=False,
        pure=False,
        retries=0,
    )


def _collect(client: "Client", futures: "dict[Future[Any], Rank]") -> list[Any]:
    """Wait for all ranks; give them all up as soon as one is lost or has failed."""
    try:
        while not all(future.status == "finished" for future in futures):
            if any(future.status in ("error", "cancelled", "lost") for future in futures):
                _settle(futures)
                raise _failure(futures)
            if gone := _gone(client, futures.values()):
                names = ", ".join(f"rank {r.number} ({r.address})" for r in gone)
                raise _LostError(f"the worker of {names} is gone")
            time.sleep(_POLL_S)
        return list(client.gather(list(futures)))
    finally:
        client.cancel([future for future in futures if not future.done()], force=True)


def _gone(client: "Client", ranks: Iterable[Rank]) -> list[Rank]:
    # A scheduler that does not answer once says nothing of the workers: it is asked again.
    with suppress(OSError):
        there = present(client)
        return [rank for rank in ranks if rank.address not in there]
    return []


def _settle(futures: "dict[Future[Any], Rank]") -> None:
    """Give the other ranks the time to notice and to end by themselves."""
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline and not all(future.done() for future in futures):
        time.sleep(_POLL_S)


def _failure(futures: "dict[Future[Any], Rank]") -> Exception:
    """Tell a rank's own error from what follows from the loss of another."""
    lost = "a task was cancelled"
    for future, rank in futures.items():
        if future.status != "error":
            continue
        error: Exception = future.exception()
        if isinstance(error, PeerLostError):
            lost = f"rank {rank.number} ({rank.address}) lost its peers: {error}"
        elif rank.world == 1:
            return error
        else:
            named = RankError(
                f"rank {rank.number} of {rank.world} on {rank.address} failed: "
                f"{type(error).__name__}: {error}"
            )
            named.__cause__ = error
            return named
    return _LostError(lost)


def _refresh(client: "Client", ranks: list[Rank]) -> None:
    """Start the survivors' processes afresh: they may wait for a peer, in a broken group."""
    there = present(client)
    ours = [r.address for r in ranks if there.get(r.address, {}).get("nanny")]
    if ours:
        client.restart_workers(ours, timeout=_RESTART_S, raise_for_error=False)
