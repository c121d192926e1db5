import re

import pytest
import torch
from PIL import Image

from pipeline.network.diagram import layers, write_diagram
from pipeline.network.model import build_model, parameter_count
from pipeline.settings.network import NetworkSettings


@pytest.mark.parametrize("preset", ["light", "small", "paper"])
def test_the_layers_hold_all_parameters_and_end_in_one_number(preset):
    settings = NetworkSettings(preset=preset)
    model = build_model(settings, 3700)
    found = layers(model)
    assert sum(layer.parameters for layer in found) == parameter_count(model)
    assert found[0][1:3] == (1, 3700)
    assert found[1][1:3] == (settings.stem_channels, -(-3700 // settings.stem_stride))
    blocks = [layer for layer in found if layer.name == "residual block"]
    assert len(blocks) == sum(settings.blocks)
    assert blocks[-1].channels == settings.channels[-1]
    assert (
        blocks[-1].pixels
        == model.stages(torch.zeros(1, found[1].channels, 1, found[1].pixels)).shape[-1]
    )
    assert found[-1][:3] == ("log-odds", 1, 1)


def test_the_network_is_left_as_it_was():
    model = build_model(NetworkSettings(), 400)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layers(model)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_the_figure_is_one_column_wide_and_names_each_layer(tmp_path):
    png, pdf = sorted(write_diagram(build_model(NetworkSettings(), 3700), tmp_path / "n.png"))[::-1]
    with Image.open(png) as image:
        assert abs(image.width / 300 - 3.31) < 0.02
    assert re.match(rb"%PDF", pdf.read_bytes())
