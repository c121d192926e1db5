"""Gaia and 2MASS by a TAP service: joined there with our positions, in blocks."""

import gzip
import json
import multiprocessing
import os
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import pyvo
import requests
from astropy.table import Table
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.settings.load import load_settings
from tests.pipeline.acquire.tap_server import TapServer
from tests.pipeline.acquire.test_lamost import HEAD, N, row_of, serve
from tests.pipeline.acquire.test_lamost import acquire as acquire_lamost

FAST = ("rate_per_s=2000", "backoff_s=0.001", "attempts=2", "parallel=2")
GONE = 5
"""An observation without a source."""


def gaia() -> pa.Table:
    """Two sources beside each observation, one that was there in 2000, and one far from all."""
    seen = np.repeat(np.delete(np.arange(N), GONE), 2)
    ra = 30.0 + seen + np.tile([0, 2 / 3600], seen.size // 2)
    pmra = np.zeros(ra.size)
    fast = 30.0 + 3 + 150 / 3600 / np.cos(np.radians(20)), 20.0, 150 * 1000 / 16
    rows = np.array([*zip(ra, np.full(ra.size, 20.0), pmra, strict=True), fast, (200, 0, 0)])
    return pa.table(
        {
            "source_id": np.arange(len(rows)) + 4 * 10**18 + 1,
            "ra": rows[:, 0],
            "dec": rows[:, 1],
            "pmra": rows[:, 2],
            "pmdec": pa.array([0.0] * len(rows), mask=np.arange(len(rows)) == 1),
            "phot_g_mean_mag": np.float32(rows[:, 0] / 3),
            "unused": ["x"] * len(rows),
        }
    )


@pytest.fixture(scope="module")
def tables():
    sources = gaia()
    moved = np.append(30.0 + 3, sources["ra"].to_numpy()[0])
    tmass = {
        "RAJ2000": moved,
        "DEJ2000": [20.0, 20.0],
        "2MASS": ["1", None],
        "Kmag": [9.0, None],
    }
    return {"gaiadr3.gaia_source": sources, "II/246/out": pa.table(tmass)}


@pytest.fixture
def data(archive, tmp_path):
    with serve(archive) as server:
        acquire_lamost(server, tmp_path, "lamost-catalogue")
    return tmp_path


def acquire(server, out: Path, what: str = "gaia", *options: str):
    values = (f"gaia_tap_url={server.url}", f"tmass_tap_url={server.url}", "upload_rows=5", *FAST)
    sets = [part for value in values for part in ("--set", f"acquire.{value}")]
    return CliRunner().invoke(app, ["acquire", what, "--out", str(out), "--tap", *sets, *options])


def held(out: Path, name: str = "gaia") -> pa.Table:
    return pq.read_table(out / "catalogues" / f"{name}.parquet")


@pytest.mark.parametrize("options", [(), ("--set", "acquire.sync_rows=0")], ids=["sync", "async"])
def test_the_sources_around_the_observations_and_nothing_else(tables, data, options):
    with TapServer(tables) as server:
        dry = acquire(server, data, "gaia", "--dry-run", *options)
        assert dry.exit_code == 0, dry.output
        assert server.queries == []
        done = acquire(server, data, "gaia", *options)
        assert done.exit_code == 0, done.output
        assert sorted(server.uploads) == [2, 5, 5]
        assert server.n_jobs == (3 if options else 0)
        assert server.jobs == {}, "a job was left on the server"
        asked = len(server.queries)
        assert acquire(server, data, "gaia", *options).exit_code == 0
        assert len(server.queries) == asked, "a second run asks for nothing"
    expected = gaia().slice(0, gaia().num_rows - 1).drop_columns("unused")
    assert held(data).replace_schema_metadata() == expected.cast(
        expected.schema.set(5, pa.field("phot_g_mean_mag", pa.float64()))
    )
    [without] = (data / "ledger").rglob("without.parquet")
    assert pq.read_table(without)["obsid"].to_pylist() == [100 + GONE]
    assert load_settings(data / "pairspec.toml").inputs.gaia == str(
        data / "catalogues/gaia.parquet"
    )
    assert not list((data / "ledger").rglob("*.xml*"))


def test_sources_of_2mass_are_those_where_gaias_were_then(tables, data):
    with TapServer(tables) as server:
        assert "acquire gaia --tap first" in acquire(server, data, "tmass").output
        acquire(server, data)
        done = acquire(server, data, "tmass")
    assert done.exit_code == 0, done.output
    rows = held(data, "tmass").to_pylist()
    assert rows[0] == {"designation": "1", "ra": 33.0, "dec": 20.0, "k_m": 9.0}
    assert [row["k_m"] for row in rows] == [9.0, None]
    inputs = load_settings(data / "pairspec.toml").inputs
    assert inputs.tmass == str(data / "catalogues/tmass.parquet")


def test_an_answer_that_is_cut_becomes_a_job(tables, data):
    with TapServer(tables, sync_rows=7) as server:
        assert acquire(server, data).exit_code == 0
        assert server.n_jobs == 2, "two blocks have more than 7 sources, the third has 4"
    assert held(data).num_rows == gaia().num_rows - 1


def test_what_is_cut_even_by_a_job_is_refused_and_smaller_blocks_help(tables, data):
    with TapServer(tables, sync_rows=7, job_rows=7) as server:
        refused = acquire(server, data)
        assert refused.exit_code == 1
        assert "the answer is cut at 7 rows; lower acquire.upload_rows" in refused.output
        assert not (data / "catalogues/gaia.parquet").exists()
        done = acquire(server, data, "gaia", "--set", "acquire.upload_rows=2")
        assert done.exit_code == 0, done.output
    assert held(data).num_rows == gaia().num_rows - 1


@pytest.mark.parametrize(
    ("fault", "words", "sync"),
    [
        ("error", "server_error", 500),
        ("html", "html|corrupt", 500),
        ("refused", "bad_request", 500),
        ("cut", "cut|corrupt", 500),
        ("job", "not_wanted", 0),
        ("stuck", "too_slow", 0),
    ],
)
def test_a_block_that_fails_is_the_only_one_asked_for_again(tables, data, fault, words, sync):
    options = ("--set", f"acquire.sync_rows={sync}", "--set", "acquire.parallel=1")
    options += ("--set", "acquire.job_timeout_s=0.1") if fault == "stuck" else ()
    with TapServer(tables, lambda number: fault if number in (0, 1) else None) as server:
        passing = acquire(server, data, "gaia", *options, "--set", "acquire.attempts=1")
        assert passing.exit_code == 1
        assert any(word in passing.output for word in words.split("|")), passing.output
        assert "is written once every block is there" in passing.output
        assert not (data / "catalogues/gaia.parquet").exists()
        joined = len(server.uploads)
        server.faults = lambda number: None
        done = acquire(server, data, "gaia", *options[:4], "--again")
        assert done.exit_code == 0, done.output
        assert len(server.uploads) == joined + 2
        assert server.jobs == {}
    results = sorted((data / "ledger/gaia-tap").rglob("results.parquet"))
    assert set(pq.read_table(results[0])["status"].to_pylist()) == {"fetched"}
    assert held(data).num_rows == gaia().num_rows - 1


def test_what_a_service_says_of_a_refused_query_is_kept(tables, data):
    with TapServer(tables, lambda number: "refused") as server:
        acquire(server, data)
    [results] = (data / "ledger/gaia-tap").rglob("results.parquet")
    details = pq.read_table(results)["detail"].to_pylist()
    assert set(details) == {"HTTP status 400: no upload is allowed"}


def test_rows_without_a_position_on_the_sky_are_named(archive, tables, tmp_path):
    files, _ = archive
    lines = [row_of(i) for i in range(N)]
    lines[2] = lines[2].replace("|32|20|", "|||")
    lines[4] = lines[4].replace("|34|20|", "|34|99|")
    lines[6] = lines[6].replace("|36|20|", "|-324|20|")
    with serve((files, gzip.compress("\n".join([HEAD, *lines, ""]).encode()))) as server:
        acquire_lamost(server, tmp_path, "lamost-catalogue")
    with TapServer(tables) as server:
        done = acquire(server, tmp_path)
    assert done.exit_code == 0, done.output
    [without] = (tmp_path / "ledger").rglob("without.parquet")
    assert sorted(pq.read_table(without)["obsid"].to_pylist()) == [102, 104, 100 + GONE]


def test_a_table_that_is_not_there(tables, data):
    with TapServer({"gaiadr3.other": tables["gaiadr3.gaia_source"]}) as server:
        done = acquire(server, data)
        assert done.exit_code == 1
        assert "has no table gaiadr3.gaia_source; name another one" in done.output
        other = acquire(server, data, "gaia", "--set", "acquire.gaia_table=gaiadr3.other")
        assert other.exit_code == 0, other.output
        assert "--tap is not for dust" in acquire(server, data, "dust").output


def test_the_service_of_the_tests_is_one_for_pyvo_too(tables):
    mine = Table({"upload_row": [0, 1], "ra": [30.0, 100.0], "dec": [20.0, 0.0]})
    query = (
        "SELECT u.upload_row, t.source_id FROM TAP_UPLOAD.mine AS u JOIN gaiadr3.gaia_source AS t "
        "ON 1=CONTAINS(POINT('ICRS', t.ra, t.dec), CIRCLE('ICRS', u.ra, u.dec, 0.001))"
    )
    with TapServer(tables) as server, requests.Session() as session, ExitStack() as answers:
        # pyvo leaves answers open that it has not read to their end.
        session.hooks["response"] = [lambda answer, **_: answers.enter_context(answer)]
        service = pyvo.dal.TAPService(server.url, session=session)
        for run in (service.run_sync, service.run_async):
            rows = run(query, uploads={"mine": mine}).to_table()
            assert list(rows["source_id"]) == [4 * 10**18 + 1, 4 * 10**18 + 2]
            assert list(rows["upload_row"]) == [0, 0]
        assert server.jobs == {}


class _Address:
    def __init__(self, url: str) -> None:
        self.url = url


def _fetch(url: str, out: Path) -> None:
    """Work of a process that is killed."""
    os.close(2)
    acquire(_Address(url), out, "gaia", *_ONE_BY_ONE)


_ONE_BY_ONE = ("--set", "acquire.upload_rows=1", "--set", "acquire.rate_per_s=20")


@pytest.mark.timeout(900)
def test_killed_and_gone_on_with_no_block_twice(tables, data):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with TapServer(tables) as server:
        for kill in range(3):
            process = context.Process(target=_fetch, args=(server.url, data))
            process.start()
            deadline = time.monotonic() + 300
            while len(server.uploads) < 3 * (kill + 1) and process.is_alive():
                assert time.monotonic() < deadline, "the download stands still"
                time.sleep(0.002 * (kill + 1))
            process.kill()
            process.join()
        done = acquire(server, data, "gaia", *_ONE_BY_ONE)
        assert done.exit_code == 0, done.output
        # A block in flight when the process dies is asked for again: one per connection at most.
        assert N <= len(server.uploads) <= N + 3 * 2
    assert held(data).num_rows == gaia().num_rows - 1
    lines = [
        json.loads(line)
        for path in (data / "ledger/gaia-tap").rglob("*.jsonl")
        for line in path.read_text().splitlines()
        if line.endswith("}")
    ]
    fetched = [line["row"] for line in lines if line["status"] == "fetched"]
    assert len(fetched) == len(set(fetched)), "a block was fetched twice"
