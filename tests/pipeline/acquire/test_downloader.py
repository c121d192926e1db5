import gzip
import hashlib
import logging
import os
import time
import zlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.acquire.downloader import Downloader, ServerError
from pipeline.acquire.journal import Status
from pipeline.acquire.plan import freeze
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.secret import Secret
from pipeline.acquire.transfer import Kind, Wanted
from pipeline.settings.acquire import AcquireSettings
from tests.pipeline.acquire.server import Server

FAST = {
    "rate_per_s": 5000,
    "parallel": 8,
    "backoff_s": 0.001,
    "backoff_max_s": 0.01,
    "read_timeout_s": 0.3,
    "give_up_after": 1000,
}
TOKEN = "s3cret/to+ken"

WHOLE = ("moved", "encoded", "chunked")
"""Oddities that cost nothing."""
PASSING = ("busy", "error", "cut", "short", "drip", "silent")
"""Gone with the second attempt."""
LASTING = {
    "forbidden": Reason.NO_PERMISSION,
    "html": Reason.HTML,
    "empty": Reason.EMPTY,
    "short": Reason.CORRUPT,
    "cut": Reason.CUT,
    "error": Reason.SERVER_ERROR,
    "busy": Reason.BUSY,
    "loop": Reason.REDIRECT_LOOP,
    "elsewhere": Reason.OTHER_HOST,
    "other_range": Reason.WRONG_LENGTH,
}


def is_gzip(path: Path, key: str) -> None:
    """Check of the tests' files: a whole gzip stream."""
    try:
        gzip.decompress(path.read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FetchError(Reason.CORRUPT, str(error)) from None


def content_of(name: str, n_bytes: int = 600) -> bytes:
    noise = hashlib.shake_256(name.encode()).digest(n_bytes)
    return gzip.compress(noise, 1, mtime=0)


def files_of(n: int) -> dict[str, bytes]:
    return {f"/f/{i}": content_of(str(i)) for i in range(n)}


def plan_of(server: Server, out: Path, n: int, batch_rows: int = 300):
    wanted = (Wanted(str(i), f"{server.url}/f/{i}", out / f"{i % 7}" / f"{i}.gz") for i in range(n))
    return freeze(out, "files", wanted, batch_rows)


def kind(*, private: bool = False) -> Kind:
    return Kind("files", is_gzip, private=private)


def downloader(token: str = "", *, again: bool = False, **values) -> Downloader:
    return Downloader(AcquireSettings(**{**FAST, **values}), Secret(token), again=again)


def digests(out: Path) -> dict[str, str]:
    return {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file() and "ledger" not in path.parts
    }


def expected(files: dict[str, bytes], *without: str) -> dict[str, str]:
    return {
        path.rpartition("/")[2]: hashlib.sha256(content).hexdigest()
        for path, content in files.items()
        if path.rpartition("/")[2] not in without
    }


def by_tenth(path: str, attempt: int) -> str | None:
    """One file in ten fails: half of them for good, half of them once."""
    number = int(path.rpartition("/")[2])
    if number % 10:
        return None
    kinds = (*LASTING, *PASSING[:4], *WHOLE)
    fault = kinds[number // 10 % len(kinds)]
    lasting = number // 10 % len(kinds) < len(LASTING)
    return fault if lasting or attempt == 0 else None


def test_every_file_that_can_be_had_is_there_and_each_other_one_has_its_reason(tmp_path):
    n = 1000
    files = files_of(n)
    del files["/f/5"]
    with Server(files, by_tenth) as server:
        plan = plan_of(server, tmp_path, n)
        summary = downloader(read_timeout_s=10).run(plan, kind())
        lasting = {
            str(i): LASTING[list(LASTING)[i // 10 % 17]]
            for i in range(0, n, 10)
            if i // 10 % 17 < len(LASTING)
        } | {"5": Reason.NOT_FOUND}
        assert digests(tmp_path) == expected(files, *lasting)
        rows = pq.read_table(plan.folder / "results.parquet").to_pylist()
        assert [row["key"] for row in rows] == [str(i) for i in range(n)]
        assert {row["key"]: row["reason"] for row in rows if row["reason"]} == lasting
        assert summary.counts[Status.FETCHED] == n - len(lasting)
        assert summary.n_missing == len(lasting)
        assert sum(summary.reasons.values()) == len(lasting)
        assert max(server.complete.values()) == 1, "a file was fetched twice"
        assert summary.n_bytes == sum(
            len(files[f"/f/{row['key']}"]) for row in rows if not row["reason"]
        )

        # A second run asks for nothing but what may be there by now.
        before = server.attempts.copy()
        again = downloader(attempts=1).run(plan, kind())
        asked = {key.rpartition("/")[2] for key in (server.attempts - before)}
        assert asked == {
            key
            for key, reason in lasting.items()
            if reason in (Reason.CUT, Reason.SERVER_ERROR, Reason.BUSY, Reason.WRONG_LENGTH)
        }
        assert again.counts == summary.counts

        # The user may want the others, too.
        server.faults = lambda path, attempt: None
        full = downloader(again=True).run(plan, kind())
        assert digests(tmp_path) == expected(files)
        assert full.reasons == {"not_found": 1}


@pytest.mark.parametrize("fault", [*PASSING, *WHOLE])
def test_a_fault_that_passes_costs_no_file(tmp_path, fault):
    with Server(files_of(3), lambda path, n: fault if n == 0 else None) as server:
        summary = downloader().run(plan_of(server, tmp_path, 3), kind())
        assert digests(tmp_path) == expected(server.files)
        assert summary.counts[Status.FETCHED] == 3


@pytest.mark.parametrize("fault", ["drip", "silent"])
def test_a_server_that_is_too_slow(tmp_path, fault):
    with Server(files_of(2), lambda path, n: fault if path == "/f/0" else None) as server:
        plan = plan_of(server, tmp_path, 2)
        summary = downloader(attempts=2).run(plan, kind())
    assert summary.reasons == {"too_slow": 1}
    assert summary.counts[Status.FETCHED] == 1


def test_a_large_file_goes_on_where_it_was_cut(tmp_path):
    files = {"/f/0": content_of("large", 3 << 20)}
    faults = ("cut", "error", None)
    with Server(files, lambda path, n: faults[n]) as server:
        downloader().run(plan_of(server, tmp_path, 1), kind())
        assert digests(tmp_path) == expected(files)
        half = len(files["/f/0"]) // 2
        assert server.ranges_asked == [f"bytes={half}-"]
        assert server.sent_bytes < 0.6 * len(files["/f/0"])


@pytest.mark.parametrize("change", ["ranges", "file", "range"])
def test_a_large_file_begins_anew_where_it_cannot_go_on(tmp_path, change):
    first, second = content_of("large", 3 << 20), content_of("changed", 3 << 20)
    files = {"/f/0": first}
    faults = ["cut", "other_range" if change == "range" else None, None]

    def schedule(path: str, attempt: int) -> str | None:
        if attempt == 1 and change == "file":
            files["/f/0"] = second
        return faults[attempt]

    with Server(files, schedule, ranges=change != "ranges") as server:
        downloader().run(plan_of(server, tmp_path, 1), kind())
        assert digests(tmp_path) == expected({"/f/0": second if change == "file" else first})


def test_a_retry_after_is_obeyed_by_all(tmp_path):
    faults = {("/f/0", 0): "busy_a_second"}
    with Server(files_of(60), lambda path, n: faults.get((path, n))) as server:
        summary = downloader(parallel=1).run(plan_of(server, tmp_path, 60), kind())
        gaps = [b - a for a, b in zip(server.times, server.times[1:], strict=False)]
        assert gaps[0] >= 0.95
        assert summary.counts[Status.FETCHED] == 60


def test_a_server_that_asks_for_a_day_ends_the_run_and_all_is_kept(tmp_path):
    faults = {"/f/20": "busy_for_a_day"}
    with Server(files_of(30), lambda path, n: faults.get(path)) as server:
        plan = plan_of(server, tmp_path, 30)
        with pytest.raises(ServerError, match="asks to wait 1440 minutes"):
            downloader(parallel=1).run(plan, kind())
        assert len(digests(tmp_path)) >= 20
        server.faults = lambda path, attempt: None
        assert downloader().run(plan, kind()).n_missing == 0
        assert max(server.complete.values()) == 1


def test_a_server_that_lets_nothing_through_is_left_in_peace(tmp_path):
    with Server(files_of(500), token="right") as server:
        plan = plan_of(server, tmp_path, 500)
        with pytest.raises(ServerError, match="token_refused.*LAMOST_TOKEN"):
            downloader("wrong", give_up_after=20).run(plan, kind(private=True))
        assert len(server.times) < 60


def test_a_server_that_is_not_there(tmp_path):
    with Server({}) as server:
        plan = plan_of(server, tmp_path, 2)
    summary = downloader(attempts=2).run(plan, kind())
    assert summary.reasons == {"no_connection": 2}
    assert summary.counts[Status.FAILED] == 2


def test_the_rate_is_held(tmp_path):
    n, rate = 80, 80
    with Server(files_of(n)) as server:
        plan = plan_of(server, tmp_path, n)
        start = time.monotonic()
        downloader(rate_per_s=rate).run(plan, kind())
    # Measured from before the first one: a busy machine may be late, but never early. That
    # the rate is reached is a matter of test_pace.
    for i in range(n // 4, n):
        assert (server.times[i] - start) * rate > 0.95 * i


def test_files_that_are_there_are_not_asked_for(tmp_path):
    files = files_of(5)
    with Server(files) as server:
        plan = plan_of(server, tmp_path, 5)
        for i, content in ((1, files["/f/1"]), (2, b"torn")):
            (tmp_path / str(i)).mkdir()
            (tmp_path / str(i) / f"{i}.gz").write_bytes(content)
        summary = downloader().run(plan, kind())
        assert digests(tmp_path) == expected(files)
        assert summary.counts[Status.PRESENT] == 1
        assert "/f/1" not in server.attempts
        # One that was lost or cut short since is fetched again.
        (tmp_path / "3" / "3.gz").unlink()
        (tmp_path / "4" / "4.gz").write_bytes(b"")
        assert downloader().pending(plan) == 2
        downloader().run(plan, kind())
        assert digests(tmp_path) == expected(files)


def test_another_list_has_another_ledger_and_shares_the_files(tmp_path):
    with Server(files_of(20)) as server:
        downloader().run(plan_of(server, tmp_path, 10), kind())
        summary = downloader().run(plan_of(server, tmp_path, 20), kind())
        assert (summary.counts[Status.PRESENT], summary.counts[Status.FETCHED]) == (10, 10)
        assert max(server.complete.values()) == 1


def test_a_token_is_nowhere_but_in_requests(tmp_path, caplog, capfd):
    faults = ["forbidden", "html", "cut", "loop", "elsewhere", "error", "busy", "short", "empty"]

    def schedule(path: str, attempt: int) -> str | None:
        number = int(path.rpartition("/")[2])
        return faults[number] if number < len(faults) else None

    logging.getLogger().setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG), Server(files_of(12), schedule, TOKEN) as server:
        plan = plan_of(server, tmp_path, 13)
        summary = downloader(TOKEN, attempts=2).run(plan, kind(private=True))
        assert summary.counts[Status.FETCHED] == 3
        with pytest.raises(ServerError) as refused:
            downloader(TOKEN[:-1], give_up_after=1).run(plan, kind(private=True))
    down = freeze(tmp_path, "down", [Wanted("0", server.url, tmp_path / "0")], 10)
    downloader(TOKEN, attempts=1).run(down, kind(private=True))
    assert any("GET /f/9?token=***" in record.getMessage() for record in caplog.records)
    shown = [caplog.text, str(refused.value), *capfd.readouterr(), repr(Secret(TOKEN))]
    shown += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    shown += [str(path) for path in tmp_path.rglob("*")]
    shown += [Path(f"/proc/{os.getpid()}/cmdline").read_text()]
    for form in (TOKEN[:-1], "s3cret%2Fto%2Bke"):
        assert not [text for text in shown if form in text]
