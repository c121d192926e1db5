import pytest

from pipeline.cli.outdated import note_outdated
from pipeline.core.published import Published, outdated, publish
from pipeline.door.open_run import OpenRun


@pytest.fixture
def root(tmp_path):
    """A run whose catalogue was made from other predictions than are there."""
    publish(tmp_path, "predictions", Published("new", {"spectra": 5}))
    publish(tmp_path, "catalogue", Published("c", {"stars": 4}, {"predictions": "old"}))
    return tmp_path


def test_what_is_outdated_is_named_on_the_screen(root, capsys):
    assert outdated(root, ["predictions", "catalogue", "labels"]) == ["catalogue"]
    note_outdated(root)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"note: outdated in {root}: catalogue; see `pairspec status`\n"
    publish(root, "catalogue", Published("c", {"stars": 4}, {"predictions": "new"}))
    note_outdated(root)
    assert capsys.readouterr().err == ""


def test_an_open_run_says_what_is_outdated(root):
    assert "4 stars (outdated)" in repr(OpenRun(root))
    assert "5 spectra (outdated)" not in repr(OpenRun(root))
