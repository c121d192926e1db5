"""How far the fast ways of a *trained* network are from its eager float32."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from pipeline.network import device as device_module
from pipeline.network.card import ModelCard
from pipeline.network.checkpoint import load_model, save_model
from pipeline.network.loader import Labelled
from pipeline.network.metrics import auc
from pipeline.network.model import build_model
from pipeline.network.predictor import Predictor
from pipeline.network.rounding import bfloat16_blocks
from pipeline.settings.infer import InferSettings
from pipeline.settings.network import NetworkSettings
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.simulate.examples import labelled_spectra
from pipeline.spectra.prepare import network_input

NETWORK = NetworkSettings(
    preset="small", channels=(16, 32), blocks=(1, 1), strides=(4, 4), hidden=(64,), dropout=0.5
)
N_ALL, N_TRAINING, N_CHECKED, EPOCHS, BATCH = 960, 500, 700, 7, 25


class Task(NamedTuple):
    """A trained network, and spectra of which it has seen the first N_TRAINING."""

    folder: Path
    flux_BL: np.ndarray
    label_B: np.ndarray
    logit_B: np.ndarray
    """Of the eager network in float32."""
    p_b_B: np.ndarray


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Train until the network is sure of what it has seen: sure answers are the hard ones to keep.

    The loop is the test's own, so that it depends on no trainer.
    """
    raw = labelled_spectra(1024, 11, SimulateSettings(), snr_range=(80.0, 200.0))
    ready = network_input(
        raw.flux_BN, raw.ivar_BN, raw.log10_first_B, raw.n_pixel_B, raw.rv_kms_B, SpectraSettings()
    )
    flux_BL = ready.flux_BL[ready.usable_B][:N_ALL]
    label_B = raw.label_B[ready.usable_B][:N_ALL]
    assert len(label_B) == N_ALL
    x_BL, y_B = torch.from_numpy(flux_BL), torch.from_numpy(label_B.astype(np.float32))
    model = build_model(NETWORK, x_BL.shape[1], seed=1).train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        for _ in range(EPOCHS):
            for rows in torch.randperm(N_TRAINING).split(BATCH):
                optimizer.zero_grad()
                cross_entropy(model(x_BL[rows]), y_B[rows]).backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        logit_B = model(x_BL)
    validation = Labelled(flux_BL[N_TRAINING:N_CHECKED], label_B[N_TRAINING:N_CHECKED])
    card = ModelCard(
        bfloat16_blocks=bfloat16_blocks(model, validation),
        network=NETWORK,
        n_pixel=model.n_pixel,
        spectra=SpectraSettings(),
        data="simulated",
        split_seed=0,
    )
    folder = save_model(tmp_path_factory.mktemp("trained"), model, card)
    return Task(folder, flux_BL, label_B, logit_B.numpy(), torch.sigmoid(logit_B).numpy())


@pytest.mark.slow
def test_the_network_has_learned(task):
    unseen = slice(N_TRAINING, None)
    assert auc(task.logit_B, task.label_B) > 0.75
    assert auc(task.logit_B[unseen], task.label_B[unseen]) > 0.6
    assert np.percentile(task.p_b_B, 10) < 0.3
    assert np.percentile(task.p_b_B, 90) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize("fuse", [True, False])
def test_float32_keeps_every_digit_that_counts(task, fuse):
    settings = InferSettings(device="cpu", fuse=fuse)
    logit_B, p_b_B = Predictor(task.folder, None, settings).predict(task.flux_BL)
    assert np.abs(p_b_B - task.p_b_B).max() < 1e-5
    assert auc(logit_B, task.label_B) == pytest.approx(auc(task.logit_B, task.label_B), abs=1e-5)


@pytest.mark.slow
def test_bfloat16_keeps_the_verdict(task, monkeypatch):
    monkeypatch.setattr(device_module, "computes_bfloat16", lambda device: True)
    settings = InferSettings(device="cpu", precision="bfloat16")
    predictor = Predictor(task.folder, None, settings)
    assert 1 <= predictor.card.bfloat16_blocks <= len(NETWORK.channels)
    assert predictor.mode == "cpu bfloat16 fused"
    logit_B, p_b_B = predictor.predict(task.flux_BL)
    difference_B = np.abs(p_b_B - task.p_b_B)
    assert 1e-5 < difference_B.max() < 0.02
    assert difference_B.mean() < 0.002
    unchecked_B = difference_B[N_CHECKED:]
    assert len(unchecked_B) > 200 and unchecked_B.max() < 0.02
    assert auc(logit_B, task.label_B) == pytest.approx(auc(task.logit_B, task.label_B), abs=1e-3)


@pytest.mark.slow
def test_an_overconfident_network_stays_in_float32(task):
    """With logits a hundred times as large any rounding changes the class."""
    model, card = load_model(task.folder)
    spectra = Labelled(task.flux_BL[N_TRAINING:N_CHECKED], task.label_B[N_TRAINING:N_CHECKED])
    assert bfloat16_blocks(model, spectra) == card.bfloat16_blocks
    with torch.no_grad():
        model.head[-1].weight *= 100
        model.head[-1].bias *= 100
    assert bfloat16_blocks(model, spectra) == 0
