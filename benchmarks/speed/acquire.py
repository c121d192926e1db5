"""Download of 5,000 small files, one in ten of them faulty, beside plain requests in a loop."""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import requests

from tests.pipeline.acquire import test_downloader as small
from tests.pipeline.acquire import test_killed as killed

RATE_PER_S = 400.0
"""Of the download that is killed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--rates", type=float, nargs="*", default=[20, 50])
    parser.add_argument("--memory", type=int, nargs="*", default=[500, 5000, 20_000])
    asked = parser.parse_args()
    n, files = asked.files, small.files_of(asked.files)
    with small.Server(files, small.by_tenth) as server, tempfile.TemporaryDirectory() as folder:
        plan = small.plan_of(server, Path(folder), n)
        start = time.perf_counter()
        summary = small.downloader(read_timeout_s=10).run(plan, small.kind())
        seconds = time.perf_counter() - start
        server.faults = lambda _path, _attempt: None
        start = time.perf_counter()
        for path in files:
            requests.get(f"{server.url}{path}", timeout=10).raise_for_status()
        plain = time.perf_counter() - start
    counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items() if count)
    print(f"acquire     {seconds:6.1f} s   {n / seconds:6.0f} files/s   {counts}")
    print(f"requests    {plain:6.1f} s   {n / plain:6.0f} files/s   no faults, nothing written")
    for rate_per_s in asked.rates:
        print_rate(rate_per_s)
    print_memory(asked.memory)
    print_kills(n, asked.kills)


def print_rate(rate_per_s: float, seconds: float = 20) -> None:
    """Hold a rate that both sides could exceed."""
    n = int(rate_per_s * seconds)
    with small.Server(small.files_of(n)) as server, tempfile.TemporaryDirectory() as folder:
        plan = small.plan_of(server, Path(folder), n)
        small.downloader(rate_per_s=rate_per_s).run(plan, small.kind())
        reached = (n - 1) / (server.times[-1] - server.times[0])
    off = 100 * (reached / rate_per_s - 1)
    print(f"rate        {reached:6.2f} requests/s where {rate_per_s:g} were stated: {off:+.1f} %")


def print_memory(counts: list[int]) -> None:
    """Compare the memory of processes that fetch few files and many."""
    with small.Server(small.files_of(max(counts, default=0))) as server:
        for n in counts:
            with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(1) as pool:
                peak = pool.apply(_peak_mb, (server.url, Path(folder), n))
            print(f"memory      {peak:6.0f} MB at most for {n} files")


def _peak_mb(url: str, out: Path, n: int) -> float:
    plan = small.plan_of(killed.Address(url), out, n)
    small.downloader(read_timeout_s=10).run(plan, small.kind())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def print_kills(n: int, kills: int) -> None:
    """Kill a download at some moments, and compare every file at the end."""
    server = small.Server(small.files_of(n), small.by_tenth)
    with server, tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        killed.kill_and_go_on(server, out, n, kills, RATE_PER_S)
        whole = small.digests(out) == small.expected(server.files, *killed.lasting(n))
        numbers = list(killed.fetched(out))
    twice = len(numbers) - len(set(numbers))
    print(f"killed      {kills} times: all that can be had is there: {whole}; twice: {twice}")


if __name__ == "__main__":
    multiprocessing.set_start_method("forkserver")
    main()
