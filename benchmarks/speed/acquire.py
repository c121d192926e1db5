"""Download of 5,000 small files, one in ten of them faulty, beside plain requests in a loop."""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import requests

from tests.pipeline.acquire import test_downloader as small


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    n = parser.parse_args().files
    files = small.files_of(n)
    with small.Server(files, small.by_tenth) as server, tempfile.TemporaryDirectory() as folder:
        plan = small.plan_of(server, Path(folder), n)
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        summary = small.downloader(read_timeout_s=10).run(plan, small.kind())
        seconds = time.perf_counter() - start
        grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1e3
        server.faults = lambda _path, _attempt: None
        start = time.perf_counter()
        for path in files:
            requests.get(f"{server.url}{path}", timeout=10).raise_for_status()
        plain = time.perf_counter() - start
    counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items() if count)
    print(f"acquire     {seconds:6.1f} s   {n / seconds:6.0f} files/s   {counts}")
    print(f"requests    {plain:6.1f} s   {n / plain:6.0f} files/s   no faults, nothing written")
    print(f"resident memory grew by {grown_mb:.0f} MB (server included)")


if __name__ == "__main__":
    main()
