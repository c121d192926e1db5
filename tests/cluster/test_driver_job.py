"""The script of the driver's job, for each queue."""

import re
import subprocess
from pathlib import Path

import pytest

from cluster.driver_job import DriverJob, condor_description, driver_script
from cluster.settings import ClusterSettings

JOB = DriverJob(
    "pairspec-infer",
    ("python", "-m", "pipeline", "infer", "--config", "/run/jobs/settings/infer.json"),
    Path("/home/me/my work"),
    Path("/run/logs/jobs/driver-infer.log"),
    Path("/run"),
    Path("/run/jobs/infer"),
)
SIZE = {
    "partition": "main", "workers": 2, "account": "dwarfs", "cores": 2, "memory": "8GB", "gpus": 1,
    "walltime": "24:00:00", "margin": 120, "prologue": ("module load python",),
}  # fmt: skip
HEADS = {
    "slurm": """\
#SBATCH --job-name=pairspec-infer
#SBATCH --partition=main
#SBATCH --account=dwarfs
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --mem=7630M
#SBATCH --gres=gpu:1
#SBATCH --time=24:00:00
#SBATCH --output="/run/logs/jobs/driver-infer.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --exclusive
""",
    "allocation": """\
#SBATCH --job-name=pairspec-infer
#SBATCH --partition=main
#SBATCH --account=dwarfs
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=1908M
#SBATCH --time=24:00:00
#SBATCH --output="/run/logs/jobs/driver-infer.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --exclusive
""",
    "pbs": """\
#PBS -N pairspec-infer
#PBS -q main
#PBS -A dwarfs
#PBS -l select=1:ncpus=2:mem=7630mb:ngpus=1
#PBS -l walltime=24:00:00
#PBS -j oe
#PBS -o /run/logs/jobs/driver-infer.log
#PBS -r y
#PBS --exclusive
""",
    "moab": """\
#MSUB -N pairspec-infer
#MSUB -q main
#MSUB -A dwarfs
#MSUB -l nodes=1:ppn=2:gpus=1
#MSUB -l mem=7630mb
#MSUB -l walltime=24:00:00
#MSUB -j oe
#MSUB -o /run/logs/jobs/driver-infer.log
#MSUB -E
#MSUB --exclusive
""",
    "lsf": """\
#BSUB -J pairspec-infer
#BSUB -q main
#BSUB -P dwarfs
#BSUB -n 2
#BSUB -R "span[hosts=1]"
#BSUB -M 7630MB
#BSUB -gpu "num=1"
#BSUB -W 24:00
#BSUB -o /run/logs/jobs/driver-infer.log
#BSUB -wa USR1
#BSUB -wt 2
#BSUB -Q 99
#BSUB --exclusive
""",
    "sge": """\
#$ -N pairspec-infer
#$ -q main
#$ -P dwarfs
#$ -l h_rt=86400
#$ -l s_rt=86280
#$ -l gpu=1
#$ -j y
#$ -o /run/logs/jobs/driver-infer.log
#$ -r y
#$ --exclusive
""",
    "oar": """\
#OAR -n pairspec-infer
#OAR -q main
#OAR --project dwarfs
#OAR -l /nodes=1/core=2,walltime=24:00:00
#OAR -O /run/logs/jobs/driver-infer.log
#OAR -E /run/logs/jobs/driver-infer.log
#OAR -t idempotent
#OAR --checkpoint 120
#OAR --signal 10
#OAR --exclusive
""",
}


@pytest.mark.parametrize("kind", HEADS)
def test_what_is_asked_of_each_queue(kind):
    settings = ClusterSettings(kind=kind, directives=("--exclusive",), **SIZE)
    text = driver_script(JOB, settings)
    head, rest = text.split("module load python\n")
    assert head == "#!/usr/bin/env bash\n" + HEADS[kind]
    assert rest.startswith("cd '/home/me/my work' || exit 1\n")
    assert ("\nsrun python -m pipeline infer" in rest) == (kind == "allocation")
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0


CONDOR = """\
batch_name = pairspec-infer
executable = /run/jobs/infer.sh
transfer_executable = False
initialdir = /home/me/my work
log = /run/logs/jobs/driver-infer.condor
getenv = True
environment = "CONDOR_JOB_ID=$(ClusterId)"
request_cpus = 2
request_memory = 7630
kill_sig = SIGUSR1
on_exit_remove = ExitBySignal || ExitCode != 99
accounting_group = dwarfs
request_gpus = 1
requirements = HasAVX2
queue
"""


def test_htcondor_is_given_a_description_and_a_script():
    given = SIZE | {"partition": None, "directives": ("requirements = HasAVX2",)}
    settings = ClusterSettings(kind="htcondor", **given)
    assert condor_description(JOB, settings) == CONDOR
    text = driver_script(JOB, settings)
    head = "#!/usr/bin/env bash\nexec >>/run/logs/jobs/driver-infer.log 2>&1\nmodule load python\n"
    assert text.startswith(head + "cd '/home/me/my work' || exit 1\n")
    assert 'echo "$CONDOR_JOB_ID $1" > /run/jobs/infer.ended' in text and "    exit 99\n" in text
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0


def test_what_is_not_set_is_not_asked_for():
    text = driver_script(JOB, ClusterSettings(kind="slurm"))
    assert not re.search("partition|account|gres", text)


@pytest.mark.parametrize("kind", ["local", "inline", "cuda"])
def test_a_kind_without_such_a_script_is_refused(kind):
    with pytest.raises(ValueError, match=f"cluster.driver.kind = '{kind}'.*slurm, allocation, pbs"):
        driver_script(JOB, ClusterSettings(kind=kind))


@pytest.fixture
def job(tmp_path):
    """Write a job whose command is a line of shell, and run its script with a `scontrol`."""
    (tmp_path / "ledger").mkdir()
    queue = tmp_path / "scontrol"
    queue.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nkill -KILL $PPID\n')
    queue.chmod(0o755)

    def run(command, signal_after=None):
        made = DriverJob(
            "x", ("bash", "-c", command), tmp_path, tmp_path / "log", tmp_path, tmp_path / "x"
        )
        with (tmp_path / "said").open("w") as said:
            process = subprocess.Popen(
                ["bash", "-c", driver_script(made, ClusterSettings(kind="slurm"))],
                env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "7", "PAIRSPEC_A": "x"},
                stderr=said,
            )
        if signal_after is not None:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(signal_after)
            process.send_signal(10)
        process.wait(20)
        ended, asked = tmp_path / "x.ended", tmp_path / "asked"
        return (
            process.returncode,
            ended.read_text().split() if ended.exists() else None,
            asked.read_text().split() if asked.exists() else None,
            (tmp_path / "said").read_text(),
        )

    return run


def test_the_exit_code_of_the_command_is_that_of_the_job(job):
    assert job('test -z "$PAIRSPEC_A"')[:3] == (0, ["7", "0"], None)
    assert job("exit 3")[:3] == (3, ["7", "3"], None)


def test_near_the_limit_the_job_goes_back_if_something_was_finished(job):
    code, ended, asked, _ = job("sleep 0.2; touch ledger/000000.json; sleep 9", 1.0)
    assert (code, ended, asked) == (-9, None, ["requeue", "7"])


def test_near_the_limit_a_job_that_finished_nothing_does_not_turn_for_ever(job):
    code, ended, asked, said = job("sleep 9", 1.0)
    assert (code, ended, asked) == (124, ["7", "124"], None)
    assert "raise walltime" in said


def test_a_command_that_ends_well_at_the_signal_has_ended_well(job):
    command = "trap 'exit 0' TERM; touch ledger/000000.json; sleep 9 & wait"
    assert job(command, 1.0)[:3] == (0, ["7", "0"], None)
