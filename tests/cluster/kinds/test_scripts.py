"""The text of the job scripts: what each batch system is asked for, and what the job does."""

import sys
from pathlib import Path

import pytest

from cluster.engine import ClusterError
from cluster.kinds.queue import job_script
from cluster.settings import QUEUES, ClusterSettings

LOGS = Path("/shared/logs")

DIRECTIVES = {"sge": ("-pe smp 4",), "htcondor": ("requirements = HasAVX2",)}
COMMON = {
    "cores": 4, "memory": "8GB", "walltime": "02:00:00", "account": "astro", "interface": "ib0",
    "scratch": "/scratch/$USER", "prologue": ("module load gcc",),
}  # fmt: skip

CPU = {
    "slurm": """#!/usr/bin/env bash

#SBATCH -J pairspec-RUN
#SBATCH -e /shared/logs/pairspec-RUN-%J.err
#SBATCH -o /shared/logs/pairspec-RUN-%J.out
#SBATCH -p stars
#SBATCH -A astro
#SBATCH -n 1
#SBATCH --cpus-per-task=4
#SBATCH --mem=7630M
#SBATCH -t 02:00:00
#SBATCH --no-requeue
#SBATCH --exclusive
""",
    "pbs": """#!/usr/bin/env bash

#PBS -N pairspec-RUN
#PBS -q stars
#PBS -A astro
#PBS -l select=1:ncpus=4:mem=7630mb
#PBS -l walltime=02:00:00
#PBS -e /shared/logs/
#PBS -o /shared/logs/
#PBS -r n
#PBS --exclusive
""",
    "moab": """#!/usr/bin/env bash

#PBS -N pairspec-RUN
#PBS -q stars
#PBS -A astro
#PBS -l nodes=1:ppn=4,mem=7630mb
#PBS -l walltime=02:00:00
#PBS -e /shared/logs/
#PBS -o /shared/logs/
#PBS -r n
#PBS --exclusive
""",
    "lsf": """#!/usr/bin/env bash

#BSUB -J pairspec-RUN
#BSUB -e /shared/logs/pairspec-RUN-0-%J.err
#BSUB -o /shared/logs/pairspec-RUN-0-%J.out
#BSUB -q stars
#BSUB -P "astro"
#BSUB -n 4
#BSUB -R "span[hosts=1]"
#BSUB -M 8000000
#BSUB -W 02:00
#BSUB -rn
#BSUB --exclusive
""",
    "sge": """#!/usr/bin/env bash

#$ -N pairspec-RUN
#$ -q stars
#$ -P astro
#$ -l mem_free=1908M
#$ -l h_rt=02:00:00
#$ -e /shared/logs/
#$ -o /shared/logs/
#$ -cwd
#$ -j y
#$ -r n
#$ -pe smp 4
""",
    "oar": """#!/usr/bin/env bash

#OAR -n pairspec-RUN
#OAR -q stars
#OAR --project astro
#OAR -l /nodes=1/core=4,walltime=02:00:00
#OAR --exclusive
""",
}
GPU = {
    "slurm": ("#SBATCH --exclusive", "#SBATCH --gres=gpu:1\n#SBATCH --exclusive"),
    "pbs": ("ncpus=4:mem", "ncpus=4:ngpus=1:mem"),
    "moab": ("ppn=4,mem", "ppn=4:gpus=1,mem"),
    "lsf": ("#BSUB --exclusive", '#BSUB -gpu "num=1"\n#BSUB --exclusive'),
    "sge": ("#$ -pe smp 4", "#$ -l gpu=1\n#$ -pe smp 4"),
    "oar": ("nodes=1/core=4", "nodes=1/gpu=1/core=4"),
}
"""What changes in the header when a job has a GPU."""

PROLOGUE = [
    "exec >>/shared/logs/pairspec-RUN-0.log 2>&1",
    "trap 'echo \"pairspec: the job ended with status $?\"' EXIT",
    "trap 'exit 143' TERM",
    "module load gcc",
    "export OMP_NUM_THREADS=1",
    "export MALLOC_TRIM_THRESHOLD_=268435456",
    "export MALLOC_MMAP_THRESHOLD_=33554432",
    "export GOMP_SPINCOUNT=1000",
    "export DASK_DISTRIBUTED__WORKER__LIFETIME__DURATION='6270s'",
    "export DASK_DISTRIBUTED__WORKER__LIFETIME__STAGGER='330s'",
    'SCRATCH="/scratch/$USER"',
    (
        'mkdir -p "$SCRATCH" && test -w "$SCRATCH" || { echo "pairspec: node `uname -n` cannot '
        'write to the scratch folder $SCRATCH; change cluster.scratch"; exit 1; }'
    ),
    (
        "test -r /shared/logs/.keys/certificate.pem && test -r /shared/logs/.keys/key.pem || "
        '{ echo "pairspec: node `uname -n` cannot read /shared/logs/.keys: '
        'cluster.shared_folder must be on a file system that nodes share"; exit 1; }'
    ),
]
COMMAND = {
    False: "{python} -m distributed.cli.dask_worker tls://SCHEDULER:PORT --name pairspec-RUN-0 "
    "--nthreads 1 --memory-limit 1800000000 --nworkers 4 --nanny --death-timeout 60 "
    '--local-directory "$SCRATCH" --no-dashboard --dashboard-address 127.0.0.1:0 --interface ib0 '
    "--protocol tls:// --tls-ca-file {keys}/certificate.pem --tls-cert {keys}/certificate.pem "
    "--tls-key {keys}/key.pem",
    True: "{python} -m dask_cuda.cli tls://SCHEDULER:PORT --name pairspec-RUN-0 --nthreads 1 "
    '--memory-limit 7200000000 --death-timeout 60 --local-directory "$SCRATCH" --no-dashboard '
    "--dashboard-address 127.0.0.1:0 --device-memory-limit default --interface ib0 "
    "--protocol tls:// --tls-ca-file {keys}/certificate.pem --tls-cert {keys}/certificate.pem "
    "--tls-key {keys}/key.pem",
}

CONDOR = """#!/usr/bin/env condor_submit

MY.DaskWorkerName = "htcondor--$F(MY.JobId)--"
batch_name = pairspec-RUN-0
RequestCpus = MY.DaskWorkerCores
RequestMemory = floor(MY.DaskWorkerMemory / 1048576)
RequestDisk = floor(MY.DaskWorkerDisk / 1024)
MY.JobId = "$(ClusterId).$(ProcId)"
MY.DaskWorkerCores = 4
MY.DaskWorkerMemory = 8000000000
MY.DaskWorkerDisk = 10000000000
LogDirectory = /shared/logs
Output = $(LogDirectory)/worker-$F(MY.JobId).out
Error = $(LogDirectory)/worker-$F(MY.JobId).err
Log = $(LogDirectory)/worker-$(ClusterId).log
Stream_Output = True
Stream_Error = True
getenv = True
periodic_remove = (JobStatus == 2 && time() - JobCurrentStartDate > 7200) || \
(JobStatus == 1 && NumJobStarts > 0)
accounting_group = astro
{gpus}requirements = HasAVX2

Arguments = "-c '{command}'"
Executable = /bin/sh

Queue
"""


def settings_of(kind: str, gpus: int = 0, **values) -> ClusterSettings:
    given = COMMON | {"directives": DIRECTIVES.get(kind, ("--exclusive",))}
    if kind != "htcondor":
        given["partition"] = "stars"
    return ClusterSettings(kind=kind, gpus=gpus, **given | values)


def command(gpus: int) -> str:
    return COMMAND[gpus > 0].format(python=sys.executable, keys="/shared/logs/.keys")


@pytest.fixture(autouse=True)
def no_site(monkeypatch):
    """LSF's units would be read from the site's configuration, if there is one."""
    monkeypatch.delenv("LSF_ENVDIR", raising=False)
    monkeypatch.delenv("LSF_CONFDIR", raising=False)


@pytest.mark.parametrize("gpus", [0, 1])
@pytest.mark.parametrize("kind", CPU)
def test_script(kind, gpus):
    header = CPU[kind].replace(*GPU[kind]) if gpus else CPU[kind]
    expected = header + "\n".join(PROLOGUE) + "\n" + command(gpus) + "\n"
    assert job_script(settings_of(kind, gpus), LOGS) == expected


@pytest.mark.parametrize("gpus", [0, 1])
def test_script_of_htcondor(gpus):
    shell = "; ".join([*PROLOGUE, command(gpus)]).replace("'", "''").replace('"', '""')
    request = "request_gpus = 1\n" if gpus else ""
    # HTCondor would take $(...) for a macro of its own.
    assert "$(" not in shell
    expected = CONDOR.format(gpus=request, command=shell)
    assert job_script(settings_of("htcondor", gpus), LOGS) == expected


def test_every_queue_has_an_expected_text():
    assert {*CPU, "htcondor"} == set(QUEUES)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("sge", {"directives": ()}, "-pe NAME 4.*cluster.directives"),
        ("htcondor", {"partition": "stars"}, "no partitions.*cluster.partition"),
        ("htcondor", {"directives": ("--exclusive",)}, "'KEY = VALUE'.*cluster.directives"),
    ],
)
def test_what_a_queue_cannot_do_is_refused_before_anything_is_submitted(kind, values, message):
    with pytest.raises(ClusterError, match=message):
        job_script(settings_of(kind, **values), LOGS)


def test_workers_share_a_job():
    text = job_script(settings_of("slurm", workers=2, interface=None), LOGS)
    assert "--nworkers 2 " in text and "--memory-limit 3600000000 " in text
    assert "--nthreads 1 " in text and "--interface" not in text


def test_minutes_of_lsf_are_rounded_up():
    assert "#BSUB -W 100:01\n" in job_script(settings_of("lsf", walltime="100:00:01"), LOGS)
