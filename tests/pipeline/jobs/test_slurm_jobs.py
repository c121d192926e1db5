"""Stages in the queue of a real SLURM, whatever becomes of the shell, the driver and the chain."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.jobs.submission import submissions
from pipeline.stages import STAGES
from tests.finished import tree_digests
from tests.ledger import written_by_unit
from tests.slurm import until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]

REPOSITORY = Path(__file__).resolve().parents[3]
INLINE = ("photometry", "select", "label", "composites", "train", "evaluate", "catalogue", "report")
SITE = """
[cluster]
kind = "slurm"
partition = "main"
cores = 1
memory = "1500MB"
jobs = 2
interface = "lo"
walltime = "00:20:00"
margin = 60
[cluster.driver]
memory = "2GB"
walltime = "00:30:00"
""" + "".join(f'[cluster.{stage}]\nkind = "inline"\n' for stage in INLINE)
MANY = ("ingest.shard_rows=16", "ingest.chunk_rows=16")
TINY = ("ingest.shard_rows=2", "ingest.chunk_rows=2", "cluster.ingest.jobs=1")


@pytest.fixture
def site(finished, tmp_path):
    """Settings file of the finished survey, on SLURM and with an empty root."""
    text = finished.config.read_text().replace('root = "run"', f'root = "{tmp_path / "run"}"')
    for line in text.splitlines():
        name, _, value = line.partition(" = ")
        inner = finished.config.parent / value.strip('"')
        if value.startswith('"') and inner.exists():
            text = text.replace(line, f'{name} = "{inner}"')
    path = tmp_path / "site.toml"
    path.write_text(text + SITE)
    return path


def pairspec(command, site, *arguments):
    options = [part for text in arguments if "=" in text for part in ("--set", text)]
    stages = [text for text in arguments if "=" not in text]
    return subprocess.run(
        [sys.executable, "-m", "pipeline", command, *stages, "--config", site, *options],
        cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip


def status(site):
    """State of every stage, and the lines about the queue."""
    lines = pairspec("status", site).stdout.splitlines()
    end = lines.index("in the queue:") if "in the queue:" in lines else len(lines)
    rows = [line.split(maxsplit=3) for line in lines[1:end] if line]
    queue = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines[end + 1 :]}
    return {row[0]: row[1] for row in rows}, {row[0]: row[3:] for row in rows}, queue


def made(root):
    """Digests of what the stages make, without what tells the time that a stage took."""
    own = ("logs/", "jobs/", "training", "reports/report.html", "ledger/report.", "ledger/summary")
    return {k: v for k, v in tree_digests(root).items() if not k.startswith(own)}


def test_a_chain_from_nothing_to_the_catalogue_with_the_shell_gone(slurm, finished, site):
    shell = subprocess.Popen(
        ["bash", "-c", 'exec "$@"', "shell", sys.executable, "-m", "pipeline", "submit", "all",
         "--config", site],
        cwd=REPOSITORY, start_new_session=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    said, _ = shell.communicate(timeout=100)
    lines = said.splitlines()
    chained = [stage.name for stage in STAGES if stage.name != "simulate"]
    assert shell.returncode == 0 and [line.partition(":")[0] for line in lines] == chained
    jobs = [line.split()[2].rstrip(",") for line in lines]
    assert [f"after job {job}" in line for job, line in zip(jobs, lines[1:], strict=False)] == [
        True
    ] * (len(chained) - 1)
    until(slurm.is_empty, 800, "the chain ends")
    states, _, queue = status(site)
    assert set(states.values()) == {"complete"}
    assert all("ended well" in text for text in queue.values())
    root = site.parent / "run"
    assert made(root) == made(finished.root)
    assert not list((root / "logs" / "jobs").glob(".keys-*"))


def test_cancel_takes_the_workers_and_what_waits_and_the_rest_goes_on_later(slurm, site):
    root = site.parent / "run"
    first = pairspec("submit", site, "ingest", "photometry", *MANY)
    assert first.returncode == 0, first.stderr
    jobs = {stage: each.job for stage, each in submissions(root).items()}
    again = pairspec("submit", site, "ingest", *MANY)
    assert again.returncode == 1
    assert f"ingest is in the queue already as job {jobs['ingest']}" in again.stderr

    until(lambda: len(written_by_unit(root, "ingest")) > 5, 60, "some shards are done")
    states, holds, queue = status(site)
    assert (states["ingest"], states["photometry"]) == ("running", "waiting")
    assert "/94 shards" in holds["ingest"][0]
    assert f"job {jobs['ingest']} runs on n" in queue["ingest"]
    assert str(root / "logs" / "jobs" / "driver-ingest.log") in queue["ingest"]
    assert f"job {jobs['photometry']} waits for job {jobs['ingest']}" in queue["photometry"]
    assert queue["jobs"] == "of workers: 2 running"

    cancelled = pairspec("cancel", site, "ingest")
    assert cancelled.stdout.splitlines() == [
        f"{stage}: job {job} taken back" for stage, job in jobs.items()
    ]
    until(slurm.is_empty, 15, "the queue is empty")
    done = written_by_unit(root, "ingest")
    states, _, queue = status(site)
    assert (states["ingest"], states["photometry"]) == ("begun", "-")
    assert "was taken back" in queue["ingest"]
    assert pairspec("cancel", site).stdout == "nothing of this run is in the queue\n"

    # The settings are those of the submission, whatever the file says when the job starts.
    assert pairspec("submit", site, "ingest", *MANY).returncode == 0
    site.write_text(site.read_text().replace('kind = "slurm"', 'kind = "inline"', 1))
    until(slurm.is_empty, 120, "ingest ends")
    assert (root / "ledger" / "observations.json").exists()
    assert written_by_unit(root, "ingest").items() >= done.items()


def test_a_driver_at_its_time_limit_goes_on_in_the_next_turn(slurm, site):
    """A minute is SLURM's shortest; the work takes longer."""
    root = site.parent / "run"
    short = ("cluster.driver.walltime=00:01:00", "cluster.driver.margin=20")
    assert pairspec("submit", site, "ingest", *TINY, *short).returncode == 0
    job = submissions(root)["ingest"].job
    log = root / "logs" / "jobs" / "driver-ingest.log"
    until(
        lambda: log.exists() and "goes back into the queue" in log.read_text(),
        120,
        "the driver is stopped",
    )
    until(lambda: "PENDING" in slurm.run("squeue", "-h", "-j", job, "-o", "%T"), 60, "it waits")
    done = written_by_unit(root, "ingest")
    assert 0 < len(done) < 746
    states, holds, queue = status(site)
    assert states["ingest"] == "waiting"
    assert f"job {job} waits: BeginTime" in queue["ingest"]
    assert "/746 shards" in holds["ingest"][0]
    # SLURM lets a job wait two minutes after it was given back: within the same second the node
    # would take the second turn for the first one, whose credential is revoked.
    time.sleep(5)
    slurm.run("scontrol", "update", f"JobId={job}", "StartTime=now", "TimeLimit=30")
    until(slurm.is_empty, 400, "the second turn ends")
    assert (root / "ledger" / "observations.json").exists()
    assert written_by_unit(root, "ingest").items() >= done.items()
    states, _, queue = status(site)
    assert states["ingest"] == "complete"
    assert f"job {job} ended well" in queue["ingest"]


def test_a_stage_that_fails_takes_the_rest_of_its_chain_out_of_the_queue(slurm, site):
    root = site.parent / "run"
    bad = "inputs.catalogue=/nowhere.csv"
    assert pairspec("submit", site, "ingest", "photometry", bad).returncode == 0
    until(slurm.is_empty, 60, "the chain leaves the queue")
    states, _, queue = status(site)
    assert states["ingest"] == "failed"
    assert "failed with exit code 1" in queue["ingest"]
    first, second = (submissions(root)[stage].job for stage in ("ingest", "photometry"))
    assert f"job {second} left the queue, as job {first} did not end well" in queue["photometry"]
    assert "/nowhere.csv" in (root / "logs" / "jobs" / "driver-ingest.log").read_text()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("cluster.driver.partition=nowhere",), "invalid partition.*cluster.driver.partition"),
        (("cluster.driver.memory=900GB",), "[Mm]emory specification.*cluster.driver.memory"),
        # The second job of the chain, when the first is in the queue already.
        (
            ("cluster.photometry.kind=allocation", "cluster.photometry.workers=1",
             "cluster.photometry.partition=nowhere"),
            "invalid partition",
        ),
    ],
)  # fmt: skip
def test_a_refusal_leaves_nothing_in_the_queue(slurm, site, overrides, words):
    done = pairspec("submit", site, "ingest", "photometry", *overrides)
    assert done.returncode == 1
    assert re.search(words, done.stderr), done.stderr
    assert slurm.is_empty()
    assert submissions(site.parent / "run") == {}


def test_a_job_waits_for_what_it_cannot_get(slurm, site):
    assert pairspec("submit", site, "ingest", "cluster.driver.cores=2").returncode == 0
    blocked = [
        "sbatch",
        "--parsable",
        "--output=/dev/null",
        "-N2",
        "--exclusive",
        "--wrap",
        "sleep 60",
    ]
    assert pairspec("cancel", site).returncode == 0
    slurm.run(*blocked)
    until(lambda: slurm.jobs("RUNNING"), 20, "the nodes are taken")
    assert pairspec("submit", site, "ingest").returncode == 0
    until(lambda: "waits: " in status(site)[2]["ingest"], 20, "the queue says why")
    assert "Resources" in status(site)[2]["ingest"] or "Priority" in status(site)[2]["ingest"]
    assert pairspec("cancel", site).returncode == 0
    slurm.run("scancel", *slurm.jobs())
    until(slurm.is_empty, 20, "the queue is empty")


def test_a_killed_driver_leaves_nothing_in_the_queue_and_the_status_says_so(slurm, site):
    root = site.parent / "run"
    assert pairspec("submit", site, "ingest", *MANY).returncode == 0
    job = submissions(root)["ingest"].job
    until(lambda: len(written_by_unit(root, "ingest")) > 0, 60, "ingest is at work")
    os.kill(int(re.search(r"process (\d+)", (root / ".lock").read_text()).group(1)), signal.SIGKILL)
    until(slurm.is_empty, 30, "the driver's job and those of its workers are gone")
    states, _, queue = status(site)
    assert states["ingest"] == "failed"
    assert f"job {job} failed with exit code 137" in queue["ingest"]
