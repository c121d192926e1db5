"""Six batch systems by stand-ins for their commands; see stand_in.py for what that shows."""

import os
import signal
import sys
from pathlib import Path

import pytest

from cluster.connect import connect
from cluster.engine import ClusterError
from cluster.kinds.queue import find_queue
from cluster.settings import QUEUES, ClusterSettings
from cluster.workers import present
from tests.slurm import until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(name="settings", params=[kind for kind in QUEUES if kind != "slurm"])
def settings_of_a_queue(request, tmp_path, monkeypatch) -> ClusterSettings:
    kind = request.param
    settings = ClusterSettings(
        kind=kind, memory="1GB", interface="lo", scratch=str(tmp_path / "a b"),
        log_folder=tmp_path / "logs",
    )  # fmt: skip
    queue = find_queue(settings)
    commands = tmp_path / "bin"
    commands.mkdir()
    for verb, command in (("submit", queue.submit), ("cancel", queue.cancel)):
        path = commands / command.split()[0]
        stand_in = Path(__file__).with_name("stand_in.py")
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {stand_in} {kind} {verb} "$@"\n')
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    return settings


def test_a_job_is_started_replaced_and_ended(settings, tmp_path):
    notes = []
    with connect(settings, notify=notes.append) as client:
        ((name, worker),) = [(w["name"], w) for w in present(client).values()]
        assert str(tmp_path / "a b") in worker["local_directory"]
        (session,) = client.run(os.getsid, 0).values()
        # What a batch system's own SIGTERM does: the shell says that it has ended, if it can.
        os.killpg(session, signal.SIGTERM)
        until(lambda: notes, 90, "the loss is seen")
        until(lambda: {w["name"] for w in present(client).values()} - {name}, 60, "another comes")
        (again,) = client.run(os.getsid, 0).values()
        assert again != session
    assert "starting another" in notes[0] and len(notes) == 1
    for number in (session, again):
        until(lambda number=number: is_gone(number), 10, "the job has ended")
    assert not list((tmp_path / "logs").glob(".keys-*"))


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_refusal_carries_the_queue_s_own_words(settings):
    refused = settings.model_copy(update={"prologue": (": nowhere",)})
    message = "refused a job: qsub: Unknown queue MSG=.*change cluster.partition"
    with pytest.raises(ClusterError, match=message), connect(refused):
        pass


def test_a_job_that_ends_at_once_is_a_refusal(settings):
    broken = settings.model_copy(update={"prologue": ("export PYTHONHOME=/none",)})
    message = "ended before its worker was there.*ModuleNotFoundError.*change cluster.prologue"
    with pytest.raises(ClusterError, match=message), connect(broken):
        pass
