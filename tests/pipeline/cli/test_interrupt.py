"""Ctrl-C in the middle of a stage: one line, at once, nobody left; the next run goes on."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from pipeline.cli.interrupt import ends_at_once
from pipeline.core.records import read_records, records_path

N_FILES = 600
ROWS = 8


def start(folder):
    command = [
        sys.executable, "-m", "pipeline", "ingest", "--spectra", str(folder / "survey"),
        "--root", str(folder / "run"), "--set", "cluster.workers=2",
        "--set", f"ingest.shard_rows={ROWS}", "--set", f"ingest.chunk_rows={ROWS}",
    ]  # fmt: skip
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stage_ends_at_once_and_goes_on_later(tmp_path, write_spectrum, number):
    first = write_spectrum(tmp_path / "survey" / "00000.fits", obsid=1)
    for i in range(1, N_FILES):
        (tmp_path / "survey" / f"{i:05d}.fits").write_bytes(first.read_bytes())
    stage = start(tmp_path)
    path = records_path(tmp_path / "run", "ingest")
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not read_records(path).records:
        time.sleep(0.01)
    family = psutil.Process(stage.pid).children(recursive=True)
    # As a terminal does: every process of the group gets the signal.
    os.killpg(stage.pid, number)
    out, errors = stage.communicate(timeout=60)
    assert stage.returncode == 128 + number
    lines = [line for line in errors.splitlines() if "shards" not in line]
    assert lines == [
        "ingest: looking at the inputs",
        "ingest: starting workers (local)",
        "interrupted; run the same command again to go on",
    ]
    assert out == ""
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []
    assert 0 < len(read_records(path).records) < N_FILES // ROWS
    again = start(tmp_path)
    out, errors = again.communicate(timeout=200)
    assert again.returncode == 0, errors
    assert f"files                       {N_FILES}" in out
    assert list((tmp_path / "run").rglob("*.partial")) == []


@pytest.mark.slow
@pytest.mark.parametrize("wait_s", [0.1, 0.3, 0.6])
def test_while_workers_start_it_says_one_line(tmp_path, write_spectrum, wait_s):
    write_spectrum(tmp_path / "survey" / "a.fits", obsid=1)
    stage = start(tmp_path)
    process, deadline = psutil.Process(stage.pid), time.monotonic() + 100
    while time.monotonic() < deadline and len(process.children(recursive=True)) < 2:
        time.sleep(0.005)
    time.sleep(wait_s)
    family = process.children(recursive=True)
    assert len(family) >= 2
    os.killpg(stage.pid, signal.SIGINT)
    out, errors = stage.communicate(timeout=60)
    lines = errors.splitlines()
    assert lines[-1] == "interrupted; run the same command again to go on"
    said = {"ingest: looking at the inputs", "ingest: starting workers (local)", lines[-1]}
    assert set(lines) <= said
    assert (stage.returncode, out) == (128 + signal.SIGINT, "")
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []


BLOCKED = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"


def blocked_in_a_child():
    return subprocess.run(
        [sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_processes_that_start_meanwhile_do_not_get_the_signal():
    before = signal.getsignal(signal.SIGINT)
    with ends_at_once():
        assert blocked_in_a_child() == "True"
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(blocked_in_a_child).result() == "True"
    assert blocked_in_a_child() == "False"
    assert signal.getsignal(signal.SIGINT) is before
    assert "pairspec-interrupt" not in {thread.name for thread in threading.enumerate()}
