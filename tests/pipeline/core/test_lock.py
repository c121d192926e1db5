import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline.core.lock import RootLockedError, lock_holder, root_lock

HOLD = """
import sys, time
from pathlib import Path
from pipeline.core.lock import root_lock
with root_lock(Path(sys.argv[1]), "ingest"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_names_its_holder_and_dies_with_it(tmp_path: Path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        holder.stdout.readline()
        with (
            pytest.raises(RootLockedError, match=f"pairspec ingest, process {holder.pid} on"),
            root_lock(tmp_path, "infer"),
        ):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with root_lock(tmp_path, "infer"):
        assert "infer" in (tmp_path / ".lock").read_text()
    assert (tmp_path / ".lock").read_text() == ""


def test_who_looks_at_the_lock_does_not_keep_a_stage_from_starting(tmp_path):
    (tmp_path / ".lock").touch()
    with (tmp_path / ".lock").open() as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        threading.Timer(0.2, reader.close).start()
        with root_lock(tmp_path, "ingest"):
            assert reader.closed and lock_holder(tmp_path) == "ingest"
