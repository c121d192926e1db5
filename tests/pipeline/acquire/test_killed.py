import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.acquire.server import Server
from tests.pipeline.acquire.test_downloader import (
    FAST,
    LASTING,
    by_tenth,
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


def _fetch(server: Address, out: Path, n: int, rate_per_s: float) -> None:
    """Work of a process that is killed."""
    os.close(2)  # its progress would stand among that of the tests
    settings = {"rate_per_s": rate_per_s, "read_timeout_s": 10}
    downloader(**settings).run(plan_of(server, out, n, 50), kind())


def kill_and_go_on(server: Server, out: Path, n: int, kills: int, rate_per_s: float) -> None:
    """Download with a kill at so many moments, then to the end.

    Parameters
    ----------
    server : Server
        Has the files.
    out : pathlib.Path
        Where to.
    n : int
        Files.
    kills : int
        How often.
    rate_per_s : float
        Requests per second.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    for kill in range(kills):
        arguments = (Address(server.url), out, n, rate_per_s)
        process = context.Process(target=_fetch, args=arguments)
        process.start()
        deadline = time.monotonic() + 300
        while len(server.times) < 0.75 * n * (kill + 1) / kills and process.is_alive():
            if time.monotonic() > deadline:
                raise TimeoutError("the download stands still")
            time.sleep(0.001 * (kill + 1))
        process.kill()
        process.join()
        for stem, digest in digests(out).items():
            # A file is whole, or it has the name of one in the making.
            assert stem.endswith(".gz") or digest == expected(server.files)[stem]
    downloader(read_timeout_s=10).run(plan_of(server, out, n, 50), kind())


def lasting(n: int) -> set[str]:
    """Files that `by_tenth` never gives."""
    kinds = len(LASTING) + 7
    return {str(i) for i in range(0, n, 10) if i // 10 % kinds < len(LASTING)}


def fetched(out: Path) -> Iterator[int]:
    """Yield the number of each file as often as it was fetched."""
    for path in out.rglob("*.jsonl"):
        for line in path.read_bytes().split(b"\n"):
            if line.endswith(b"}") and b'"fetched"' in line:
                yield json.loads(line)["row"] + 50 * int(path.stem)


@pytest.mark.timeout(900)
def test_killed_and_gone_on_with_nothing_twice_and_nothing_torn(tmp_path):
    n, kills = 200, 10
    with Server(files_of(n), by_tenth) as server:
        kill_and_go_on(server, tmp_path, n, kills, rate_per_s=400)
        assert digests(tmp_path) == expected(server.files, *lasting(n))
        # A request in flight when the process dies has no file yet: at most one per connection.
        assert sum(count > 1 for count in server.complete.values()) <= kills * FAST["parallel"]
    numbers = list(fetched(tmp_path))
    assert len(numbers) == len(set(numbers)), "a file was fetched twice"
