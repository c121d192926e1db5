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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=10)
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
    print_rate(n)
    print_memory(n)
    print_kills(n, asked.kills)


def print_rate(n: int) -> None:
    """Hold a rate that the server could exceed."""
    n = min(n, 2000)
    with small.Server(small.files_of(n)) as server, tempfile.TemporaryDirectory() as folder:
        plan = small.plan_of(server, Path(folder), n)
        small.downloader(rate_per_s=RATE_PER_S).run(plan, small.kind())
        rate = (n - 1) / (server.times[-1] - server.times[0])
    print(f"rate        {rate:6.1f} requests/s where {RATE_PER_S:.0f} were allowed")


def print_memory(n: int) -> None:
    """Compare the memory of a process that fetches few files with that of one for many."""
    peaks = []
    with small.Server(small.files_of(n)) as server:
        for few in (n // 2, n):
            with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(1) as pool:
                peaks.append(pool.apply(_peak_mb, (server.url, Path(folder), few)))
    print(f"memory      {peaks[0]:6.0f} MB for {n // 2} files, {peaks[1]:.0f} MB for {n}")


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
