"""The network written plainly, as an independent reference of the product's."""

import copy

import numpy as np
import pytest
import torch
from plain_network import PlainNet
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from pipeline.network.model import build_model, folded
from pipeline.settings.network import NetworkSettings

N_PIXEL = 700


@pytest.fixture(params=["light", "small", "separable"])
def both(request):
    """The product's network and the plain one, each with weights that matter."""
    sizes = {"separable": True} if request.param == "separable" else {"preset": request.param}
    with torch.random.fork_rng():
        torch.manual_seed(2)
        ours = build_model(NetworkSettings(dropout=0.0, **sizes), N_PIXEL)
        for parameter in ours.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return ours, PlainNet(ours)


@pytest.fixture
def spectra():
    rng = np.random.default_rng(4)
    flux_BL = 1 + 0.1 * rng.standard_normal((12, N_PIXEL), dtype=np.float32)
    return torch.from_numpy(flux_BL), torch.arange(12.0) % 2


def test_both_have_the_same_loss_and_gradients(both, spectra):
    ours, plain = both
    flux_BL, label_B = spectra
    exact = copy.deepcopy(plain).double()
    losses = [
        cross_entropy(network(flux_BL.to(kind)), label_B.to(kind))
        for network, kind in ((ours, torch.float32), (exact, torch.float64))
    ]
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)
    for loss in losses:
        loss.backward()
    for (name, one), other in zip(ours.named_parameters(), exact.parameters(), strict=True):
        largest = other.grad.abs().max().item()
        torch.testing.assert_close(
            one.grad.double(), other.grad, rtol=1e-3, atol=1e-3 * largest + 1e-6, msg=name
        )
        assert one.grad.stride() == one.stride(), name
    for name, one in ours.named_buffers():
        other = exact.get_buffer(name).double()
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-6, msg=name)


def test_both_give_the_same_log_odds(both, spectra):
    ours, plain = both
    for _ in range(20):  # fills the running means
        ours.train()(1 + 0.1 * torch.randn_like(spectra[0]))
    plain.load_state_dict(ours.state_dict())
    exact_B = plain.double().eval()(spectra[0].double())
    assert exact_B.std() > 0.01
    for network in (ours.eval(), folded(ours)):
        torch.testing.assert_close(network(spectra[0]).double(), exact_B, rtol=1e-5, atol=1e-5)
