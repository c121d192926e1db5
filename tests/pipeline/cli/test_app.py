import json
import resource
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app

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
