"""Every notebook runs on the small finished survey, and is kept with its pictures."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def pictures(notebook):
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return [o for o in outputs if "image/png" in o.get("data", {})]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_shows_as_many_pictures_as_it_is_kept_with(path, finished, monkeypatch):
    kept = nbformat.read(path, as_version=4)
    n_pictures = len(pictures(kept))
    monkeypatch.setenv("PAIRSPEC_ROOT", str(finished.before("report")))
    resources = {"metadata": {"path": finished.before("report")}}
    done = NotebookClient(kept, timeout=240, resources=resources).execute()
    # A validation may be skipped on so few stars.
    assert 0 < len(pictures(done)) <= n_pictures
    assert path.stem.startswith("5") or len(pictures(done)) == n_pictures


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_as_it_ran_on_the_demo(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not any(output.output_type in ("error", "stream") for output in outputs)
    # No folder of the author's machine, and no import from within the project but public flags.
    text = path.read_text()
    assert "../demo/run" in text and '"/' not in text
    assert "from pipeline" not in text
