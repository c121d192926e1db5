"""A full disk: one clear message, and the same command goes on once there is room.

A small disk of its own where the tests may mount one; everywhere a limit on the size of files.
"""

import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.stages import STAGES
from tests.finished import tree_digests

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("finished"),
]

PAGE = 4096
DISK_PAGES = 20_000
NAMES = [stage.name for stage in STAGES]
REPOSITORY = Path(__file__).resolve().parents[3]


@contextmanager
def small_disk(folder):
    """A disk in memory, unmounted afterwards; a skip where that is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_PAGES * PAGE}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def run(stage, finished, root, **options):
    command = [sys.executable, "-m", "pipeline", stage, "--config", str(finished.config)]
    command += ["--root", str(root), "--set", "cluster.kind=inline", "--set", "cluster.retries=0"]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, **options)


def begin(finished, stage, root):
    """Copy the root from before a stage; return what it adds to the root, in pages."""
    later = NAMES.index(stage) + 1
    after = finished.before(NAMES[later])
    before = root if stage == "ingest" else finished.before(stage)
    if stage != "ingest":
        shutil.copytree(before, root)
    names = {path.relative_to(after) for path in after.rglob("*") if path.is_file()}
    new = [after / name for name in names if not (before / name).exists()]
    return after, sum(-(-path.stat().st_size // PAGE) for path in new)


def fails_clearly(done):
    assert done.returncode == 1, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("pairspec: no space left to write below "), done.stderr
    assert last.endswith("make room and run the same command again: what is finished is kept")
    assert "Traceback" not in done.stderr


def ends_equal(finished, stage, root, after):
    done = run(stage, finished, root)
    assert done.returncode == 0, done.stderr
    made, expected = tree_digests(root), tree_digests(after)
    assert [name for name in made if name.endswith(".partial")] == []
    assert made.keys() >= expected.keys()
    logs = "training/"  # which say how long an epoch took
    assert [n for n in expected if made[n] != expected[n] and not n.startswith(logs)] == []


@pytest.mark.parametrize(
    ("stage", "short_of"),
    [("ingest", 0.5), ("select", 0.5), ("catalogue", 0.5), ("train", 0.05)],
)
def test_a_disk_that_runs_full(finished, tmp_path, stage, short_of):
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk):
        root, ballast = disk / "run", disk / "ballast"
        after, added = begin(finished, stage, root)
        free = shutil.disk_usage(disk).free // PAGE - round((1 - short_of) * added)
        assert free > 0
        ballast.write_bytes(bytes(free * PAGE))
        fails_clearly(run(stage, finished, root))
        # A disk without a single free byte.
        with (disk / "rest").open("wb", buffering=0) as file, pytest.raises(OSError):
            while True:
                file.write(bytes(PAGE))
        fails_clearly(run(stage, finished, root))
        ballast.unlink()
        (disk / "rest").unlink()
        ends_equal(finished, stage, root, after)


@pytest.mark.parametrize("stage", ["ingest", "select", "train"])
def test_a_file_larger_than_allowed(finished, tmp_path, stage):
    root = tmp_path / "run"
    after, _ = begin(finished, stage, root)
    sizes = sorted(p.stat().st_size for p in after.rglob("*") if p.is_file())
    most = 10_000 if stage == "select" else sizes[-1] // 20

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    fails_clearly(run(stage, finished, root, preexec_fn=limit))
    ends_equal(finished, stage, root, after)
