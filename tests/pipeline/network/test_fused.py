import copy

import pytest
import torch
from torch import nn

from pipeline.network.fused import fused


@pytest.fixture(name="x_BL")
def spectra(model):
    return 1 + 0.1 * torch.randn(9, model.n_pixel, generator=torch.Generator().manual_seed(1))


def in_float64(model, x_BL):
    """The network in float64 throughout, which its own forward pass is not."""
    model = copy.deepcopy(model).double()
    x_BFL = (x_BL.double() - 1).unsqueeze(1)
    return model.head(model.stages(torch.relu(model.stem(x_BFL)))).squeeze(1)


def test_the_function_is_the_same_up_to_rounding(either, x_BL):
    model = either
    before = copy.deepcopy(model.state_dict())
    exact_B = in_float64(model, x_BL)
    assert exact_B.std() > 1e-2
    network = fused(model, torch.device("cpu"))
    torch.testing.assert_close(in_float64(network, x_BL), exact_B, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(network(x_BL).double(), exact_B, rtol=1e-5, atol=1e-5)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0, msg="model was changed")


def test_no_norm_is_left_and_channels_are_last(model):
    modules = list(fused(model, torch.device("cpu")).modules())
    assert not any(isinstance(m, nn.BatchNorm1d | nn.Conv1d) for m in modules)
    convolutions = [m for m in modules if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == sum(isinstance(m, nn.Conv1d) for m in model.modules())
    last = torch.channels_last
    assert all(m.weight.is_contiguous(memory_format=last) for m in convolutions)


def test_activations_stay_channels_last(model, x_BL):
    seen = []
    network = fused(model, torch.device("cpu"))
    for block in network.stages:
        block.register_forward_hook(lambda _, args, out: seen.append(out))
    network(x_BL)
    assert len(seen) == len(network.stages) > 0
    assert all(out.is_contiguous(memory_format=torch.channels_last) for out in seen)


def test_a_gpu_keeps_one_dimension(model):
    modules = list(fused(model, torch.device("cuda")).modules())
    assert any(isinstance(m, nn.Conv1d) for m in modules)
    assert not any(isinstance(m, nn.Conv2d) for m in modules)
