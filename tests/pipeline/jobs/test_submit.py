"""What the driver's job is given."""

from pathlib import Path

from pipeline.jobs.submit import frozen
from pipeline.settings.load import load_settings

GIVEN = (
    "inputs.gaia=gaia.parquet", "inputs.tmass=https://a/b", "photometry.dust_folder=dust",
    "infer.models=['a', '/b']", "training.teacher=net", "cluster.train.log_folder=logs",
)  # fmt: skip


def test_frozen_settings_mean_the_same_wherever_they_lie(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    path = there / "settings.json"
    path.write_bytes(frozen(load_settings(None, GIVEN), here / "run"))
    read = load_settings(path)
    assert read.root == here / "run"
    assert Path(str(read.inputs.gaia)) == here / "gaia.parquet"
    assert read.inputs.tmass == "https://a/b"
    assert read.photometry.dust_folder == here / "dust"
    assert read.infer.models == (here / "a", Path("/b"))
    assert read.training.teacher == here / "net"
    assert read.cluster.profile("train").log_folder == here / "logs"
