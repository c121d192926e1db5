"""Progress in a log file and on a terminal."""

import os
import pty
import subprocess
import sys

from pipeline.core import progress
from pipeline.core.progress import track

TRACKED = """
from pipeline.core.progress import track
with track("infer", 4, done=1, unit="shards") as advance:
    for _ in range(3):
        advance()
"""


def lines(capsys):
    return [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()]


def test_a_log_gets_the_first_and_the_last_line(capsys):
    with track("ingest", 100, done=40, unit="shards") as advance:
        for _ in range(60):
            advance()
    assert lines(capsys) == ["ingest: 40/100 shards", "ingest: 100/100 shards"]


def test_a_log_gets_a_line_every_few_seconds(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with track("ingest", 100, unit="shards") as advance:
        for _ in range(30):
            now[0] += 4.0
            advance()
    shown = [int(line.split()[1].split("/")[0]) for line in lines(capsys)]
    assert shown == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30]


def test_a_failure_leaves_the_progress_to_the_caller(capsys):
    try:
        with track("ingest", 2) as advance:
            advance()
            raise KeyError("lost")
    except KeyError:
        pass
    assert lines(capsys) == ["ingest: 0/2 "]


def test_a_terminal_gets_a_bar_that_starts_at_what_was_done():
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", TRACKED], stderr=theirs, env=os.environ | {"TERM": "xterm"}
    )
    os.close(theirs)
    text = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "infer" in text
    assert "1/4" in text
    assert "4/4 shards" in text.replace("\x1b[0m", "")
