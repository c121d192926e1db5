"""Stages on a real SLURM: the files of a local run, whatever happens to the jobs meanwhile."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.records import read_records, records_path
from tests.disturbances import (
    controller_stopped,
    glutton,
    job_cancelled,
    job_killed,
    job_out_of_memory,
    job_out_of_time,
    node_down,
    standing_still,
)
from tests.finished import SMALL, tree_digests
from tests.slurm import until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900, func_only=True)]

REPOSITORY = Path(__file__).resolve().parents[2]
JOBS = (
    "cluster.kind='slurm'", "cluster.jobs=2", "cluster.cores=1", "cluster.memory='1500MB'",
    "cluster.interface='lo'", "cluster.walltime='00:20:00'", "cluster.margin=60",
)  # fmt: skip
MANY = ("ingest.shard_rows=8", "ingest.chunk_rows=8", "tables.unit_spectra=8")
"""Many small shards and tasks, so that there is a middle to disturb."""
RECORDS = {"photometry": "sources"}
"""Step of a stage whose first records tell that it is in its middle, where it is not its last."""


def start(stage: str, config: Path, root: Path | None, *overrides: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipeline", stage, "--config", str(config)]
    command += ["--root", str(root)] if root else []
    for text in overrides:
        command += ["--set", text]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=300)
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


class Undisturbed:
    """Stages of a small survey of many shards as they are on this machine alone."""

    def __init__(self, config: Path, model: Path, folder: Path) -> None:
        self._config, self._folder = config, folder
        self._settings = (*MANY, "infer.scope='all'", f"infer.models=['{model}']")
        self._files: dict[str, dict[str, str]] = {}

    def start(self, stage: str, root: Path, *overrides: str) -> subprocess.Popen[str]:
        """Start a stage; those after ingest on a copy of what that left."""
        if stage != "ingest":
            self.files("ingest")
            shutil.copytree(self._folder / "ingest", root)
        return start(stage, self._config, root, *self._settings, *overrides)

    def files(self, stage: str) -> dict[str, str]:
        """Digests of the files that a stage ends with."""
        if stage not in self._files:
            root = self._folder / stage
            finish(self.start(stage, root, "cluster.kind='inline'"))
            self._files[stage] = files(root)
        return self._files[stage]


@pytest.fixture(scope="module", name="undisturbed")
def stages_on_this_machine(survey_file: Path, finished, tmp_path_factory) -> Undisturbed:
    model = finished.before("evaluate") / "model"
    return Undisturbed(survey_file, model, tmp_path_factory.mktemp("local"))


def test_ingest_and_infer_give_the_files_of_a_local_run(slurm, finished, tmp_path):
    """`finished` ran them in one thread of one process."""
    roots = {"ingest": tmp_path / "empty", "infer": tmp_path / "before"}
    shutil.copytree(finished.before("infer"), roots["infer"])
    for stage, root in roots.items():
        finish(start(stage, finished.config, root, *JOBS))
    assert files(roots["ingest"]) == files(finished.before("photometry"))
    assert files(roots["infer"]) == files(finished.before("evaluate"))
    until(slurm.is_empty, 15, "the jobs leave the queue")


@pytest.mark.parametrize(
    ("stage", "disturbance"),
    [
        ("ingest", job_cancelled),
        ("ingest", job_killed),
        ("ingest", job_out_of_memory),
        ("ingest", job_out_of_time),
        ("ingest", node_down),
        ("ingest", controller_stopped),
        ("photometry", job_cancelled),
        ("photometry", job_out_of_memory),
        ("photometry", node_down),
        ("infer", job_cancelled),
        ("infer", job_out_of_memory),
        ("infer", controller_stopped),
    ],
)
def test_a_stage_survives(stage, disturbance, slurm, undisturbed, tmp_path):
    root, flag, script = tmp_path / "run", tmp_path / "flag", tmp_path / "glutton.sh"
    expected = undisturbed.files(stage)
    script.write_text(glutton(flag, sys.executable))
    # It does not stand still with the workers.
    greedy = f"cluster.prologue=['env -u SLURM_JOB_ID bash {script} &']"
    process = undisturbed.start(stage, root, *JOBS, greedy)
    path = records_path(root, RECORDS.get(stage, stage))
    until(lambda: len(read_records(path).records) >= 2, 240, "the first shards are done")
    with standing_still(slurm, process) as job:
        disturbance(slurm, job, flag)
    said = finish(process)
    assert files(root) == expected
    assert "has ended" in said and "starting another" in said, said
    until(slurm.is_empty, 20, "the jobs leave the queue")


def test_a_killed_driver_resumes(slurm, undisturbed, tmp_path):
    root = tmp_path / "run"
    process = undisturbed.start("ingest", root, *JOBS)
    path = records_path(root, "ingest")
    until(lambda: len(read_records(path).records) >= 2, 60, "the first shards are done")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    until(slurm.is_empty, 15, "the jobs leave the queue")
    n_done = len(read_records(path).records)
    assert files(root) != undisturbed.files("ingest")
    finish(undisturbed.start("ingest", root, *JOBS))
    assert files(root) == undisturbed.files("ingest")
    assert n_done >= 2


TRAINING = (
    "training.source='simulated'", "training.n_examples=400", "training.max_epochs=5",
    "training.batch_size=16", "training.device='cpu'", "training.threads=1", "training.ranks=2",
    "training.patience=100", "network.preset=small",
    "network.stem_channels=4", "network.channels=[8]",
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
    job_cancelled(slurm, slurm.jobs("RUNNING")[0], tmp_path)
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
