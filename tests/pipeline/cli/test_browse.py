"""The explorer as a command, where it cannot start."""

import socket

from typer.testing import CliRunner

from pipeline.cli import browse
from pipeline.cli.app import app


def said(*command):
    found = CliRunner().invoke(app, ["browse", *map(str, command)])
    assert found.exit_code == 1
    return found.output


def test_without_the_extra_the_command_for_pip_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(browse, "EXTRA", "no_such_package")
    assert "pip install --constraint constraints.txt --editable '.[explore]'" in said(
        "--root", tmp_path
    )


def test_a_run_without_a_catalogue_names_the_command(tmp_path):
    assert f"run `pairspec catalogue --root {tmp_path}` first" in said("--root", tmp_path)


def test_a_folder_that_is_not_there_and_a_port_that_is_taken_are_named(finished, tmp_path):
    assert "--out" in said("--root", tmp_path, "--out", tmp_path / "none")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port}" in said("--root", finished.root, "--port", port)
