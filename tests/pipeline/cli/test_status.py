import pytest

from pipeline.cli.status import status_lines
from pipeline.core.ledger import Done, Ledger
from pipeline.core.published import Published, publish, withdraw
from pipeline.settings.load import load_settings


def states(root):
    lines = list(status_lines(load_settings(None, [], root=root)))[1:]
    return {line.split()[0]: line.split()[1] for line in lines}


def test_the_status_tells_complete_begun_and_outdated(tmp_path):
    assert set(states(tmp_path).values()) == {"-"}
    publish(tmp_path, "observations", Published("o1", {"rows": 12}))
    publish(tmp_path, "photometry", Published("p1", {"spectra": 12}, {"observations": "o1"}))
    Ledger(tmp_path, "select", "s").write(0, Done())
    assert states(tmp_path)["ingest"] == "complete"
    assert states(tmp_path)["photometry"] == "complete"
    assert states(tmp_path)["select"] == "begun"
    assert states(tmp_path)["label"] == "-"
    withdraw(tmp_path, "observations")
    assert states(tmp_path)["photometry"] == "outdated"


@pytest.mark.xdist_group("finished")
@pytest.mark.timeout(300)
def test_the_status_of_a_finished_survey(finished):
    lines = list(status_lines(load_settings(finished.config)))
    assert all(line.split()[1] == "complete" for line in lines[2:]), lines
    assert "spectra" in next(line for line in lines if line.startswith("catalogue"))
