"""What the network looked at adds up to its answer."""

import numpy as np
import pytest
import torch

from pipeline.network.card import CheckpointError, ModelCard
from pipeline.network.checkpoint import save_model
from pipeline.network.ensemble import Ensemble
from pipeline.network.members import plan_ensemble
from pipeline.network.model import build_model
from pipeline.settings.infer import InferSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.star.attribution import attribute
from tests.networks import TWO_BLOCKS

N_PIXEL = WaveGrid.from_settings(SpectraSettings()).n_pixel


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Two networks of random weights."""
    folders = [tmp_path_factory.mktemp("networks") / str(seed) for seed in (1, 2)]
    for seed, folder in enumerate(folders, start=1):
        model = build_model(TWO_BLOCKS, N_PIXEL, seed).eval()
        with torch.no_grad():
            for weights in model.stem.parameters():
                weights.mul_(20)
        card = ModelCard(
            network=TWO_BLOCKS,
            n_pixel=N_PIXEL,
            spectra=SpectraSettings(),
            data="none",
            split_seed=0,
        )
        save_model(folder, model, card)
    return folders


@pytest.fixture(scope="module")
def flux_L():
    """A spectrum of 30 lines."""
    rng = np.random.default_rng(4)
    flux = np.ones(N_PIXEL, np.float32)
    for centre in rng.integers(10, N_PIXEL - 10, 30):
        flux[centre - 5 : centre + 5] -= rng.uniform(0.05, 0.6)
    return flux


@pytest.mark.parametrize("n", [1, 2])
def test_the_pixels_and_the_continuum_add_up_to_the_logit(networks, flux_L, n):
    members = plan_ensemble(networks[:n]).members
    found = attribute(members, flux_L)
    spectra = np.stack([flux_L, np.ones_like(flux_L)])
    logit, continuum = Ensemble(members, InferSettings(device="cpu")).predict(spectra).logit_B
    assert found.logit == pytest.approx(logit, abs=1e-4)
    assert found.continuum_logit == pytest.approx(continuum, abs=1e-4)
    # Gradients of a network of ReLUs jump: the integral by midpoints is good to a per cent.
    tolerance = 0.02 * np.abs(found.pixel_L).sum()
    assert found.continuum_logit + found.pixel_L.sum() == pytest.approx(logit, abs=tolerance)
    assert abs(logit - continuum) > 2 * tolerance
    assert (found.pixel_L[flux_L == 1] == 0).all()


def test_the_weights_must_be_those_of_the_card(networks, flux_L):
    (member,) = plan_ensemble(networks[:1]).members
    other = member.__class__(networks[1], member.sha256)
    with pytest.raises(CheckpointError, match="is wanted"):
        attribute([other], flux_L)
