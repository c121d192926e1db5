import ctypes
import os
import signal
import time
from pathlib import Path

import pytest

from cluster.connect import connect
from cluster.gang import GangError, GangOptions, RankError, run_gang
from cluster.rank import Rank, run_rank
from cluster.settings import ClusterSettings
from cluster.workers import present

CPU = GangOptions(backend="cpu", rejoin_s=60)


@pytest.fixture(name="pair", scope="module")
def two_workers():
    with connect(ClusterSettings(workers=2, memory_limit="1GiB")) as client:
        yield client


def total(rank: Rank, value: int) -> tuple[int, float, str]:
    import torch
    import torch.distributed as dist
    from distributed import get_worker

    tensor = torch.full((3,), float(rank.number + value))
    if rank.world > 1:
        dist.all_reduce(tensor)
    return rank.number, tensor[0].item(), get_worker().address


def parallel_then_fail(rank: Rank) -> None:
    """Rank 1 fails while its network and rank 0's are still in the process group."""
    import torch

    network = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 1))
    for step in range(1000):
        if rank.number == 1 and step == 3:
            raise ArithmeticError("not a number")
        network(torch.ones(2, 4)).sum().backward()


def die_once(rank: Rank, folder: Path) -> str:
    """Rank 1 is killed the first time, in the middle of its work."""
    import torch
    import torch.distributed as dist

    count = len(list(folder.glob("started-*")))
    dist.barrier()
    if rank.number == 0:
        (folder / f"started-{count}").touch()
    for step in range(20):
        tensor = torch.ones(1)
        dist.all_reduce(tensor)
        if rank.number == 1 and step == 10 and count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return f"attempt {count}"


def die_beside_one_that_hangs(rank: Rank, folder: Path) -> int:
    """Rank 1 is killed the first time, while rank 0 is in a call in which nothing else runs."""
    again = (folder / "killed").exists()
    if rank.number == 1 and not again:
        time.sleep(2)
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if rank.number == 0 and not again:
        ctypes.PyDLL(None).sleep(60)  # it holds the interpreter's lock
    return rank.number


def die_always(rank: Rank) -> None:
    if rank.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.5)


def run(client, function, *args, options=CPU, notes=None):
    return run_gang(
        client, function, *args, options=options, notify=(notes if notes is not None else []).append
    )


def test_each_rank_runs_on_its_own_worker(pair):
    results = run(pair, total, 5)
    assert [r[:2] for r in results] == [(0, 11.0), (1, 11.0)]
    assert len({r[2] for r in results}) == 2
    assert [r[:2] for r in run(pair, total, 5)] == [(0, 11.0), (1, 11.0)]  # and again
    assert [r[:2] for r in run(pair, total, 5, options=GangOptions(ranks=1))] == [(0, 5.0)]


def test_an_error_names_its_rank_and_does_not_hang_the_others(pair):
    begin = time.monotonic()
    notes = []
    with pytest.raises(RankError, match=r"rank 1 of 2 on tls.*ArithmeticError: not a number") as e:
        run(pair, parallel_then_fail, notes=notes)
    assert isinstance(e.value.__cause__, ArithmeticError)
    assert time.monotonic() - begin < 90
    assert notes == []  # an error of one's own is no reason to try again
    assert [r[1] for r in run(pair, total, 1)] == [3.0, 3.0]


def test_a_killed_worker_restarts_the_gang(pair, tmp_path):
    before = set(present(pair))
    notes = []
    assert run(pair, die_once, tmp_path, notes=notes) == ["attempt 1", "attempt 1"]
    assert len(notes) == 2 and "3 restarts left" in notes[0]
    assert "was killed by signal 9" in notes[1]
    after = set(present(pair))
    assert len(after) == 2 and not after & before  # the survivor was started afresh, too


@pytest.mark.timeout(240)
def test_a_survivor_that_had_to_be_killed_is_not_reported_as_a_death(pair, tmp_path):
    notes = []
    assert run(pair, die_beside_one_that_hangs, tmp_path, notes=notes) == [0, 1]
    assert [("killed by signal" in note, "is gone" in note) for note in notes] == [
        (False, True), (True, False),
    ]  # fmt: skip


@pytest.mark.timeout(240)
def test_restarts_are_bounded(pair):
    options = GangOptions(backend="cpu", max_restarts=1)
    notes = []
    with pytest.raises(GangError, match="lost 2 times.*run the same command again"):
        run(pair, die_always, options=options, notes=notes)
    left = [n.rpartition("; ")[2] for n in notes if "left" in n]
    assert left == ["1 restarts left", "no restart left"]


def test_too_few_workers(pair):
    pair.wait_for_workers(2, timeout=60)
    short = GangOptions(ranks=3, rejoin_s=0.5)
    with pytest.raises(GangError, match="3 ranks need as many workers, but 2 are there"):
        run(pair, total, 1, options=short)
    fewer = GangOptions(ranks=3, min_ranks=2, rejoin_s=0.5, backend="cpu")
    assert len(run(pair, total, 1, options=fewer)) == 2


def test_a_rank_checks_where_it_is(pair):
    rank = Rank(0, 1, "tcp://10.0.0.1:1")
    with pytest.raises(RuntimeError, match="was sent to tcp://10.0.0.1:1"):
        pair.submit(run_rank, rank, ("", 0), "cpu", 5, total, (1,), pure=False).result()


def test_threads_of_one_process_are_no_gang():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as c,
        Client(c) as client,
    ):
        with pytest.raises(GangError, match="cluster of processes"):
            run(client, total, 1)
        with pytest.raises(ZeroDivisionError):  # of one rank alone: its own error
            run(client, divide, options=GangOptions(ranks=1))


def divide(rank: Rank) -> float:
    return 1 / rank.number
