import numpy as np
import pytest
import torch

from pipeline.network.card import ModelCard
from pipeline.network.checkpoint import save_model
from pipeline.network.model import build_model
from pipeline.settings.network import NetworkSettings
from pipeline.settings.spectra import SpectraSettings

N_PIXEL = 200


@pytest.fixture(autouse=True)
def one_thread():
    """Keep the two cores free, and the arithmetic in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny():
    return NetworkSettings(
        preset="small",
        stem_channels=4,
        stem_kernel=7,
        channels=(4, 8),
        blocks=(2, 1),
        strides=(1, 2),
        hidden=(8, 6),
    )


@pytest.fixture
def model(tiny):
    """A small network whose batch norms and blocks all do something."""
    return lively(tiny)


@pytest.fixture(params=[False, True], ids=["basic", "separable"])
def either(request, tiny):
    """The same with either kind of blocks."""
    return lively(tiny.model_copy(update={"separable": request.param}))


def lively(settings):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = build_model(settings, N_PIXEL)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.uniform_(-0.3, 0.3)
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.05, 0.5)
    return model.eval()


@pytest.fixture
def card(model):
    return ModelCard(
        network=model.settings,
        n_pixel=model.n_pixel,
        spectra=SpectraSettings(),
        data="toy spectra",
        data_digest="0" * 64,
        split_seed=3,
        metrics={"auc": 0.5},
    )


@pytest.fixture(name="flux_BL")
def flux():
    rng = np.random.default_rng(8)
    return (1 + 0.1 * rng.standard_normal((37, N_PIXEL))).astype(np.float32)


@pytest.fixture
def folders(tmp_path, model, card):
    """Three networks: the second one always 1 higher in the logit, the third 5 higher."""
    made = []
    for i, offset in enumerate((0, 1, 4)):
        model.head[-1].bias.data += offset
        made.append(save_model(tmp_path / f"model{i}", model, card))
    return made
