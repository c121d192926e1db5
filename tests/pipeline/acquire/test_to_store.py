"""Spectra straight into the store: the run that download and ingest give, and no files."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from pipeline.core.records import read_records, records_path
from pipeline.settings.load import load_settings
from pipeline.stages import run_stage
from pipeline.verify.verify import verify
from tests.pipeline.acquire.test_lamost import acquire, serve

SHARDS = ("--set", "ingest.shard_rows=4", "--set", "ingest.chunk_rows=2")
GONE = "/dr10/v2.0/spectrum/fits/105"


@pytest.fixture
def server(archive):
    with serve(archive) as running:
        yield running


def to_store(server, out: Path, *options: str):
    done = acquire(
        server, out, "lamost-spectra", "--where", "true", "--to-store", *SHARDS, *options
    )
    return done.exit_code, done.output


def fetch_catalogue(server, out: Path) -> None:
    """Its time of change is part of what a run is told apart by."""
    acquire(server, out, "lamost-catalogue")
    os.utime(out / "catalogues/dr10_v2.0_LRS_stellar.csv.gz", (0, 0))


def straight(server, out: Path) -> None:
    fetch_catalogue(server, out)
    assert to_store(server, out)[0] == 0


def downloaded(server, out: Path, client) -> None:
    """The same by way of files."""
    fetch_catalogue(server, out)
    acquire(server, out, "lamost-spectra", "--where", "true")
    sets = ["ingest.shard_rows=4", "ingest.chunk_rows=2"]
    run_stage("ingest", load_settings(out / "pairspec.toml", sets), client)


def test_the_store_is_that_of_files_and_no_file_is_kept(server, tmp_path, client, digest_tree):
    downloaded(server, tmp_path / "a", client)
    straight(server, tmp_path / "b")
    store = digest_tree(tmp_path / "a/run/spectra.zarr")
    assert digest_tree(tmp_path / "b/run/spectra.zarr") == store
    assert not list((tmp_path / "b").rglob("*.fits*"))
    asked = len(server.times)
    assert to_store(server, tmp_path / "b")[0] == 0
    assert len(server.times) == asked
    settings = load_settings(tmp_path / "b/pairspec.toml")
    assert settings.inputs.spectra is None
    report = run_stage("ingest", settings, client)
    assert report.counts["spectra"] == 11
    files, straight_on = (digest_tree(tmp_path / name / "run") for name in "ab")
    # These records name the inputs by their paths.
    for name in ("ledger/lamost_catalogue.jsonl", "ledger/observations.json"):
        assert files.pop(name)
        assert straight_on.pop(name)
    assert straight_on == files
    assert not verify(settings.root, deep=True).damaged


def test_a_lost_shard_is_not_taken_for_files_that_cannot_be_read(server, tmp_path, client):
    straight(server, tmp_path)
    (tmp_path / "run/spectra.zarr/flux/c/1/0").unlink()
    with pytest.raises(ValueError, match="no folder of spectra is named"):
        run_stage("ingest", load_settings(tmp_path / "pairspec.toml"), client)


def test_files_that_fail_stop_the_run_or_are_left_out(server, tmp_path):
    acquire(server, tmp_path, "lamost-catalogue")
    server.faults = lambda path, attempt: "error" if path == GONE else None
    code, output = to_store(server, tmp_path)
    assert code == 1
    assert "--skip-failed" in output
    assert not (tmp_path / "run").exists()
    code, output = to_store(server, tmp_path, "--skip-failed")
    assert code == 1, "a file that may be had tomorrow is told"
    assert "server_error" in output
    assert "takes none up later" in output and "run the same command again" not in output
    records, _ = read_records(records_path(tmp_path / "run", "ingest"))
    assert sum(record["counts"]["files"] for record in records) == 10


def test_another_run_is_left_alone(server, tmp_path):
    straight(server, tmp_path)
    options = ("--limit", "3", "--to-store", *SHARDS)
    done = acquire(server, tmp_path, "lamost-spectra", *options)
    assert "holds a run of other spectra" in done.output
    done = acquire(server, tmp_path, "lamost-spectra", "--limit", "3", "--skip-failed")
    assert "--skip-failed is for --to-store" in done.output
    assert "--to-store is not for dust" in acquire(server, tmp_path, "dust", "--to-store").output


class _Address:
    def __init__(self, url: str) -> None:
        self.url = url


def _straight(url: str, out: Path) -> None:
    """Work of a process that is killed."""
    os.close(2)
    to_store(_Address(url), out, "--set", "acquire.rate_per_s=40", "--set", "acquire.batch_rows=3")


@pytest.mark.timeout(900)
def test_killed_and_gone_on_with(server, tmp_path, digest_tree):
    straight(server, tmp_path / "whole")
    out = tmp_path / "killed"
    acquire(server, out, "lamost-catalogue")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    begin = len(server.times)
    for kill in range(5):
        process = context.Process(target=_straight, args=(server.url, out))
        process.start()
        deadline = time.monotonic() + 300
        while len(server.times) < begin + 2 * (kill + 1) and process.is_alive():
            assert time.monotonic() < deadline, "the download stands still"
            time.sleep(0.001 * (kill + 1))
        process.kill()
        process.join()
    code, output = to_store(server, out, "--set", "acquire.batch_rows=3")
    assert code == 0, output
    assert digest_tree(out / "run") == digest_tree(tmp_path / "whole/run")
    assert not (out / "arriving").exists() or not list((out / "arriving").rglob("*.fits*"))
