"""Drivers in a chain: what is said to each queue, by commands that only write it down."""

import os

import pytest

from cluster import chain
from cluster.engine import ClusterError
from tests.cluster.kinds.stand_in import SAYS

AFTER = {
    "pbs": ("qsub", "-W depend=afterok:6", "qdel", "7.server"),
    "moab": ("msub", "-l depend=afterok:6", "canceljob", "Moab.7"),
    "lsf": ("bsub", "-w done(6)", "bkill", "7"),
    "sge": ("qsub", "-hold_jid 6", "qdel", "7"),
    "oar": ("oarsub -S", "-a 6", "oardel", "7"),
}


@pytest.fixture(name="said")
def commands_that_write_down(tmp_path, monkeypatch):
    """Make commands of a queue, and read what was said to them: ``said(answer, *names)``."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    def make(answer, *names):
        for name in names:
            path = tmp_path / "bin" / name
            path.write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/said\n{answer}\n')
            path.chmod(0o755)
        return lambda: (tmp_path / "said").read_text().splitlines()

    return make


@pytest.mark.parametrize("kind", AFTER)
def test_a_job_waits_for_the_one_before(kind, said, tmp_path):
    command, option, cancelled, number = AFTER[kind]
    script = tmp_path / "job.sh"
    script.write_text("true\n")
    words = said(f"printf '{SAYS[kind].format(7)}'", command.split()[0], cancelled)
    assert chain.submit(kind, script, "6") == number
    assert chain.submit(kind, script) == number
    assert chain.cancel(kind, [number]) == []
    # LSF reads the script itself.
    last = "" if kind == "lsf" else f" {script}"
    assert words() == [f"{command} {option}{last}", f"{command}{last}", f"{cancelled} {number}"]
    assert chain.waits(kind)


def test_a_job_of_slurm_waits_as_those_of_other_queues(said, tmp_path):
    """Whether it leaves the queue is asked of a real one."""
    words = said("echo Submitted batch job 7 on cluster here", "sbatch")
    script = tmp_path / "job.sh"
    assert chain.submit("slurm", script, "6") == chain.submit("slurm", script) == "7"
    assert words() == [f"sbatch --dependency=afterok:6 {script}", f"sbatch {script}"]


def test_slurm_names_the_setting_of_the_driver_once(said, tmp_path):
    said("echo 'sbatch: error: Memory specification can not be satisfied' >&2; exit 1", "sbatch")
    with pytest.raises(ClusterError, match=r"be satisfied; change cluster\.driver\.memory$"):
        chain.submit("slurm", tmp_path / "job.sh")


def test_lsf_reads_the_script_itself(said, tmp_path):
    script = tmp_path / "job.sh"
    script.write_text("#BSUB -n 1\n")
    said(f"cat > {tmp_path}/read; echo 'Job <7> is submitted'", "bsub")
    assert chain.submit("lsf", script) == "7"
    assert (tmp_path / "read").read_text() == "#BSUB -n 1\n"


def test_htcondor_takes_a_description_and_lets_no_job_wait(said, tmp_path):
    words = said("echo '1 job(s) submitted to cluster 7.'", "condor_submit")
    assert chain.submit("htcondor", tmp_path / "infer.sub") == "7"
    assert words() == [f"condor_submit {tmp_path}/infer.sub"]
    assert not chain.waits("htcondor") and chain.waits("slurm")


def test_a_refusal_is_told_with_the_setting_of_the_driver(said, tmp_path):
    said("echo 'qsub: Unknown queue' >&2; exit 3", "qsub", "qdel")
    with pytest.raises(ClusterError, match="exit code 3: qsub: Unknown queue.*driver.partition"):
        chain.submit("pbs", tmp_path / "job.sh")
    assert chain.cancel("pbs", ["7"]) == ["7"]


def test_an_answer_without_a_number_is_no_submission(said, tmp_path):
    said("echo try again", "bsub")
    (tmp_path / "job.sh").touch()
    with pytest.raises(ClusterError, match="gave no number of a job: try again"):
        chain.submit("lsf", tmp_path / "job.sh")


def test_a_queue_that_is_not_here_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match="there is no oarsub on this machine"):
        chain.submit("oar", tmp_path / "job.sh")
