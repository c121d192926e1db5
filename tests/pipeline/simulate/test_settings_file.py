import tomllib

from pipeline.settings.load import load_settings
from pipeline.simulate.settings_file import settings_file


def test_settings_of_later_stages_travel_with_the_survey(tmp_path):
    given = load_settings(
        None,
        ["training.max_epochs=3", "network.preset=small", "network.channels=[4, 8]",
         "network.blocks=[1, 1]", "network.strides=[2, 2]", "cluster.workers=7",
         "simulate.n_stars=30"],
    )  # fmt: skip
    path = tmp_path / "pairspec.toml"
    path.write_text(settings_file(given, {"spectra": "spectra", "no_such_input": "x"}))
    content = tomllib.loads(path.read_text())
    assert content == {
        "root": "run",
        "inputs": {"spectra": "spectra"},
        "network": {"preset": "small", "channels": [4, 8], "blocks": [1, 1], "strides": [2, 2]},
        "training": {"max_epochs": 3},
    }
    read = load_settings(path)
    assert (read.network, read.training) == (given.network, given.training)
    assert read.root == tmp_path / "run"
    assert read.inputs.spectra == tmp_path / "spectra"


def test_paths_of_the_command_line_mean_the_same_in_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = load_settings(None, ["infer.models=['a', '/b']", "photometry.dust_folder=dust"])
    path = tmp_path / "survey" / "pairspec.toml"
    path.parent.mkdir()
    path.write_text(settings_file(given, {}))
    read = load_settings(path)
    assert [*map(str, read.infer.models)] == [str(tmp_path / "a"), "/b"]
    assert read.photometry.dust_folder == tmp_path / "dust"
