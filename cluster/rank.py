"""What runs on the worker of one rank: the process group around the caller's function."""

import gc
import os
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

Backend = Literal["auto", "cpu"]


@dataclass(frozen=True)
class Rank:
    """One member of a gang.

    Attributes
    ----------
    number, world
        This rank, from 0, and how many there are.
    address
        Dask address of the worker that it belongs on.
    on_host
        Ranks of the gang that share this worker's machine, this one included.
    """

    number: int
    world: int
    address: str
    on_host: int = 1


class PeerLostError(RuntimeError):
    """A rank could not go on because another one, or the connection to it, is gone."""


def sees_gpu() -> bool:
    """Tell whether torch sees a GPU in this process."""
    import torch

    return bool(torch.cuda.is_available())


def offer() -> tuple[str, int]:
    """Return the address of this worker's machine and a port that is free there."""
    from distributed import get_worker

    host = urlsplit(get_worker().address).hostname or "127.0.0.1"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.bind((host, 0))
        return host, int(listener.getsockname()[1])


def run_rank(
    rank: Rank,
    meeting: tuple[str, int],
    backend: Backend,
    timeout_s: float,
    function: Callable[..., Any],
    args: tuple[Any, ...],
) -> Any:
    """Run ``function(rank, *args)`` on this worker, as one rank of a process group.

    A gang of one has no process group. After an error the group is left as it is, and the
    process must not be used for another gang before it was started afresh.

    Parameters
    ----------
    rank : Rank
        Which rank of how many.
    meeting : tuple of (str, int)
        Host and port where the ranks meet.
    backend : {'auto', 'cpu'}
        NCCL where there is a GPU, else gloo; or gloo in any case.
    timeout_s : float
        After this time without an answer from its peers the rank gives up.
    function : callable
        Its first argument is the rank.
    args : tuple
        Its further arguments.

    Raises
    ------
    RuntimeError
        This is not the worker that the rank belongs on.
    PeerLostError
        The group could not be formed, or broke.
    Exception
        What `function` raised.
    """
    from distributed import get_worker

    here = get_worker().address
    if here != rank.address:
        raise RuntimeError(f"rank {rank.number} was sent to {rank.address} but is on {here}")
    if rank.world == 1:
        return function(rank, *args)
    _join(rank, meeting, backend, timeout_s)
    try:
        result = function(rank, *args)
    except Exception as error:
        # Nothing is taken down here, where it may block: the driver starts the process afresh.
        _forget_frames(error)
        if _is_loss(error):
            raise PeerLostError(str(error).splitlines()[0]) from None
        raise
    _leave()
    return result


def _join(rank: Rank, meeting: tuple[str, int], backend: Backend, timeout_s: float) -> None:
    import torch
    import torch.distributed as dist

    if dist.is_initialized():
        raise PeerLostError("the process still has the broken group of an earlier gang")
    gpu = backend == "auto" and sees_gpu()
    if gpu:
        # dask-cuda shows each worker its own GPU first.
        torch.cuda.set_device(0)
    host = f"[{meeting[0]}]" if ":" in meeting[0] else meeting[0]
    try:
        with _interface_of(rank.address):
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if gpu else "gloo",
                init_method=f"tcp://{host}:{meeting[1]}",
                rank=rank.number,
                world_size=rank.world,
                timeout=timedelta(seconds=timeout_s),
            )
    except (RuntimeError, OSError) as error:
        _leave()
        raise PeerLostError(f"the process group could not be formed: {error}") from None


def _leave() -> None:
    """Take down the group; torch deadlocks if a DistributedDataParallel object outlives it."""
    import torch.distributed as dist

    gc.collect()
    if dist.is_initialized():
        dist.destroy_process_group()


def _forget_frames(error: BaseException) -> None:
    """Drop the local variables that an error's traceback keeps alive."""
    seen: BaseException | None = error
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__


def _is_loss(error: Exception) -> bool:
    import torch.distributed as dist

    if isinstance(error, dist.DistError):
        return True
    text = str(error).lower()
    signs = ("gloo", "connection closed by peer", "connection reset by peer", "nccl", "tcpstore")
    return isinstance(error, RuntimeError) and any(sign in text for sign in signs)


@contextmanager
def _interface_of(address: str) -> Iterator[None]:
    """Tell gloo and NCCL to use the interface that the Dask worker listens on."""
    import psutil

    host = urlsplit(address).hostname or ""
    own = [
        name
        for name, cards in psutil.net_if_addrs().items()
        if any(card.address == host for card in cards)
    ]
    if not own:
        yield
        return
    names = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, own[0]))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
