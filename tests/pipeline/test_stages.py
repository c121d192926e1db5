"""The one list of stages, and what reads it."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import ORDER, app
from pipeline.cli.catalogue import VIEWS
from pipeline.cli.demo import run_stages
from pipeline.stages import STAGES, find_stage, makers
from schemas.registry import TABLES

REPOSITORY = Path(__file__).resolve().parents[2]

NEW_STAGE = """
import pipeline.stages as stages
from pipeline.core.stage import Stage

stages.STAGES += (
    Stage("nothing", "own.stage", makes="nothing", summary="Do nothing at all.", needs=()),
)
from pipeline.cli.app import main
main()
"""

NEW_MODULE = """
from pipeline.core.report import StageReport
from pipeline.core.run import Run


def run(run: Run) -> StageReport:
    return run.publish(run.digest("nothing"), {"nothings": 7})
"""


def test_every_stage_needs_and_uses_what_an_earlier_one_makes():
    made = set()
    for stage in STAGES:
        assert made >= set(stage.needs), stage.name
        assert made >= set(stage.uses), stage.name
        made.add(stage.makes)
    assert len(made) == len(STAGES) == len(makers())


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_is_a_function_of_a_run(stage):
    function = importlib.import_module(stage.module).run
    assert list(function.__annotations__) == ["run", "return"]
    assert find_stage(stage.name) is stage


def test_the_views_of_a_query_are_the_tables():
    listed = [name for stage in STAGES for name in stage.tables]
    assert sorted(listed) == sorted(table.name for table in TABLES)
    assert VIEWS.split(", ") == [name for s in reversed(STAGES) for name in s.tables]


def test_the_command_line_has_the_stages_in_order():
    names = [c.name or c.callback.__name__ for c in app.registered_commands]
    assert names == list(ORDER)
    assert [n for n in names if n in {s.name for s in STAGES}] == [s.name for s in STAGES]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_the_manual_page_says_what_it_writes(stage):
    result = CliRunner().invoke(app, [stage.name, "--help"])
    words = " ".join(result.output.split())
    assert stage.summary in words
    assert "Writes " in words
    assert f"Example: pairspec {stage.name}" in words


def test_make_knows_every_stage():
    done = subprocess.run(
        ["make", "help", f"PYTHON={sys.executable}"], cwd=REPOSITORY, capture_output=True, text=True
    )
    for stage in STAGES:
        assert f"make {stage.name}" in done.stdout
        assert stage.summary in done.stdout
        made = subprocess.run(
            ["make", "-n", stage.name, f"PYTHON={sys.executable}", "ROOT=r"],
            cwd=REPOSITORY, capture_output=True, text=True,
        )  # fmt: skip
        assert f"pairspec {stage.name} " in made.stdout, made.stderr


def test_a_new_stage_is_one_module_and_one_entry(tmp_path):
    """It is found in the command line, the help and the status, and runs."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "stage.py").write_text(NEW_MODULE)
    (tmp_path / "new.py").write_text(NEW_STAGE.replace("ORDER", ""))

    def told(*arguments):
        done = subprocess.run(
            [sys.executable, str(tmp_path / "new.py"), *arguments],
            capture_output=True, text=True, cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{REPOSITORY}:{tmp_path}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Do nothing at all." in told("--help")
    assert "Do nothing at all." in told("nothing", "--help")
    (tmp_path / "run").mkdir()
    root = ("--root", str(tmp_path / "run"))
    assert "nothing     -" in told("status", *root)
    assert "nothings             7" in told("nothing", *root, "--set", "cluster.kind=inline")
    assert "nothing     complete    nothing       7 nothings" in told("status", *root)


def test_the_demo_runs_every_stage_in_order_and_stops_at_a_failure(tmp_path, monkeypatch):
    seen = []

    def fake(command, check):
        seen.append(command[3])
        return subprocess.CompletedProcess(command, 3 if command[3] == "label" else 0)

    monkeypatch.setattr(subprocess, "run", fake)
    assert run_stages(tmp_path / "pairspec.toml", ["a.b=1"]) == 3
    assert seen == ["ingest", "photometry", "select", "label"]
