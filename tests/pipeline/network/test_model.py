import numpy as np
import pytest
import torch

from pipeline.network.diagram import layers
from pipeline.network.model import LinearNorm, build_model, flop_count, folded, parameter_count
from pipeline.settings.network import NetworkSettings


def _norm(x_FL, norm):
    w, b, m, v = (
        t.detach().double().numpy()[:, None]
        for t in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    return (x_FL - m) / np.sqrt(v + norm.eps) * w + b


def _conv(x_FL, conv):
    weight = conv.weight.detach().double().numpy()
    if conv.groups > 1:  # each channel by itself
        weight = weight * np.eye(len(weight))[:, :, None]
    k, stride = weight.shape[2], conv.stride[0]
    padded = np.pad(x_FL, ((0, 0), (k // 2, k // 2)))
    starts = range(0, x_FL.shape[1], stride)
    return np.stack([np.einsum("ock,ck->o", weight, padded[:, i : i + k]) for i in starts], axis=1)


def _reference_logit(model, flux_L):
    """The network by its plain formula in float64."""

    def step(part, x_FL):
        return _norm(_conv(x_FL, part.conv), part.norm)

    x_FL = np.maximum(step(model.stem, flux_L[None].astype(np.float64) - 1), 0)
    for block in model.stages:
        skip = x_FL if isinstance(block.skip, torch.nn.Identity) else step(block.skip, x_FL)
        x_FL = np.maximum(step(block.second, np.maximum(step(block.first, x_FL), 0)) + skip, 0)
    x_F = x_FL.ravel()
    for part in (m for m in model.head if isinstance(m, LinearNorm)):
        x_F = part.linear.weight.detach().double().numpy() @ x_F
        x_F = np.maximum(_norm(x_F[:, None], part.norm)[:, 0], 0)
    last = model.head[-1]
    return (last.weight.detach().double().numpy() @ x_F)[0] + last.bias.item()


def test_forward_is_the_formula_and_folding_keeps_it(either, flux_BL):
    model = either
    expected_B = np.array([_reference_logit(model, flux_L) for flux_L in flux_BL[:5]])
    assert np.ptp(expected_B) > 1e-2
    for net in (model, folded(model)):
        with torch.inference_mode():
            logit_B = net(torch.from_numpy(flux_BL[:5])).numpy()
        np.testing.assert_allclose(logit_B, expected_B, rtol=1e-5, atol=1e-5)
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in model.modules())
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded(model).modules())


@pytest.mark.parametrize("training", [False, True])
def test_channels_stay_last_forward_and_backward(either, flux_BL, training):
    """Else every layer would bring its images in order first, which takes longer than its work."""
    model, last = either.train(training), torch.channels_last
    seen = []

    def look(_, given, found):
        seen.append(found)
        given[0].register_hook(seen.append)

    for part in model.stages:
        part.register_forward_hook(look)
    model(torch.from_numpy(flux_BL)).sum().backward()
    assert len(seen) == 2 * len(model.stages) > 0
    assert all(image.is_contiguous(memory_format=last) for image in seen)


@pytest.mark.parametrize("reach", [1, 2])
def test_the_log_odds_may_be_the_mean_over_shifts(tiny, flux_BL, reach):
    """In evaluation; in training each spectrum passes once."""
    one = build_model(tiny, 200).eval()
    mean = build_model(tiny.model_copy(update={"average_shift_pixels": reach}), 200).eval()
    mean.load_state_dict(one.state_dict())
    padded_BL = np.pad(flux_BL, ((0, 0), (reach, reach)), constant_values=1)
    moved_S = [torch.from_numpy(padded_BL[:, i : i + 200].copy()) for i in range(2 * reach + 1)]
    with torch.inference_mode():
        expected_B = np.mean([one(moved_BL).numpy() for moved_BL in moved_S], axis=0)
        assert np.ptp([one(moved_BL).numpy() for moved_BL in moved_S], axis=0).max() > 1e-3
        for model in (mean, folded(mean)):
            found_B = model(torch.from_numpy(flux_BL)).numpy()
            np.testing.assert_allclose(found_B, expected_B, atol=1e-6)
    assert flop_count(mean) == (2 * reach + 1) * flop_count(one)
    assert layers(mean) == layers(one)
    seen = [net.train().features(torch.from_numpy(flux_BL)) for net in (one, mean)]
    torch.testing.assert_close(*seen)


def test_default_sizes():
    model = build_model(NetworkSettings(), 3535)
    assert 0.4e6 < parameter_count(model) < 0.6e6
    assert flop_count(model) <= 8e6


def test_presets_differ_in_arithmetic():
    names = ("fast", "light", "small", "paper")
    counts = [flop_count(build_model(NetworkSettings(preset=p), 3535)) for p in names]
    assert counts == sorted(counts)
    assert 10 * counts[0] < counts[2] < 5 * counts[1]


def test_flops_count_a_multiply_add_as_two(tiny):
    settings = tiny.model_copy(update={"channels": (4,), "blocks": (1,), "strides": (1,)})
    length = 50  # 200 pixels, stem stride 4
    stem = 2 * length * 4 * 7
    block = 2 * 2 * length * 4 * 4 * 5
    head = 2 * (4 * length * 8 + 8 * 6 + 6)
    assert flop_count(build_model(settings, 200)) == stem + block + head


def test_separable_blocks_count_what_they_compute(tiny):
    update = {"channels": (8,), "blocks": (1,), "strides": (1,), "separable": True}
    stem, skip = 2 * 50 * 4 * 7, 2 * 50 * 4 * 8
    depthwise, pointwise = 2 * 50 * 4 * 5, 2 * 50 * 4 * 8
    head = 2 * (8 * 50 * 8 + 8 * 6 + 6)
    expected = stem + depthwise + pointwise + skip + head
    assert flop_count(build_model(tiny.model_copy(update=update), 200)) == expected


def test_too_short_spectra_are_refused():
    with pytest.raises(ValueError, match="too short"):
        build_model(NetworkSettings(), 60)
