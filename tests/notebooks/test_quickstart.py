"""The notebook runs from top to bottom on a small simulated survey."""

from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from pipeline.network.checkpoint import ModelCard, save_model
from pipeline.network.model import build_model
from pipeline.settings.load import load_settings
from pipeline.settings.network import NetworkSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.stages import run_stage

catalogue = partial(run_stage, "catalogue")
infer = partial(run_stage, "infer")
ingest = partial(run_stage, "ingest")
simulate = partial(run_stage, "simulate")


NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "quickstart.ipynb"


@pytest.fixture
def root(tmp_path, client):
    """Root of a run on 60 stars, classified by an untrained network."""
    simulate(
        load_settings(None, ["simulate.n_stars=60", "simulate.survey.hats=false"],
                      simulate={"out": tmp_path / "survey"}), client,
    )  # fmt: skip
    settings = load_settings(tmp_path / "survey" / "pairspec.toml", ["infer.scope=all"])
    ingest(settings, client)
    small = NetworkSettings(stem_channels=4, channels=(4,), blocks=(1,), strides=(4,), hidden=(8,))
    n_pixel = WaveGrid.from_settings(SpectraSettings()).n_pixel
    card = ModelCard(
        network=small, n_pixel=n_pixel, spectra=SpectraSettings(), data="none", split_seed=0
    )
    save_model(settings.root / "model", build_model(small, n_pixel, 1).eval(), card)
    infer(settings, client)
    catalogue(settings, client)
    return settings.root


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_quickstart_runs_and_shows_tables_and_figures(root, monkeypatch):
    monkeypatch.setenv("PAIRSPEC_ROOT", str(root))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": root}}).execute()
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    images = [o for o in outputs if "image/png" in o.get("data", {})]
    tables = [o["data"]["text/html"] for o in outputs if "text/html" in o.get("data", {})]
    assert len(images) == 2
    assert len(tables) == 3
    assert "mean_p_b" in tables[-1]


def test_the_notebook_is_kept_without_output():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
