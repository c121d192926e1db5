from dataclasses import asdict

import pytest

from pipeline.cli.status import duration, status_lines
from pipeline.core.atomic import write_json
from pipeline.core.ledger import Done, Ledger
from pipeline.core.lock import root_lock
from pipeline.core.pace import FOLDER, Pace
from pipeline.core.published import Published, publish, withdraw
from pipeline.jobs.submission import Submission, remember
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


def test_the_survey_of_the_inputs_is_the_one_that_is_shown(tmp_path):
    publish(tmp_path / "survey", "survey", Published("s", {"stars": 3}))
    inputs = {"spectra": tmp_path / "survey" / "spectra"}
    settings = load_settings(None, [], root=tmp_path / "run", inputs=inputs)
    line = next(line for line in status_lines(settings) if line.startswith("simulate"))
    assert line.split() == ["simulate", "complete", "survey", "3", "stars"]


def test_a_running_stage_shows_its_pace_and_what_is_left(tmp_path):
    def line():
        lines = status_lines(load_settings(None, [], root=tmp_path))
        return next(line for line in lines if line.startswith("infer"))

    folder = tmp_path / FOLDER
    pace = Pace("infer", "infer", "shards", 1709, 100, 200, 1e9, 1e9 + 1000, 8)
    write_json(folder / "infer.json", asdict(pace))
    assert line().split() == ["infer", "-", "predictions"]
    Ledger(tmp_path, "infer", "i").write(0, Done())
    assert line().endswith("predictions   200/1,709 shards")
    with root_lock(tmp_path, "infer"):
        shown = line()
    assert shown.split()[1] == "running"
    assert shown.endswith("200/1,709 shards, 6.0 per minute, about 4 h left")
    assert line().split()[1] == "begun"


def test_a_queue_that_does_not_answer_is_told_and_the_rest_is_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    publish(tmp_path, "observations", Published("o1", {"rows": 12}))
    remember(tmp_path, Submission("photometry", "slurm", "7", None, 1e9, "/logs/p.log"))
    lines = list(status_lines(load_settings(None, [], root=tmp_path)))
    assert lines[2].split()[:2] == ["ingest", "complete"]
    assert "  photometry  job 7; log /logs/p.log" in lines
    assert "could not be asked: there is no squeue on this machine" in lines[-1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5 s"), (89, "89 s"), (100, "2 min"), (5900, "98 min"), (7000, "2 h"), (9e4, "25 h")],
)
def test_times_are_given_as_one_would_say_them(seconds, text):
    assert duration(seconds) == text
