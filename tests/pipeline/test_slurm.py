"""Stages on a real SLURM: the files of a local run, whatever happens to the jobs meanwhile."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.finished import SMALL, tree_digests
from tests.slurm import Slurm, until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]

REPOSITORY = Path(__file__).resolve().parents[2]
JOBS = (
    "cluster.kind='slurm'", "cluster.jobs=2", "cluster.cores=1", "cluster.memory='1500MB'",
    "cluster.interface='lo'", "cluster.walltime='00:20:00'", "cluster.margin=60",
)  # fmt: skip
MANY = ("ingest.shard_rows=4", "ingest.chunk_rows=4")
"""Many small shards, so that there is a middle to disturb."""


def start(stage: str, config: Path, root: Path | None, *overrides: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipeline", stage, "--config", str(config)]
    command += ["--root", str(root)] if root else []
    for text in overrides:
        command += ["--set", text]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out + err


def files(root: Path) -> dict[str, str]:
    """Digests of all files but the jobs' logs."""
    return {k: v for k, v in tree_digests(root).items() if not k.startswith("logs/")}


@pytest.fixture(scope="module", name="survey_file")
def settings_of_a_small_survey(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("survey")
    empty = folder / "empty.toml"
    empty.write_text("")
    small = (*SMALL, "simulate.n_stars=300", f"simulate.out='{folder}'", "cluster.kind='inline'")
    finish(start("simulate", empty, None, *small))
    return folder / "pairspec.toml"


@pytest.fixture(scope="module", name="undisturbed")
def ingested_locally(survey_file: Path, tmp_path_factory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("local") / "run"
    finish(start("ingest", survey_file, root, *MANY, "cluster.workers=2"))
    return files(root)


def test_ingest_and_infer_give_the_files_of_a_local_run(slurm, finished, tmp_path):
    """`finished` ran them in one thread of one process."""
    roots = {"ingest": tmp_path / "empty", "infer": tmp_path / "before"}
    shutil.copytree(finished.before("infer"), roots["infer"])
    for stage, root in roots.items():
        finish(start(stage, finished.config, root, *JOBS))
    assert files(roots["ingest"]) == files(finished.before("photometry"))
    assert files(roots["infer"]) == files(finished.before("evaluate"))
    until(slurm.is_empty, 15, "the jobs leave the queue")


@contextmanager
def job_cancelled(slurm: Slurm, _: Path) -> Iterator[None]:
    slurm.run("scancel", slurm.jobs("RUNNING")[0])
    yield


@contextmanager
def job_killed(slurm: Slurm, _: Path) -> Iterator[None]:
    slurm.run("scancel", "--signal=KILL", "--full", slurm.jobs("RUNNING")[0])
    yield


@contextmanager
def job_out_of_memory(slurm: Slurm, flag: Path) -> Iterator[None]:
    """A process of one job, started by the prologue, fills the job's memory."""
    flag.touch()
    until(lambda: not flag.exists(), 20, "the glutton starts")
    yield


@contextmanager
def job_out_of_time(slurm: Slurm, _: Path) -> Iterator[None]:
    """All stand still until SLURM has looked at its clock."""
    job, *others = slurm.jobs("RUNNING")
    slurm.run("scancel", "--signal=STOP", "--full", job, *others)
    slurm.run("scontrol", "update", f"JobId={job}", "EndTime=now")
    until(lambda: job not in slurm.jobs(), 60, "the job is ended")
    slurm.run("scancel", "--signal=CONT", "--full", *others)
    yield


@contextmanager
def node_down(slurm: Slurm, _: Path) -> Iterator[None]:
    node = slurm.node_of(slurm.jobs("RUNNING")[0])
    slurm.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    yield
    # It may have come back by itself.
    if "down" in slurm.run("sinfo", "--noheader", "--nodes", node, "--format=%t"):
        slurm.run("scontrol", "update", f"NodeName={node}", "State=RESUME")


@contextmanager
def controller_stopped(slurm: Slurm, _: Path) -> Iterator[None]:
    """A job is lost just before, so that another is wanted while the queue does not answer."""
    job, *others = slurm.jobs("RUNNING")
    slurm.signal(others, signal.SIGSTOP)
    slurm.run("scancel", job)
    until(lambda: job not in slurm.jobs("RUNNING"), 30, "the job is ended")
    slurm.stop_controller()
    time.sleep(20)
    slurm.start_controller()
    slurm.signal(others, signal.SIGCONT)
    yield


Disturbance = Callable[[Slurm, Path], object]


@pytest.mark.parametrize(
    "disturbance",
    [job_cancelled, job_killed, job_out_of_memory, job_out_of_time, node_down, controller_stopped],
)
def test_ingest_survives(disturbance: Disturbance, slurm, survey_file, undisturbed, tmp_path):
    root, flag, glutton = tmp_path / "run", tmp_path / "flag", tmp_path / "glutton.sh"
    glutton.write_text(
        f"while [ ! -e {flag} ]; do sleep 0.2; done; rm {flag} || exit\n"
        f"exec {sys.executable} -c 'x = b\"x\" * 2_000_000_000; import time; time.sleep(60)'\n"
    )
    process = start(
        "ingest", survey_file, root, *MANY, *JOBS, f"cluster.prologue=['bash {glutton} &']"
    )
    records = root / "ledger" / "ingest"
    until(lambda: len(list(records.glob("*.json"))) >= 2, 60, "the first shards are done")
    with disturbance(slurm, flag):
        said = finish(process)
    assert files(root) == undisturbed
    assert "has ended" in said and "starting another" in said, said
    until(slurm.is_empty, 20, "the jobs leave the queue")


def test_a_killed_driver_resumes(slurm, survey_file, undisturbed, tmp_path):
    root = tmp_path / "run"
    process = start("ingest", survey_file, root, *MANY, *JOBS)
    records = root / "ledger" / "ingest"
    until(lambda: len(list(records.glob("*.json"))) >= 2, 60, "the first shards are done")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    until(slurm.is_empty, 15, "the jobs leave the queue")
    n_done = len(list(records.glob("*.json")))
    assert files(root) != undisturbed
    finish(start("ingest", survey_file, root, *MANY, *JOBS))
    assert files(root) == undisturbed
    assert n_done >= 2


TRAINING = (
    "training.source='simulated'", "training.n_examples=400", "training.max_epochs=5",
    "training.batch_size=16", "training.device='cpu'", "training.threads=1", "training.ranks=2",
    "training.patience=100", "network.stem_channels=4", "network.channels=[8]",
    "network.blocks=[1]", "network.strides=[4]", "network.hidden=[8]",
)  # fmt: skip


def test_training_on_two_jobs_survives_the_loss_of_one_with_equal_bits(slurm, tmp_path):
    """Each job is a rank; gloo joins them over the interface of the settings."""
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    local, disturbed = tmp_path / "local", tmp_path / "disturbed"
    finish(start("train", empty, local, *TRAINING, "cluster.workers=2"))
    process = start("train", empty, disturbed, *TRAINING, *JOBS, "cluster.memory='1800MB'")
    until(lambda: any(disturbed.rglob("log.jsonl")), 120, "the first epoch is done")
    with job_cancelled(slurm, tmp_path):
        said = finish(process)
    assert "restarts left" in said and "starting another" in said, said
    weights = "model/model.safetensors"
    assert files(disturbed)[weights] == files(local)[weights]


# A worker with torch holds 850 MB, and SLURM kills what exceeds its memory.
ALLOCATION = """#!/bin/bash
#SBATCH --ntasks=4 --mem-per-cpu=1900M --time=10 --output={out}
srun {python} -m pipeline {stage} --config {config} --root {root} \\
    --set cluster.kind=allocation --set cluster.interface=lo
"""


@pytest.mark.parametrize("stage", ["ingest", "infer"])
def test_one_allocation_gives_the_files_of_a_local_run(stage, slurm, finished, tmp_path):
    root, out, script = tmp_path / "run", tmp_path / "out.txt", tmp_path / "job.sh"
    if stage == "infer":
        shutil.copytree(finished.before("infer"), root)
    script.write_text(
        ALLOCATION.format(
            python=sys.executable, stage=stage, config=finished.config, root=root, out=out
        )
    )
    try:
        slurm.run_job(f"--chdir={REPOSITORY}", str(script))
    except RuntimeError as error:
        logs = sorted((root / "logs" / "jobs").glob("*.log"))
        said = "\n".join(f"{path.name}:\n{path.read_text()}" for path in (out, *logs))
        raise AssertionError(f"{error}\n{said}") from error
    expected = finished.before("photometry" if stage == "ingest" else "evaluate")
    assert files(root) == files(expected), out.read_text()
    # The driver alone speaks, and nothing is left of the run's keys.
    assert out.read_text().count(f"{stage}:\n") == 1
    assert "Traceback" not in out.read_text()
    assert not list((root / "logs" / "jobs").glob(".*"))
