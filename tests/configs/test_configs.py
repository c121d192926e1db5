"""The ready settings: each can be read, says what it sets, and fits the stages it is for."""

import re
import tomllib
from pathlib import Path

import pytest

from pipeline.jobs.checks import check, job_profile, stages_named
from pipeline.jobs.scripts import scripts
from pipeline.settings.load import load_settings
from pipeline.stages import STAGES

FOLDER = Path(__file__).resolve().parents[2] / "configs"
FILES = sorted(FOLDER.glob("*.toml"))
ON_A_CLUSTER = [path for path in FILES if path.stem != "laptop"]
NAMES = [stage.name for stage in STAGES[1:]]


def name_of(path):
    return path.stem


def test_there_are_settings_for_every_kind_of_site():
    assert {path.stem for path in FILES} == {
        "laptop", "slurm-cpu", "slurm-gpu", "allocation", "lamost-dr10",
    }  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_each_is_read_and_every_setting_is_used(path):
    settings = load_settings(path)
    for section, values in tomllib.loads(path.read_text()).items():
        if not isinstance(values, dict):
            continue
        found = getattr(settings, section)
        for key, value in values.items():
            if isinstance(value, dict):
                profile = settings.for_stage(key).cluster
                assert {k: getattr(profile, k) for k in value} == {
                    k: tuple(v) if isinstance(v, list) else v for k, v in value.items()
                }
            elif section != "inputs":
                expected = tuple(value) if isinstance(value, list) else value
                assert getattr(found, key) == expected


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_block_of_lines_is_explained(path):
    text = path.read_text()
    assert text.startswith("# ")
    first = text.split("\n\n")[0]
    assert "pairspec" in first and "Copy" in text
    for block in text.split("\n\n"):
        assert "#" in block or not re.search(r"^[a-z_]+ = ", block, re.MULTILINE), block
    if path.stem != "laptop":
        assert "SITE" in text


@pytest.mark.parametrize("path", ON_A_CLUSTER, ids=name_of)
def test_all_stages_can_be_submitted_with_it(path):
    settings = load_settings(path)
    check(stages_named(["all"]), settings)
    for stage in NAMES:
        assert scripts(stage, settings).count("#!/usr/bin/env bash") in (1, 2)


def test_the_gpus_are_where_the_network_is():
    settings = load_settings(FOLDER / "slurm-gpu.toml")
    gpus = {stage for stage in NAMES if settings.for_stage(stage).cluster.gpus}
    assert gpus == {"train", "infer"}
    assert "dask_cuda" in scripts("train", settings)
    assert "dask_cuda" not in scripts("ingest", settings)


def test_an_allocation_is_one_job_with_all_its_tasks():
    settings = load_settings(FOLDER / "allocation.toml")
    text = scripts("infer", settings)
    assert "#SBATCH --ntasks=32" in text
    assert "\nsrun " in text
    assert text.count("#SBATCH --job-name") == 1
    assert job_profile("label", settings).kind == "slurm"


def test_the_papers_run_has_the_papers_numbers():
    settings = load_settings(FOLDER / "lamost-dr10.toml")
    sample, labels, training = settings.sample, settings.labels, settings.training
    assert (sample.teff_min_k, sample.teff_max_k, sample.logg_min) == (3800, 6500, 4)
    assert (sample.colour_min, sample.colour_max, sample.snr_g_min) == (1.5, 2.6, 20)
    assert (sample.training_parallax_min_mas, sample.training_m_g_min) == (3, 4)
    assert (labels.single_min_mag, labels.single_max_mag) == (-0.25, 0.25)
    assert labels.binary_min_mag == -0.5
    assert (training.optimizer, training.learning_rate) == ("adam", 1e-4)
    assert (training.composite_share, settings.network.dropout) == (0, 0.5)
    assert settings.evaluate.ratios[0] == 0.5
