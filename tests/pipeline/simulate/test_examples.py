import numpy as np
import pytest
from scipy.stats import rankdata

from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.simulate.examples import BLOCK, labelled_block, labelled_spectra
from pipeline.spectra.prepare import network_input

SETTINGS = SimulateSettings()


def area(label, score):
    """Area under the ROC curve by ranks."""
    rank, n_pair = rankdata(score), label.sum()
    return (rank[label == 1].sum() - n_pair * (n_pair + 1) / 2) / (n_pair * (len(label) - n_pair))


@pytest.fixture(scope="module")
def examples():
    return labelled_spectra(4096, 11, SETTINGS)


def test_shapes_and_types(examples):
    assert examples.flux_BN.shape == (4096, 3909)
    assert examples.flux_BN.dtype == examples.ivar_BN.dtype == np.float32
    assert examples.log10_first_B.dtype == np.float64
    assert examples.label_B.dtype == np.uint8
    assert len(examples) == 4096
    assert np.isfinite(examples.flux_BN).all()
    assert np.isfinite(examples.ivar_BN).all()
    assert (examples.ivar_BN >= 0).all()


def test_truth_is_consistent(examples):
    pair = examples.label_B == 1
    assert pair.mean() == pytest.approx(0.5, abs=0.03)
    assert np.isnan(examples.q[~pair]).all()
    assert ((examples.q[pair] > 0.71) & (examples.q[pair] < 0.93)).all()
    assert ((examples.teff1_k > 3800) & (examples.teff1_k < 6500)).all()
    assert (examples.logg1 > 4).all()
    assert 19 < examples.snr_g.min() < 21
    assert 190 < examples.snr_g.max() < 210


def test_the_seed_alone_decides():
    short = labelled_spectra(300, 5, SETTINGS)
    longer = labelled_spectra(600, 5, SETTINGS)
    for name in ("flux_BN", "ivar_BN", "label_B", "teff_k", "rv_kms_B"):
        np.testing.assert_array_equal(getattr(short, name), getattr(longer, name)[:300])
    options = {"q_range": (0.71, 0.93), "snr_range": (20.0, 200.0), "binary_fraction": 0.5}
    second = labelled_block(1, 5, SETTINGS, **options)
    np.testing.assert_array_equal(second.flux_BN[:44], short.flux_BN[BLOCK:])
    other = labelled_spectra(300, 6, SETTINGS)
    assert not np.array_equal(other.flux_BN, short.flux_BN)


def test_the_catalogue_does_not_give_the_class_away(examples):
    """A quadratic classifier on what the catalogue says, trained on one half."""
    value = np.stack(
        [examples.teff_k, examples.logg, examples.feh, np.log(examples.snr_g), examples.rv_kms_B],
        axis=1,
    )
    value = (value - value.mean(axis=0)) / value.std(axis=0)
    products = [value[:, i : i + 1] * value[:, i:] for i in range(value.shape[1])]
    terms = np.concatenate([np.ones((len(value), 1)), value, *products], axis=1)
    label = examples.label_B.astype(int)
    weight, *_ = np.linalg.lstsq(terms[:2048], 2.0 * label[:2048] - 1, rcond=None)
    assert area(label[2048:], terms[2048:] @ weight) < 0.60


def test_masks_noise_and_lengths_do_not_give_the_class_away(examples):
    label = examples.label_B.astype(int)
    for score in (
        (examples.ivar_BN == 0).sum(axis=1),
        examples.n_pixel_B,
        np.median(examples.flux_BN, axis=1),
        examples.log10_first_B,
    ):
        assert abs(area(label, score) - 0.5) < 0.045


def test_the_network_can_read_them(examples):
    head = examples.head(64)
    prepared = network_input(
        head.flux_BN, head.ivar_BN, head.log10_first_B, head.n_pixel_B, head.rv_kms_B,
        SpectraSettings(),
    )  # fmt: skip
    flux = np.asarray(prepared.flux_BL)
    assert np.isfinite(flux).all()
    assert np.median(flux) == pytest.approx(1, abs=0.05)
    assert np.asarray(prepared.usable_B).mean() > 0.8


def test_impossible_requests_are_refused():
    with pytest.raises(ValueError, match="mass ratios"):
        labelled_spectra(10, 0, SETTINGS, q_range=(0.9, 0.8))
    with pytest.raises(ValueError, match="S/N"):
        labelled_spectra(10, 0, SETTINGS, snr_range=(0.0, 20.0))
    with pytest.raises(ValueError, match="positive"):
        labelled_spectra(0, 0, SETTINGS)
