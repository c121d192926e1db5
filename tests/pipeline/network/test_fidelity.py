"""How far the fast ways of a *trained* network are from its eager float32."""

import numpy as np
import pytest
import torch

from pipeline.network import device as device_module
from pipeline.network.checkpoint import ModelCard, save_model
from pipeline.network.examples import simulated_examples
from pipeline.network.metrics import auc
from pipeline.network.model import build_model
from pipeline.network.predictor import Predictor
from pipeline.network.settings import InferSettings, NetworkSettings
from pipeline.simulate.settings import SimulateSettings
from pipeline.spectra.settings import SpectraSettings

NETWORK = NetworkSettings(channels=(16, 16, 32, 32), stem_stride=8, hidden=32)
N_TRAINING, N_TEST, EPOCHS, BATCH = 3_000, 1_000, 6, 50


@pytest.fixture(scope="module")
def examples():
    return simulated_examples(N_TRAINING + N_TEST, 11, SimulateSettings(), SpectraSettings())


@pytest.fixture(scope="module")
def trained(tmp_path_factory, examples):
    """Folder of a network that has learned; its loop is its own, to depend on no trainer."""
    spectra = examples.spectra
    flux_BL = torch.from_numpy(spectra.flux_BL[:N_TRAINING].astype(np.float32))
    label_B = torch.from_numpy(spectra.label_B[:N_TRAINING].astype(np.float32))
    model = build_model(NETWORK, flux_BL.shape[1], seed=1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    model.train()
    with torch.random.fork_rng():
        torch.manual_seed(2)
        for _ in range(EPOCHS):
            for rows in torch.randperm(N_TRAINING).split(BATCH):
                optimizer.zero_grad()
                torch.nn.functional.binary_cross_entropy_with_logits(
                    model(flux_BL[rows]), label_B[rows]
                ).backward()
                optimizer.step()
    card = ModelCard(
        network=NETWORK,
        n_pixel=model.n_pixel,
        spectra=SpectraSettings(),
        data="simulated",
        split_seed=0,
    )
    return save_model(tmp_path_factory.mktemp("trained"), model.eval(), card), model


@pytest.fixture(scope="module")
def held_out(examples, trained):
    """Test spectra, their labels, and the logit and p_b of the eager network."""
    flux_BL = examples.spectra.flux_BL[N_TRAINING:].astype(np.float32)
    with torch.no_grad():
        logit_B = trained[1](torch.from_numpy(flux_BL))
    return flux_BL, examples.spectra.label_B[N_TRAINING:], logit_B, torch.sigmoid(logit_B).numpy()


@pytest.mark.slow
def test_the_network_has_learned(held_out):
    _, label_B, logit_B, p_b_B = held_out
    assert auc(logit_B, label_B) > 0.75
    assert np.percentile(p_b_B, 5) < 0.2
    assert np.percentile(p_b_B, 95) > 0.8


@pytest.mark.slow
def test_float32_keeps_every_digit_that_counts(trained, held_out):
    flux_BL, label_B, logit_B, p_b_B = held_out
    found_B, p_B = Predictor(trained[0], None, InferSettings(device="cpu")).predict(flux_BL)
    assert np.abs(p_B - p_b_B).max() < 1e-5
    assert auc(found_B, label_B) == pytest.approx(auc(logit_B, label_B), abs=1e-6)


@pytest.mark.slow
def test_bfloat16_keeps_the_verdict(trained, held_out, monkeypatch):
    monkeypatch.setattr(device_module, "computes_bfloat16", lambda device: True)
    flux_BL, label_B, logit_B, p_b_B = held_out
    settings = InferSettings(device="cpu", precision="bfloat16")
    predictor = Predictor(trained[0], None, settings)
    assert predictor.mode == "cpu bfloat16 fused"
    found_B, p_B = predictor.predict(flux_BL)
    difference_B = np.abs(p_B - p_b_B)
    assert 1e-5 < difference_B.max() < 0.02
    assert difference_B.mean() < 0.002
    assert auc(found_B, label_B) == pytest.approx(auc(logit_B, label_B), abs=1e-3)
