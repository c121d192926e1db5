import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.network.parts import simulated_parts, survey_parts

N = 60


@pytest.fixture
def block(tmp_path):
    """60 spectra of the training part, every third a pair, and two more of each other part."""
    label = np.arange(N + 4) % 3 == 0
    arrays = {
        "flux": np.ones((N + 4, 8), np.float32),
        "label": label.astype(np.int64),
        "split": np.repeat([0, 1, 2], [N, 2, 2]),
        # Two in ten of an epoch are to be pairs.
        "weight": np.where(label, 0.5, 1.0).astype(np.float32),
        "target": np.where(label, 0.7, 0.1).astype(np.float32),
    }
    save_file(arrays, tmp_path / "block.safetensors")
    return tmp_path / "block.safetensors"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"oversample": True}, 0.2),
        ({"oversample": False}, 1 / 3),
        ({"oversample": True, "soft": True}, 0.2 * 0.7 + 0.8 * 0.1),
    ],
)
def test_the_fraction_of_pairs_is_that_of_an_epoch(block, options, expected):
    parts = survey_parts([block], ((), (), ()), 0.0, **options)
    assert parts.binary_fraction == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("oversample", "expected"), [(True, 0.5), (False, 1 / 3)])
def test_simulated_spectra_count_once_or_balanced(block, oversample, expected):
    parts = simulated_parts([block], N, 0.05, oversample=oversample)
    assert parts.binary_fraction == pytest.approx(expected, abs=1e-6)


def test_half_of_the_composites_are_pairs(block):
    parts = survey_parts([block], ([block], (), ()), 0.5, oversample=True)
    assert parts.binary_fraction == pytest.approx(0.5 * 0.2 + 0.5 * 0.5, abs=1e-6)
