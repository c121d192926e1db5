"""The whole text of what would be submitted, with the paths of this machine left out."""

import sys
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.jobs.scripts import scripts

GOLDEN = Path(__file__).parent / "golden"
CPU = (
    "cluster.partition=main", "cluster.jobs=8", "cluster.cores=4", "cluster.memory=16GB",
    "cluster.walltime=04:00:00", "cluster.interface=lo",
    "cluster.prologue=['module load python/3.11']",
)  # fmt: skip
GPU = (
    *CPU, "cluster.train.partition=gpu", "cluster.train.account=dwarfs", "cluster.train.gpus=1",
    "cluster.train.jobs=1", "cluster.train.directives=['--constraint=a100']",
)  # fmt: skip


def text_of(settings, stage, tmp_path):
    text = scripts(stage, settings)
    names = ((sys.executable, "PYTHON"), (str(tmp_path), "ROOT"), (str(Path.cwd()), "HERE"))
    for path, name in names:
        text = text.replace(path, name)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


@pytest.mark.parametrize(("name", "stage", "given"), [("cpu", "infer", CPU), ("gpu", "train", GPU)])
def test_the_jobs_of_a_stage(on_slurm, tmp_path, name, stage, given):
    assert text_of(on_slurm(*given), stage, tmp_path) == (GOLDEN / f"{name}.txt").read_text()


def test_workers_within_the_drivers_job_need_no_other(on_slurm, tmp_path):
    text = text_of(on_slurm("cluster.label.kind=local"), "label", tmp_path)
    assert text.endswith("# The workers are of kind 'local': they need no further job.\n")


def test_a_stage_or_a_kind_without_a_job_is_refused(on_slurm):
    with pytest.raises(InputError, match="did you mean 'infer'"):
        scripts("infr", on_slurm())
    with pytest.raises(ValueError, match=r"cluster.driver.kind = 'local'"):
        scripts("infer", on_slurm("cluster.kind=local"))
