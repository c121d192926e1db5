import errno
import json
import os
import resource
import subprocess
import sys
from importlib.metadata import version

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.cli.console import _words, errors

STAGES = [command.name or command.callback.__name__ for command in app.registered_commands]


def pairspec(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_help_takes_less_than_a_second_of_the_processor():
    fastest = 9.0
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "ingest" in pairspec("--help").stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        fastest = min(fastest, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert fastest < 1.0


def test_help_loads_nothing_heavy():
    code = "import sys, pipeline.cli.app; print([m for m in sys.modules if m in sys.argv[1:]])"
    heavy = ["numpy", "torch", "dask", "pandas", "pyarrow", "xarray", "zarr", "astropy"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("stage", STAGES)
def test_every_command_has_a_manual_page(stage):
    result = CliRunner().invoke(app, [stage, "--help"])
    assert result.exit_code == 0
    assert "--config" in result.output
    assert "--debug" in result.output


def test_exit_codes_and_errors_without_traceback(tmp_path):
    usage = pairspec("ingest", "--set", "cluster.wrkers=2", "--root", tmp_path)
    assert usage.returncode == 2
    assert "did you mean 'cluster.workers'" in usage.stderr
    unknown = pairspec("ingest", "--no-such-option")
    assert unknown.returncode == 2
    failed = pairspec("infer", "--root", tmp_path / "empty")
    assert failed.returncode == 1
    assert "run `pairspec ingest" in failed.stderr
    assert "Traceback" not in usage.stderr + failed.stderr


def test_debug_shows_the_traceback(tmp_path):
    failed = pairspec("query", "SELECT 1", "--root", tmp_path / "empty", "--debug")
    assert failed.returncode == 1
    assert "Traceback" in failed.stderr


def test_settings_are_printed_as_json(tmp_path):
    done = pairspec("settings", "--root", tmp_path, "--set", "cluster.workers=7")
    assert json.loads(done.stdout)["cluster"]["workers"] == 7


def test_the_version_is_told():
    done = pairspec("--version")
    assert (done.returncode, done.stdout) == (0, f"pairspec {version('pairspec')}\n")


READING = (
    ("status",), ("query", "SELECT 1"), ("verify",), ("star", "x"), ("export", "-o", "x.fits"),
    ("tables",), ("browse",),
)  # fmt: skip


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_a_root_that_is_not_there_is_named(tmp_path, command):
    root = tmp_path / "none"
    result = CliRunner().invoke(app, [*command, "--root", str(root)])
    assert result.exit_code == 1
    assert result.stderr == (
        f"pairspec: there is no folder {root}; give the folder of a run by --root\n"
    )
    assert not root.exists()


def test_the_status_of_an_empty_folder_is_shown(tmp_path):
    result = CliRunner().invoke(app, ["status", "--root", str(tmp_path)])
    assert result.exit_code == 0
    assert result.stdout.startswith("stage ")


def test_a_root_that_is_a_file_is_named(tmp_path):
    root = tmp_path / "file"
    root.touch()
    (tmp_path / "in").mkdir()
    asked = CliRunner().invoke(app, ["status", "--root", str(root)])
    assert f"pairspec: {root} is a file; give the folder" in asked.stderr
    arguments = ["ingest", "--spectra", str(tmp_path / "in"), "--root", str(root)]
    written = CliRunner().invoke(app, arguments)
    assert written.exit_code == 1
    assert f"pairspec: {root} is a file, where a folder is wanted" in written.stderr


def test_a_folder_that_cannot_be_written_is_named_before_workers_start(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode, **_: not mode & os.W_OK)
    (tmp_path / "in").mkdir()
    root = tmp_path / "run"
    arguments = ["ingest", "--spectra", str(tmp_path / "in"), "--root", str(root)]
    result = CliRunner().invoke(app, arguments)
    assert f"pairspec: the folder {tmp_path} cannot be written" in result.stderr
    assert "starting workers" not in result.stderr


def test_an_error_of_the_system_is_told_without_its_class():
    error = PermissionError(errno.EPERM, "Operation not permitted", "run/.lock")
    with pytest.raises(typer.Exit), errors(debug=False):
        raise error
    assert _words(error) == "run/.lock: Operation not permitted"
    assert _words(FileNotFoundError("no run at x")) == "no run at x"
    assert _words(KeyError("x")) == "KeyError: 'x'"
    assert _words(TimeoutError()) == "TimeoutError"
