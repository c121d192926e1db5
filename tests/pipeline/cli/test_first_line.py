"""A stage says something at once, also on a busy machine: it imports what it needs by and by."""

import subprocess
import sys

import psutil
import pytest

HEAVY = {
    "astropy", "dask", "distributed", "duckdb", "hats", "lsdb", "matplotlib", "numpy", "pandas",
    "pyarrow", "scipy", "torch", "xarray", "zarr",
}  # fmt: skip
CPU_S = 1.5
"""Python, the command line and the settings take 0.45 s; torch alone takes 2 s."""


def start(stage, folder, *python):
    command = [sys.executable, *python, "-m", "pipeline", stage, "--root", str(folder / "none")]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, bufsize=1
    )


@pytest.mark.parametrize("stage", ["ingest", "photometry", "train"])
def test_little_is_computed_before_the_first_line(tmp_path, stage):
    with start(stage, tmp_path) as process:
        line = process.stderr.readline()
        used = psutil.Process(process.pid).cpu_times()
        process.communicate()
    assert line == f"{stage}: looking at the inputs\n"
    assert used.user + used.system < CPU_S


def test_nothing_heavy_is_imported_before_the_first_line(tmp_path):
    with start("train", tmp_path, "-X", "importtime") as process:
        _, errors = process.communicate()
    before, line, _ = errors.partition("train: looking at the inputs\n")
    assert line
    loaded = {row.rpartition("|")[2].strip().partition(".")[0] for row in before.splitlines()}
    assert "pydantic" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("stage", ["photometry", "train", "infer"])
def test_a_stage_that_is_too_early_is_told_so_without_the_heavy_packages(tmp_path, stage):
    with start(stage, tmp_path, "-X", "importtime") as process:
        _, errors = process.communicate()
    assert "run `pairspec " in errors
    loaded = {row.rpartition("|")[2].strip().partition(".")[0] for row in errors.splitlines()}
    assert "numpy" in loaded
    assert loaded & {"torch", "lsdb", "distributed"} == set()
