"""The scheduler under many tasks: our window beside all tasks at once.

    python benchmarks/speed/scheduler.py [--tasks 1709 20000] [--workers 2 16 64] [--ways ...]

Tasks that do nothing, from a driver that holds the scheduler as it does with batch jobs, on workers
that are simulated: all of them are in one other process, and everything is encrypted. Quoted are
tasks per second, the driver's processor time per task, and its memory: before the first task, after
a quarter of the tasks, and the largest.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

WAYS = ("window", "at once")
MB = 1e6


def nothing(number: int) -> int:
    """Be a task."""
    return number


async def be_workers(address: str, keys: Path, n_workers: int) -> None:
    """Be so many workers, until the scheduler ends."""
    from distributed import Worker

    from cluster.jobs.keys import security_of

    security = security_of(keys)
    workers = [
        Worker(address, nthreads=1, security=security, memory_limit=0, dashboard=False, name=number)
        for number in range(n_workers)
    ]
    await asyncio.gather(*workers)
    await asyncio.gather(*(worker.finished() for worker in workers))


def results(way: str, client, n_tasks: int) -> Iterator[int]:
    from distributed import as_completed

    from cluster.window import run_window

    if way == "window":
        yield from run_window(client, nothing, range(n_tasks))
        return
    for future in as_completed(client.map(nothing, range(n_tasks), pure=False)):
        yield future.result()
        future.release()


def measure(way: str, n_tasks: int, n_workers: int) -> dict[str, float]:
    """Run so many tasks in this process."""
    import psutil
    from distributed import Client, LocalCluster

    from cluster.jobs.keys import make_keys, security_of

    me = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        keys = make_keys(Path(folder))
        security = security_of(keys)
        with (
            LocalCluster(
                n_workers=0, protocol="tls", security=security, dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
            ) as cluster,
            Client(cluster) as client,
        ):  # fmt: skip
            command = [sys.executable, __file__, "--be", cluster.scheduler_address, str(keys)]
            others = subprocess.Popen([*command, str(n_workers)], stderr=subprocess.DEVNULL)
            client.wait_for_workers(n_workers, timeout=120)
            before = me.memory_info().rss
            begin, used = time.perf_counter(), time.process_time()
            quarter = before
            for count, _ in enumerate(results(way, client, n_tasks)):
                if count == n_tasks // 4:
                    quarter = me.memory_info().rss
            seconds = time.perf_counter() - begin
            cpu_s = time.process_time() - used
        others.wait(timeout=60)
    return {
        "tasks_per_s": n_tasks / seconds,
        "cpu_ms": 1e3 * cpu_s / n_tasks,
        "before_mb": before / MB,
        "quarter_mb": quarter / MB,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[1709, 20000])
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 16, 64])
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--be", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be:
        address, keys, n_workers = options.be
        asyncio.run(be_workers(address, Path(keys), int(n_workers)))
        return
    if options.one:
        way, n_tasks, n_workers = options.one
        print(json.dumps(measure(way, int(n_tasks), int(n_workers))))
        return
    print(f"{'way':<8} {'tasks':>6} {'workers':>7} {'tasks/s':>8} {'ms/task':>8} "
          f"{'MB before':>9} {'quarter':>8} {'peak':>6}")  # fmt: skip
    for n_workers in options.workers:
        for n_tasks in options.tasks:
            for way in options.ways:
                command = [sys.executable, __file__, "--one", way, str(n_tasks), str(n_workers)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found = json.loads(done.stdout.splitlines()[-1])
                print(
                    f"{way:<8} {n_tasks:>6} {n_workers:>7} {found['tasks_per_s']:>8.0f} "
                    f"{found['cpu_ms']:>8.2f} {found['before_mb']:>9.0f} "
                    f"{found['quarter_mb']:>8.0f} {found['peak_mb']:>6.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
