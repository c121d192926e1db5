import json

import pytest

from cluster.settings import ClusterSettings
from pipeline.settings.load import SettingsError, load_settings
from pipeline.settings.profiles import PROFILES, ClusterProfiles
from pipeline.stages import STAGES

SITE = """
[cluster]
kind = "slurm"
partition = "main"
gpus = 1
jobs = 3
[cluster.train]
jobs = 4
[cluster.infer]
gpus = 0
[cluster.driver]
walltime = "48:00:00"
"""


@pytest.fixture
def site(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    return path


def test_there_is_a_profile_for_every_stage_and_for_the_driver(site):
    assert (*(stage.name for stage in STAGES), "driver") == PROFILES
    for name in PROFILES:
        settings = load_settings(site, [f"cluster.{name}.account=dwarfs"])
        assert settings.for_stage(name).cluster.account == "dwarfs"
        assert settings.cluster.account is None


def test_a_profile_lies_over_what_holds_for_all_stages(site):
    settings = load_settings(site, ["cluster.train.partition=gpu"])
    train = settings.for_stage("train").cluster
    assert (train.kind, train.partition, train.jobs, train.gpus) == ("slurm", "gpu", 4, 1)
    assert settings.for_stage("infer").cluster.gpus == 0
    ingest = settings.for_stage("ingest").cluster
    assert (ingest.partition, ingest.jobs) == ("main", 3)
    assert train.profile("infer") == train


def test_the_environment_and_the_command_line_reach_a_profile(site, monkeypatch):
    monkeypatch.setenv("PAIRSPEC_CLUSTER__INFER__JOBS", "7")
    assert load_settings(site).for_stage("infer").cluster.jobs == 7
    assert load_settings(site, ["cluster.infer.jobs=8"]).for_stage("infer").cluster.jobs == 8
    monkeypatch.setenv("PAIRSPEC_CLUSTER__INFER__DIRECTIVES", '["--exclusive"]')
    assert load_settings(site).for_stage("infer").cluster.directives == ("--exclusive",)


def test_the_driver_takes_the_site_of_the_workers_but_not_their_size(site):
    driver = load_settings(site).for_stage("driver").cluster
    assert (driver.kind, driver.partition, driver.walltime) == ("slurm", "main", "48:00:00")
    assert (driver.jobs, driver.cores, driver.gpus) == (1, 1, 0)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("cluster.trian.jobs=3", "unknown setting 'cluster.trian'; did you mean 'cluster.train'"),
        ("cluster.train.jbs=3", "'cluster.train.jbs'; did you mean 'cluster.train.jobs'"),
        ("cluster.train.jobs=0", "setting 'cluster.train.jobs': should be greater"),
        ("cluster.train.kind=slrm", "setting 'cluster.train.kind': .*did you mean 'slurm'"),
        ("cluster.train=7", "setting 'cluster.train': "),
        ("cluster.validte.jobs=3", "'cluster.validte'; did you mean 'cluster.validate'"),
        ("cluster.jbs=3", "'cluster.jbs'; did you mean 'cluster.jobs'"),
        ("cluster.by_stage.train.jobs=3", "setting 'cluster': should be 'simulate'"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_nearest_name(site, override, message):
    with pytest.raises(SettingsError, match=message):
        load_settings(site, [override])


def test_what_is_wrong_for_all_stages_is_said_once(site):
    with pytest.raises(SettingsError) as error:
        load_settings(site, ["cluster.jobs=0"])
    assert str(error.value).count("cluster.jobs") == 1
    assert "cluster.train" not in str(error.value)


def test_settings_as_they_are_printed_can_be_read_back(site, tmp_path):
    folders = {"root": tmp_path / "run", "simulate": {"out": tmp_path / "survey"}}
    settings = load_settings(site, **folders)
    printed = tmp_path / "printed.json"
    printed.write_text(settings.model_dump_json())
    again = load_settings(printed)
    for stage in PROFILES:
        assert again.for_stage(stage) == settings.for_stage(stage)


def test_a_cluster_given_as_an_object_has_no_profiles():
    profiles = ClusterProfiles.model_validate(ClusterSettings(kind="inline"))
    assert profiles.profile("train").kind == "inline"


@pytest.mark.parametrize("content", ["[1]", "{", json.dumps({"rot": "x"})])
def test_a_file_of_printed_settings_that_holds_none_is_refused(tmp_path, content):
    path = tmp_path / "printed.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match="printed.json|unknown setting 'rot'"):
        load_settings(path)


def test_a_walltime_of_the_command_line_is_no_time_of_day(site):
    assert load_settings(site, ["cluster.walltime=02:00:00"]).cluster.walltime == "02:00:00"


def test_folders_of_a_profile_are_relative_to_the_file(site, tmp_path):
    site.write_text(SITE.replace("jobs = 4", 'shared_folder = "keys"'))
    assert load_settings(site).for_stage("train").cluster.shared_folder == tmp_path / "keys"
