"""What the model learns from simulated stars."""

import numpy as np
import pytest

from pipeline.composites.couples import expose_couples
from pipeline.composites.pairing import draw_couples
from pipeline.network.metrics import auc
from pipeline.pairfit.evidence import Evidence
from pipeline.pairfit.fit import DROPPED, fit_stars, judged, single_labels
from pipeline.pairfit.grid import label_grid
from pipeline.pairfit.spectra import Singles, singles_of
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.stars import PopulationSettings
from pipeline.simulate.examples import labelled_spectra
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.prepare import network_input

SPECTRA, SETTINGS = SpectraSettings(), CompositeSettings()
WAVE = WaveGrid.from_settings(SPECTRA).wave_L


@pytest.fixture(scope="module")
def grid():
    return label_grid(WAVE, SETTINGS.log_age)


@pytest.fixture(scope="module")
def halves(pool_and_spectra):
    pool, stored = pool_and_spectra
    taught, asked = np.arange(0, len(pool), 2), np.arange(1, len(pool), 2)
    return (pool.take(taught), stored.take(taught)), (pool.take(asked), stored.take(asked))


@pytest.fixture(scope="module")
def model(halves, grid):
    return fit_stars(singles_of(*halves[0], SETTINGS, SPECTRA), grid)


def test_unequal_pairs_of_other_stars_gain_more_than_twins(halves, model, grid):
    pool, stored = halves[1]
    rng = np.random.default_rng(1)
    couples = draw_couples(rng, 300, pool.mass_msun, pool.feh, pool.star, SETTINGS)
    made = expose_couples(rng, pool, stored, couples, SETTINGS, PopulationSettings(), SPECTRA)
    gain = Evidence(model, grid).gain(made.flux_BL.astype(np.float32) - 1)
    assert auc(gain, made.label_B) > 0.6


def test_labels_of_other_stars_are_found(halves, model, grid):
    pool, stored = halves[1]
    flux = singles_of(pool, stored, SETTINGS, SPECTRA).flux_BL
    teff_k, feh = single_labels(Evidence(model, grid.singles).chi2(flux), grid.singles)
    inside = np.abs(pool.teff_k - np.median(pool.teff_k)) < 600
    assert np.std((teff_k - pool.teff_k)[inside]) < 120
    assert np.std((feh - pool.feh)[inside]) < 0.12


def test_pairs_in_the_pool_leave_it_first(grid):
    """Of 400 stars with 30 % pairs of q 0.6-0.8, taken for single ones."""
    raw = labelled_spectra(
        400, 11, SimulateSettings(), q_range=(0.6, 0.8), snr_range=(60.0, 150.0),
        binary_fraction=0.3,
    )  # fmt: skip
    ready = network_input(
        raw.flux_BN, raw.ivar_BN, raw.log10_first_B, raw.n_pixel_B, raw.rv_kms_B, SPECTRA
    )
    flux = np.asarray(ready.flux_BL) - 1
    variance = np.where(flux == 0, np.inf, (1 / raw.snr_g[:, None]) ** 2).astype(np.float32)
    dwarf = (raw.teff1_k > 4600) & (raw.teff1_k < 6800)
    stars = Singles(flux, variance, raw.teff_k, raw.feh, np.arange(len(raw)), WAVE).take(dwarf)
    _, gain = judged(stars, grid)
    pair, single = raw.label_B[dwarf] == 1, gain <= np.quantile(gain, 1 - DROPPED)
    assert pair[~single].mean() > 2 * pair[single].mean()


def test_a_star_is_judged_by_all_its_spectra(halves, grid):
    one = singles_of(*halves[0], SETTINGS, SPECTRA)
    twice = one.take(np.tile(np.arange(len(one)), 2))
    stars, gain = judged(twice, grid)
    n = len(one)
    np.testing.assert_array_equal(gain[:n], gain[n:])
    np.testing.assert_array_equal(stars.teff_k_B[:n], stars.teff_k_B[n:])
