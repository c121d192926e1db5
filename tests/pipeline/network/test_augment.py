import numpy as np
import pytest
import torch

from pipeline.network.augment import augmented, shifted

FLUX_BL = torch.arange(2.0, 402.0).reshape(4, 100)


def test_off_by_default():
    assert augmented(FLUX_BL, 0, 0.0) is FLUX_BL


@pytest.mark.parametrize("pixels", [-99, -2, 0, 1, 3])
def test_a_given_shift_is_that_of_an_array(pixels):
    expected_BL = np.ones_like(FLUX_BL)
    first, last = max(pixels, 0), 100 + min(pixels, 0)
    expected_BL[:, first:last] = FLUX_BL.numpy()[:, first - pixels : last - pixels]
    np.testing.assert_array_equal(shifted(FLUX_BL, pixels), expected_BL)


def test_shift_moves_each_spectrum_and_fills_with_continuum():
    seen = set()
    for _ in range(60):
        moved_BL = augmented(FLUX_BL, 2, 0.0).numpy()
        for before_L, after_L in zip(FLUX_BL.numpy(), moved_BL, strict=True):
            padded = np.concatenate([[1, 1], before_L, [1, 1]])
            shifts = [s for s in range(-2, 3) if (padded[2 - s : 102 - s] == after_L).all()]
            assert len(shifts) == 1
            seen.add(shifts[0])
    assert seen == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_mask_hides_one_stretch(share):
    hidden_BL = (augmented(FLUX_BL, 0, share) == 1).numpy()
    assert (hidden_BL.sum(1) == 100 * share).all()
    assert (np.abs(np.diff(hidden_BL.astype(int), axis=1)).sum(1) <= 2).all()


def test_noise_has_a_level_of_its_own_for_each_spectrum():
    flux_BL = torch.ones(400, 1000)
    torch.manual_seed(3)
    added_BL = (augmented(flux_BL, 0, 0.0, 0.02) - 1).numpy()
    level_B = added_BL.std(axis=1)
    assert level_B.max() < 0.022 and abs(level_B.mean() - 0.01) < 0.001
    assert level_B.min() < 0.002
    assert abs(added_BL.mean()) < 1e-4
    assert abs(np.corrcoef(added_BL[0], added_BL[1])[0, 1]) < 0.15
    assert (flux_BL == 1).all()
