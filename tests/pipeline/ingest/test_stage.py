"""Ingest as a user runs it: whole, interrupted, twice at once."""

import csv
import os
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.catalogue.query import connect
from pipeline.settings.load import load_settings
from pipeline.stages import run_stage
from pipeline.store.store import open_store
from schemas.quality import QualityFlag

run = partial(run_stage, "ingest")


def settings_for(survey: Path, root: Path, *overrides: str):
    sets = ["ingest.shard_rows=8", "ingest.chunk_rows=4", *overrides]
    return load_settings(None, sets, root=root, inputs={"spectra": survey})


def command(survey: Path, root: Path, *arguments: str) -> list[str]:
    sets = ["--set", "ingest.shard_rows=8", "--set", "ingest.chunk_rows=4"]
    stage = [sys.executable, "-m", "pipeline", "ingest", "--spectra", str(survey)]
    return [*stage, "--root", str(root), *sets, *arguments]


def test_every_file_gets_a_row_and_every_refusal_a_reason(survey, tmp_path, client):
    report = run(settings_for(survey, tmp_path / "run"), client)
    assert dict(report.counts) == {
        "files": 20, "spectra": 17, "refused": 3, "superseded": 1, "without catalogue": 17,
        "shards": 3,
    }  # fmt: skip
    assert "OBSID 103" in report.notes[0]
    told, command = report.notes[-1].split("; why: ")
    assert told == "3 refused"
    program, query, sql, option, root = shlex.split(command)
    assert (program, query, option) == ("pairspec", "query", "--root")
    with connect(Path(root)) as tables:
        assert len(tables.sql(sql).fetchall()) == 3
    table = pq.read_table(tmp_path / "run/tables/observations").to_pylist()
    assert len(table) == 20
    reasons = {row["path"]: row["reason"] for row in table if row["reason"]}
    assert {path: reason.split(":")[0] for path, reason in reasons.items()} == {
        "broken/empty.fits.gz": "empty",
        "broken/text.fits": "not_fits",
        "broken/truncated.fits.gz": "truncated",
    }
    superseded = [r["path"] for r in table if r["quality"] & QualityFlag.SUPERSEDED]
    assert superseded == ["old/spec-003.fits"]


def test_nothing_is_said_of_refused_files_where_there_are_none(tmp_path, client, write_spectrum):
    write_spectrum(tmp_path / "survey" / "a.fits", obsid=1)
    report = run(settings_for(tmp_path / "survey", tmp_path / "run"), client)
    assert report.counts["refused"] == 0
    assert not any("refused" in note for note in report.notes)


def test_the_store_holds_what_the_files_hold(survey, tmp_path, client):
    from pipeline.lamost.reader import read_spectrum

    run(settings_for(survey, tmp_path / "run"), client)
    store = open_store(tmp_path / "run/spectra.zarr")
    for row in pq.read_table(tmp_path / "run/tables/observations").to_pylist():
        stored = store.isel(row=row["row"])
        assert bool(stored["valid"]) == (row["reason"] is None)
        if row["reason"] is None:
            spectrum = read_spectrum(survey / row["path"])
            n = int(stored["n_pixel"])
            assert n == spectrum.flux.size
            for name in ("flux", "ivar", "andmask", "ormask"):
                np.testing.assert_array_equal(stored[name][:n], getattr(spectrum, name))
                assert not stored[name][n:].any()
            wave = 10 ** (float(stored["log10_first"]) + 1e-4 * np.arange(n))
            np.testing.assert_allclose(wave, spectrum.wave, atol=2e-3)
    assert not store["valid"][20:].any()


def test_a_second_run_writes_nothing(survey, tmp_path, client, digest_tree):
    root = tmp_path / "run"
    run(settings_for(survey, root), client)
    stamps = {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}
    before = digest_tree(root)
    run(settings_for(survey, root), client)
    assert digest_tree(root) == before
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()} == stamps


def test_a_cut_shard_and_other_chunks_are_written_anew(survey, tmp_path, client, digest_tree):
    root, other = tmp_path / "run", tmp_path / "other"
    run(settings_for(survey, root), client)
    before = digest_tree(root)
    flux = root / "spectra.zarr/flux/c/1/0"
    flux.write_bytes(flux.read_bytes()[:-100])
    run(settings_for(survey, root), client)
    assert digest_tree(root) == before
    run(settings_for(survey, root, "ingest.chunk_rows=2"), client)
    run(settings_for(survey, other, "ingest.chunk_rows=2"), client)
    assert digest_tree(root) == digest_tree(other) != before
    run(settings_for(survey, root), client)
    assert digest_tree(root) == before


def test_a_catalogue_that_comes_later_is_joined_without_reading_files_again(
    survey, tmp_path, client
):
    root = tmp_path / "run"
    run(settings_for(survey, root), client)
    store = {p: p.stat().st_mtime_ns for p in (root / "spectra.zarr").rglob("*")}
    catalogue = tmp_path / "c.csv"
    with catalogue.open("w") as file:
        csv.writer(file).writerows([["obsid", "teff", "rv"], [105, 5777.0, 10.0], [999, 1.0, 1.0]])
    settings = load_settings(
        None,
        ["ingest.shard_rows=8", "ingest.chunk_rows=4"],
        root=root,
        inputs={"spectra": survey, "catalogue": catalogue},
    )
    report = run(settings, client)
    assert report.counts["without catalogue"] == 16
    assert {p: p.stat().st_mtime_ns for p in (root / "spectra.zarr").rglob("*")} == store


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_ten_moments_the_result_is_that_of_a_straight_run(
    survey, tmp_path, client, digest_tree
):
    straight = tmp_path / "straight"
    run(settings_for(survey, straight), client)
    expected = digest_tree(straight)
    kills = 0
    # The moments are told by what has been written, which a busy machine does not change.
    for n_written in np.linspace(1, 0.9 * len(expected), 10).astype(int):
        root = tmp_path / f"killed-{n_written}"
        process = subprocess.Popen(
            command(survey, root), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and count_files(root) < n_written:
            time.sleep(0.001)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        run(settings_for(survey, root), client)
        assert without_lock(digest_tree(root)) == expected
    assert kills >= 8


def count_files(root):
    return sum(len(files) for _, _, files in os.walk(root))


def without_lock(digests: dict[str, str]) -> dict[str, str]:
    return {path: digest for path, digest in digests.items() if path != ".lock"}


@pytest.mark.slow
def test_a_second_ingest_into_the_same_root_is_refused(survey, tmp_path, client, digest_tree):
    root = tmp_path / "run"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    first = subprocess.Popen(command(survey, root), **quiet)
    while not (root / ".lock").exists() or not (root / ".lock").read_text():
        assert first.poll() is None
        time.sleep(0.02)
    second = subprocess.run(command(survey, root), capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"process {first.pid} on" in second.stderr
    assert "wait for it, or choose another --root" in second.stderr
    assert first.wait(100) == 0
    run(settings_for(survey, tmp_path / "straight"), client)
    assert without_lock(digest_tree(root)) == digest_tree(tmp_path / "straight")
