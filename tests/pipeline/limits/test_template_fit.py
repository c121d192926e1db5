from dataclasses import replace

import numpy as np
import pytest

from pipeline.limits.ideal import expose_exactly
from pipeline.limits.template_fit import (
    FitSettings,
    binary_model,
    compare,
    main_sequence_pair,
    single_model,
)
from pipeline.settings.simulate import InstrumentSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.stars.binary import build_systems
from pipeline.stars.isochrone import main_sequence

AGE = FitSettings().log_age
MASS = np.array([0.7, 0.8, 0.9, 1.0])
RV = np.array([12.0, -40.0, 70.0, 0.0])
OFFSET = np.array([80.0, -0.1, 0.08, 6.0])
"""Of the first guess from the truth: what a catalogue's errors are like."""


def exposed(q, snr=80.0, apart_kms=0.0, mass=MASS):
    """Systems as an exact instrument sees them: view, noise-free flux, primaries' labels."""
    n = len(mass)
    mh, rv = np.resize([-0.2, 0.0, 0.1, -0.4], n), np.resize(RV, n)
    systems = build_systems(mass, np.full(n, q), np.full(n, AGE), mh)
    velocity_B2 = np.stack([rv, rv + apart_kms], axis=1)
    view, flux_BN = expose_exactly(
        np.random.default_rng(3), systems, velocity_B2, rv + 2, np.full(n, snr),
        InstrumentSettings(), SpectraSettings(),
    )  # fmt: skip
    return view, flux_BN, np.stack([systems.primary.teff_k, systems.primary.logg, mh, rv], axis=1)


def compared(view, flux_BN, labels_B4, **options):
    target_BL, ivar_BL = view.weighed(flux_BN)
    # a fit isn't told the resolution
    blind = replace(view, resolution_B=np.full(len(labels_B4), np.nan))
    options = {"error_floor": 0.0, **options}
    return compare(target_BL, ivar_BL, labels_B4 + OFFSET, blind, FitSettings(**options))


def noisy(view, flux_BN, seed):
    rng = np.random.default_rng(seed)
    sigma_BN = np.where(view.ivar_BN > 0, 1 / np.sqrt(np.maximum(view.ivar_BN, 1e-30)), 0)
    return flux_BN + (sigma_BN * rng.standard_normal(flux_BN.shape)).astype(np.float32)


def test_a_single_star_is_recovered():
    view, flux_BN, truth = exposed(np.nan)
    found = compared(view, flux_BN, truth)
    theta = found.single.theta_BX
    assert (found.single.chi2_B < 0.05).all()
    assert (np.abs(theta[:, :4] - truth) < [2, 0.01, 0.005, 0.2]).all()
    np.testing.assert_allclose(theta[:, 4], view.resolution_B, rtol=0.002)
    # Two stars can only be as good: as twins, or with a companion of almost no light.
    assert (np.abs(found.gain_B) < 1).all()


def test_a_pair_is_recovered():
    view, flux_BN, truth = exposed(0.78, apart_kms=60.0)
    found = compared(view, flux_BN, truth, n_first=8, n_more=10)
    theta = found.binary.theta_BX
    assert (found.binary.chi2_B < 2).all()
    assert (found.gain_B > 50).all()
    np.testing.assert_allclose(theta[:, 5], 0.78, atol=0.02)
    np.testing.assert_allclose(theta[:, 6], 60, atol=8)
    assert (np.abs(theta[:, :4] - truth) < [25, 0.05, 0.03, 3]).all()


def test_the_gain_is_small_for_singles_and_grows_with_snr_for_pairs():
    mass = np.repeat(MASS, 2)
    gain = {}
    for q in (np.nan, 0.8):
        for snr in (30.0, 60.0, 120.0):
            view, flux_BN, truth = exposed(q, snr, mass=mass)
            gain[q, snr] = compared(view, noisy(view, flux_BN, 5), truth).gain_B
    pairs = [np.median(gain[0.8, snr]) for snr in (30.0, 60.0, 120.0)]
    assert pairs[0] > 5
    assert pairs[1] > 2 * pairs[0]
    assert pairs[2] > 2 * pairs[1]
    for snr in (30.0, 60.0, 120.0):
        # Two more parameters are worth a chi-square of 2, or a little more at a mass ratio's edge.
        assert -1 < np.median(gain[np.nan, snr]) < 4
        assert gain[np.nan, snr].max() < 20


def test_one_velocity_stays_one():
    view, flux_BN, truth = exposed(0.8, apart_kms=100.0)
    one = compared(view, flux_BN, truth, one_velocity=True)
    two = compared(view, flux_BN, truth)
    assert (one.binary.theta_BX[:, 6] == 0).all()
    assert (two.binary.chi2_B < one.binary.chi2_B).all()


def test_an_error_floor_takes_the_edge_off():
    view, flux_BN, truth = exposed(0.8, snr=150.0)
    plain = compared(view, flux_BN, truth)
    floored = compared(view, flux_BN, truth, error_floor=0.02)
    assert (floored.gain_B < 0.5 * plain.gain_B).all()
    assert (floored.gain_B > 0).all()


def test_main_sequence_pairs_lie_on_the_isochrone():
    rng = np.random.default_rng(0)
    teff, mh = rng.uniform(3900, 6400, 300), rng.uniform(-1.1, 0.25, 300)
    primary, companion = main_sequence_pair(teff, mh, np.full(300, 0.75), AGE)
    np.testing.assert_allclose(primary.teff_k, teff, atol=3)
    mass = np.linspace(0.5, 1.3, 200)
    star = main_sequence(mass, np.full(200, AGE), np.zeros(200))
    use = star.valid & (star.teff_k < 6500)
    again, light = main_sequence_pair(
        star.teff_k[use], np.zeros(use.sum()), np.full(use.sum(), 0.75), AGE
    )
    expected = main_sequence(0.75 * mass, np.full(200, AGE), np.zeros(200))
    np.testing.assert_allclose(again.log_l, star.log_l[use], atol=0.01)
    np.testing.assert_allclose(light.teff_k, expected.teff_k[use], atol=10)
    assert (companion.teff_k < primary.teff_k).all()


def test_labels_beyond_the_isochrones_take_the_nearest():
    primary, companion = main_sequence_pair(
        np.array([3500.0, 8000.0]), np.array([-2.5, 0.5]), np.array([0.5, 1.0]), AGE
    )
    assert primary.valid.all()
    assert companion.valid.all()


@pytest.mark.parametrize("apart_kms", [0.0, 150.0])
def test_models_agree_with_the_simulator(apart_kms):
    view, flux_BN, truth = exposed(0.85, apart_kms=apart_kms)
    theta = np.column_stack([truth, view.resolution_B, np.full(4, 0.85), np.full(4, apart_kms)])
    expected = view.prepared(flux_BN)
    np.testing.assert_allclose(binary_model(theta, view, AGE), expected, atol=1e-3)
    assert np.abs(single_model(theta[:, :5], view) - expected).max() > 0.01
