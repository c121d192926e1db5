"""The check of docstrings finds what is missing, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_docstrings.py"

COMPLETE = '''
class Grid:
    def shift(self, first, step, *rest, where=None):
        """Shift.

        Parameters
        ----------
        first, step : float
            Both.
        *rest : float
            More.
        where : str, optional
            Place.

        Raises
        ------
        ValueError
            Too far.
        """
        if step > 1:
            raise ValueError("too far")

    def _private(self, a, b, c):
        raise KeyError(a)

    def two(self, a, b):
        try:
            return a[b]
        except KeyError as error:
            raise error


def outer():
    def inner(a, b, c):
        raise ValueError(a)

    return inner


@app.command()
def query(sql, root, output):
    """Text of --help."""


@stage_command("ingest")
def ingest(spectra, catalogue, root):
    """Text of --help."""
'''

HOLED = '''
def shift(first, step, rest):
    """Shift.

    Parameters
    ----------
    first : float
        See step; rest
        is left out.
    """
    if step:
        raise core.InputError("no") from None
'''


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False
    )


def test_a_complete_docstring_passes(tmp_path):
    (tmp_path / "grid.py").write_text(COMPLETE)
    found = check(tmp_path)
    assert (found.returncode, found.stdout) == (0, "")


def test_what_is_missing_is_named_with_its_place(tmp_path):
    path = tmp_path / "shift.py"
    path.write_text(HOLED)
    found = check(tmp_path)
    assert found.returncode == 1
    assert found.stdout.splitlines() == [
        f"{path}:2: shift: Parameters lacks step, rest",
        f"{path}:2: shift: Raises lacks InputError",
    ]


@pytest.mark.parametrize("line", ["first, step, rest : float", "first, step : float\n    rest"])
def test_a_line_may_name_several_parameters(tmp_path, line):
    complete = HOLED.replace("first : float", line).replace(
        'out.\n    """', 'out.\n\n    Raises\n    ------\n    InputError\n        No.\n    """'
    )
    (tmp_path / "shift.py").write_text(complete)
    assert check(tmp_path).stdout == ""


def test_a_folder_without_files_is_refused(tmp_path):
    found = check(tmp_path)
    assert found.returncode == 1
    assert "no Python file" in found.stderr
