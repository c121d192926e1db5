import json
import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path

from tests.pipeline.acquire.server import Server
from tests.pipeline.acquire.test_downloader import (
    FAST,
    digests,
    downloader,
    expected,
    files_of,
    kind,
    plan_of,
)


@dataclass(frozen=True)
class Address:
    """Where a server of another process is."""

    url: str


def _fetch(server: Address, out: Path, n: int) -> None:
    """Work of a process that is killed."""
    os.close(2)  # its progress would stand among that of the tests
    downloader(rate_per_s=400).run(plan_of(server, out, n, 50), kind())


def test_killed_and_gone_on_with_nothing_twice_and_nothing_torn(tmp_path):
    n = 200
    files = files_of(n)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with Server(files) as server:
        for kill in range(10):
            process = context.Process(target=_fetch, args=(Address(server.url), tmp_path, n))
            process.start()
            deadline = time.monotonic() + 30
            while len(server.times) < 15 * (kill + 1) and process.is_alive():
                assert time.monotonic() < deadline
                time.sleep(0.001 * (kill + 1))
            process.kill()
            process.join()
            for stem, digest in digests(tmp_path).items():
                assert stem.endswith(".gz") or digest == expected(files)[stem]
        downloader().run(plan_of(server, tmp_path, n, 50), kind())
        assert digests(tmp_path) == expected(files)
        # A request in flight when the process dies has no file yet: at most one per connection.
        assert sum(count > 1 for count in server.complete.values()) <= 10 * FAST["parallel"]
        journals = list(tmp_path.rglob("*.jsonl"))
        fetched = [
            json.loads(line)["row"] + 50 * int(path.stem)
            for path in journals
            for line in path.read_bytes().split(b"\n")
            if line.endswith(b"}") and b'"fetched"' in line
        ]
        assert len(fetched) == len(set(fetched)), "a file was fetched twice"
