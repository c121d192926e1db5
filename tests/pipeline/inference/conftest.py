from functools import partial

import pytest
import torch

from pipeline.network.card import ModelCard
from pipeline.network.checkpoint import save_model
from pipeline.network.model import build_model
from pipeline.settings.load import load_settings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.stages import run_stage
from tests.networks import TWO_BLOCKS

catalogue = partial(run_stage, "catalogue")
infer = partial(run_stage, "infer")
ingest = partial(run_stage, "ingest")


@pytest.fixture(scope="session", name="save_untrained")
def save_untrained_fixture():
    """Save a network of random weights: ``save_untrained(folder, seed, spectra)``."""
    return save_untrained


def save_untrained(folder, seed=1, spectra=SpectraSettings(), survey="lamost"):  # noqa: B008
    """Save a network of random weights: its answers differ from spectrum to spectrum."""
    n_pixel = WaveGrid.from_settings(spectra).n_pixel
    model = build_model(TWO_BLOCKS, n_pixel, seed).eval()
    with torch.no_grad():
        for weights in model.stem.parameters():
            weights.mul_(50)  # or noise of a few per cent would hardly move the answer
    known = {"spectra": spectra, "survey": survey, "data": "none", "split_seed": 0}
    card = ModelCard(network=TWO_BLOCKS, n_pixel=n_pixel, **known)
    save_model(folder, model, card)
    return model


@pytest.fixture
def settings(survey, tmp_path, write_spectrum):
    # A star seen twice, 1 arcsec apart, and a spectrum with too many bad pixels.
    write_spectrum(
        survey / "plan2" / "again.fits", obsid=300, seed=77, ra=11.01, dec=20.0 + 1 / 3600
    )
    bad = survey / "plan2" / "bad.fits"
    write_spectrum(bad, obsid=301, seed=2)
    from astropy.io import fits

    with fits.open(bad, mode="update") as hdus:
        hdus[1].data["IVAR"][0, 1000:1600] = 0
    return load_settings(
        None,
        ["ingest.shard_rows=8", "ingest.chunk_rows=4", "infer.scope=all"],
        root=tmp_path / "run",
        inputs={"spectra": survey},
    )


@pytest.fixture
def finished(settings, client):
    ingest(settings, client)
    model = save_untrained(settings.root / "model")
    infer(settings, client)
    catalogue(settings, client)
    return settings, model
