"""Stages in a queue that is not asked: their state is known by what their jobs leave."""

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.jobs.cancel import cancel
from pipeline.jobs.state import queue_state
from pipeline.jobs.submission import submissions
from pipeline.jobs.submit import in_queue, submit


@pytest.fixture(name="asked")
def commands_of_pbs(tmp_path, monkeypatch):
    """What was said to PBS; each job has a number of its own."""
    said = tmp_path / "said"
    for name in ("qsub", "qdel"):
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> {said}\nwc -l < {said}\n')
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return lambda: said.read_text().splitlines()


def states(settings):
    return {name: (each.state, each.text) for name, each in queue_state(settings).stages.items()}


def test_a_chain_is_submitted_followed_and_taken_back(on_slurm, tmp_path, asked):
    root = tmp_path / "run"
    settings = on_slurm("cluster.kind=pbs", "inputs.spectra=/nowhere")
    assert len(list(submit(["ingest", "photometry"], settings))) == 2
    scripts = [str(root / "jobs" / f"{stage}.sh") for stage in ("ingest", "photometry")]
    assert asked() == [f"qsub {scripts[0]}", f"qsub -W depend=afterok:1 {scripts[1]}"]
    assert states(settings) == {
        "ingest": ("waiting", "job 1 waits (pbs is not asked)"),
        "photometry": ("waiting", "job 2 waits for job 1 (pbs is not asked)"),
    }
    # What PBS would do: the job ends with the exit code of its driver.
    environment = os.environ | {"PBS_JOBID": "1", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(["bash", scripts[0]], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "/nowhere" in done.stderr
    assert states(settings)["ingest"] == ("failed", "job 1 failed with exit code 1")
    assert set(in_queue(root.resolve())) == {"photometry"}
    assert list(cancel([], settings)) == ["photometry: job 2 taken back"]
    assert asked()[-1] == "qdel 2"
    assert set(submissions(root)) == {"ingest"} and not in_queue(root.resolve())
    assert next(iter(submit(["ingest"], settings))).startswith("ingest: job 4,")


def test_a_job_that_has_begun_runs(on_slurm, tmp_path, asked):
    settings = on_slurm("cluster.kind=pbs")
    assert list(submit(["ingest"], settings)) and asked()
    (tmp_path / "run" / "jobs" / "ingest.begun").touch()
    assert states(settings)["ingest"] == ("running", "job 1 has begun (pbs is not asked)")
