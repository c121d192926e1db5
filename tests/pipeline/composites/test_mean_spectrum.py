import numpy as np

from pipeline.composites.exposure import normalised
from pipeline.composites.mean_spectrum import fit_mean, terms
from pipeline.composites.sums import star_light
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings

SPECTRA, SETTINGS = SpectraSettings(), CompositeSettings()


def test_the_mean_of_some_stars_predicts_the_others(pool_and_spectra):
    """Better than the spectrum of the average star, and without a bias of the pool's centre."""
    pool, stored = pool_and_spectra
    taught, asked = np.arange(0, len(pool), 2), np.arange(1, len(pool), 2)
    mean = fit_mean(pool.take(taught), stored.take(taught), SETTINGS, SPECTRA)
    light = star_light(stored.take(asked), np.zeros(len(asked)), pool.m_g[asked], SETTINGS, SPECTRA)
    flux, bad, _ = normalised(light, SPECTRA)
    seen = np.where(bad, np.nan, flux - 1)
    left = seen - mean.at(terms(pool.teff_k[asked], pool.feh[asked]))
    average = seen - np.nanmean(seen, axis=0)
    assert np.nanstd(left) < 0.6 * np.nanstd(average)
    middle = np.abs(pool.teff_k[asked] - np.median(pool.teff_k)) < 600
    assert np.abs(np.nanmean(left[middle])) < 1e-3


def test_pixels_that_no_star_covers_have_no_mean(pool_and_spectra):
    pool, stored = pool_and_spectra
    rows = np.arange(40)
    some = stored.take(rows)
    dark = some._replace(ivar_BN=np.where(np.arange(some.ivar_BN.shape[1]) < 800, 0, some.ivar_BN))
    mean = fit_mean(pool.take(rows), dark, SETTINGS, SPECTRA)
    assert np.isfinite(mean.coefficients_KL).all()
    assert not mean.coefficients_KL[:, :100].any() and mean.coefficients_KL[:, 2000:].any()
