import numpy as np
import pytest
import torch

from pipeline.network import device as device_module
from pipeline.network.checkpoint import save_model
from pipeline.network.device import choose_device, choose_dtype
from pipeline.network.predictor import Predictor
from pipeline.settings.infer import InferSettings


@pytest.fixture
def folder(tmp_path, model, card):
    return save_model(tmp_path / "model", model, card)


@pytest.fixture(name="eager_p_B")
def eager_p(model, flux_BL):
    with torch.no_grad():
        return torch.sigmoid(model(torch.from_numpy(flux_BL))).numpy()


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("batch_size", [1, 8, 64])
def test_float32_is_the_eager_network(folder, flux_BL, eager_p_B, batch_size, fuse):
    settings = InferSettings(batch_size=batch_size, device="cpu", fuse=fuse)
    predictor = Predictor(folder, None, settings)
    assert predictor.mode == f"cpu float32 {'fused' if fuse else 'eager'}"
    logit_B, p_b_B = predictor.predict(flux_BL)
    assert logit_B.dtype == p_b_B.dtype == np.float32
    assert np.ptp(eager_p_B) > 1e-3
    np.testing.assert_allclose(p_b_B, eager_p_B, rtol=0, atol=1e-5)
    np.testing.assert_allclose(p_b_B, 1 / (1 + np.exp(-logit_B.astype(float))), atol=1e-6)
    assert predictor.predict(flux_BL)[0].tobytes() == logit_B.tobytes()


def test_a_spectrum_does_not_depend_on_its_neighbours(folder, flux_BL):
    predictor = Predictor(folder, None, InferSettings(batch_size=16, device="cpu"))
    _, together_B = predictor.predict(flux_BL)
    _, reversed_B = predictor.predict(flux_BL[::-1])
    _, alone_B = predictor.predict(flux_BL[5:6])
    np.testing.assert_allclose(reversed_B[::-1], together_B, rtol=0, atol=1e-5)
    np.testing.assert_allclose(alone_B, together_B[5:6], rtol=0, atol=1e-5)


def test_bfloat16_is_close(tmp_path, model, card, flux_BL, eager_p_B, monkeypatch):
    monkeypatch.setattr(device_module, "computes_bfloat16", lambda device: True)
    card = card.model_copy(update={"bfloat16_blocks": len(model.stages)})
    folder = save_model(tmp_path / "model", model, card)
    predictor = Predictor(folder, None, InferSettings(precision="bfloat16", device="cpu"))
    assert predictor.dtype == torch.bfloat16
    assert predictor.mode == "cpu bfloat16 fused"
    difference_B = np.abs(predictor.predict(flux_BL)[1] - eager_p_B)
    assert 0 < difference_B.max() < 0.02
    assert difference_B.mean() < 0.002


def test_no_bfloat16_where_the_card_allows_none(folder, flux_BL, eager_p_B, monkeypatch):
    monkeypatch.setattr(device_module, "computes_bfloat16", lambda device: True)
    predictor = Predictor(folder, None, InferSettings(precision="bfloat16", device="cpu"))
    assert predictor.mode == "cpu float32 fused"
    np.testing.assert_allclose(predictor.predict(flux_BL)[1], eager_p_B, rtol=0, atol=1e-5)


def test_bfloat16_only_where_the_hardware_has_it(monkeypatch):
    cpu = torch.device("cpu")
    for has in (False, True):
        found = {"avx512_bf16": has}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=found: found, raising=False)
        assert (choose_dtype("bfloat16", cpu) == torch.bfloat16) is has
        assert choose_dtype("float32", cpu) == torch.float32


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(ValueError, match="sees no GPU"):
        choose_device("cuda")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_spectrum_that_is_not_finite_gets_no_verdict(folder, flux_BL, eager_p_B, bad):
    flux_BL[3, 100] = bad
    logit_B, p_b_B = Predictor(folder, None, InferSettings(device="cpu")).predict(flux_BL)
    assert np.flatnonzero(np.isnan(p_b_B)).tolist() == [3]
    assert np.flatnonzero(np.isnan(logit_B)).tolist() == [3]
    np.testing.assert_allclose(np.delete(p_b_B, 3), np.delete(eager_p_B, 3), atol=1e-5)


def test_odd_inputs(folder, flux_BL, eager_p_B):
    predictor = Predictor(folder, None, InferSettings(device="cpu"))
    assert [len(a) for a in predictor.predict(flux_BL[:0])] == [0, 0]
    flux_BL.flags.writeable = False
    np.testing.assert_allclose(predictor.predict(flux_BL[::2])[1], eager_p_B[::2], atol=1e-5)
    tensor_BL = torch.from_numpy(flux_BL.copy())
    np.testing.assert_array_equal(predictor.predict(tensor_BL)[1], predictor.predict(flux_BL)[1])
    for wrong in (flux_BL[:, :-1], flux_BL[0]):
        with pytest.raises(ValueError, match="settings on its card"):
            predictor.predict(wrong)


def test_threads_are_set(folder):
    Predictor(folder, None, InferSettings(threads=2, device="cpu"))
    assert torch.get_num_threads() == 2
