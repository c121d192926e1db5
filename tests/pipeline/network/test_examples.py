import numpy as np
import pytest

from pipeline.network.examples import TRUTH, example_block, joined, simulated_examples
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid

SIMULATE, SPECTRA = SimulateSettings(), SpectraSettings(max_bad_fraction=0.02)


@pytest.fixture(name="block", scope="module")
def first_block():
    return example_block(0, 5, SIMULATE, SPECTRA)


def test_block_holds_clean_spectra_of_both_classes(block):
    n_pixel = WaveGrid.from_settings(SPECTRA).n_pixel
    assert block.spectra.flux_BL.shape == (len(block), n_pixel)
    assert block.spectra.flux_BL.dtype == np.float16
    assert np.isfinite(block.spectra.flux_BL).all()
    assert abs(np.median(block.spectra.flux_BL.astype(float)) - 1) < 0.05
    # The cleaning takes some of the 256 stars; the others keep their numbers.
    assert 100 < len(block) < 256
    assert len(set(block.star_B.tolist())) == len(block) and block.star_B.max() < 256
    assert np.array_equal(np.isfinite(block.truth["q"]), block.spectra.label_B == 1)
    assert 0.3 < block.spectra.label_B.mean() < 0.7
    assert set(block.truth) == set(TRUTH)
    q = block.truth["q"][block.spectra.label_B == 1]
    assert q.min() >= 0.71 and q.max() <= 0.93


def test_blocks_are_joined_up_to_the_number_asked_for(block):
    n = len(block) + 10
    examples = simulated_examples(n, 5, SIMULATE, SPECTRA)
    assert len(examples) == n
    first = examples.take(slice(0, len(block)))
    np.testing.assert_array_equal(first.spectra.flux_BL, block.spectra.flux_BL)
    np.testing.assert_array_equal(first.star_B, block.star_B)
    assert len(set(examples.star_B.tolist())) == n
    fewer = joined([block], 30)
    np.testing.assert_array_equal(fewer.truth["snr_g"], block.truth["snr_g"][:30])


def test_other_seeds_are_other_stars(block):
    other = example_block(0, 6, SIMULATE, SPECTRA)
    assert not set(other.truth["mass1_msun"]) & set(block.truth["mass1_msun"])


def test_impossible_numbers(block):
    with pytest.raises(ValueError, match="must be positive"):
        joined([block], 0)
    with pytest.raises(ValueError, match=f"hold {len(block)} usable"):
        joined([block], len(block) + 1)
