import numpy as np
import pytest

from pipeline.limits.ideal import (
    EXACT,
    HIGH_4,
    LOW_4,
    d_prime,
    expose_exactly,
    known_auc,
    matched_auc,
    nearest_single,
    single_flux,
    single_spectra,
)
from pipeline.settings.simulate import InstrumentSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.simulate.fibres import draw_fibres
from pipeline.simulate.instrument import observe, snr_g
from pipeline.stars.binary import build_systems

RV = np.array([12.0, -40.0, 70.0])


def exposed(q, snr=60.0, mass=(0.7, 0.9, 1.05)):
    """Three systems without orbital motion, as an exact instrument sees them."""
    mass, n = np.array(mass), len(mass)
    systems = build_systems(mass, np.full(n, q), np.full(n, 9.3), np.array([-0.2, 0.0, 0.1]))
    velocity_B2 = np.repeat(RV[:, None], 2, axis=1)
    view, flux_BN = expose_exactly(
        np.random.default_rng(3), systems, velocity_B2, RV + 2, np.full(n, snr),
        InstrumentSettings(), SpectraSettings(),
    )  # fmt: skip
    primary = np.stack([systems.primary.teff_k, systems.primary.logg, systems.mh, RV], axis=1)
    return view, flux_BN, primary


def nearest(q, snr=60.0, offset=0.0):
    view, flux_BN, primary = exposed(q, snr)
    target_BL, ivar_BL = view.weighed(flux_BN)
    return nearest_single(
        target_BL, ivar_BL, primary + offset, lambda theta: single_spectra(theta, view)
    )


def test_twins_are_a_single_star():
    found = nearest(1.0)
    np.testing.assert_allclose(found.d_prime_B, 0, atol=0.02)
    np.testing.assert_allclose(known_auc(found.d_prime_B), 0.5, atol=0.005)
    assert matched_auc(found.d_prime_B) == pytest.approx(0.5, abs=0.005)


def test_the_labels_of_a_single_star_are_found_from_afar():
    """The spectrum of twins is that of one star, whose labels are known."""
    _, _, truth = exposed(1.0)
    found = nearest(1.0, offset=np.array([150.0, -0.2, 0.1, 15.0]))
    assert (found.d_prime_B < 0.05).all()
    assert (np.abs(found.theta_B4 - truth) < [2, 0.01, 0.005, 0.2]).all()


def test_distance_scales_with_the_noise():
    view, flux_BN, primary = exposed(0.8)
    target_BL, ivar_BL = view.weighed(flux_BN)

    def model(theta_B4):
        return single_spectra(theta_B4, view)

    once = nearest_single(target_BL, ivar_BL, primary, model).d_prime_B
    thrice = nearest_single(target_BL, 9 * ivar_BL, primary, model).d_prime_B
    np.testing.assert_allclose(thrice, 3 * once, rtol=1e-3)
    # real S/N changes the shape of the noise along the spectrum, too: sky against star
    ratio = nearest(0.8, 120).d_prime_B / nearest(0.8, 40).d_prime_B
    assert ((ratio > 2.7) & (ratio < 4.5)).all()


def test_no_random_single_is_nearer():
    view, flux_BN, primary = exposed(0.8)
    target_BL, ivar_BL = view.weighed(flux_BN)
    found = nearest_single(target_BL, ivar_BL, primary, lambda theta: single_spectra(theta, view))
    rng = np.random.default_rng(0)
    for width in (1.0, 0.3, 0.1):
        for _ in range(70):
            offset = width * rng.normal(size=(3, 4)) * [150, 0.15, 0.1, 10]
            theta = np.clip(found.theta_B4 + offset, LOW_4, HIGH_4)
            other_BL = single_spectra(theta, view)
            assert (d_prime(target_BL, other_BL, ivar_BL) > found.d_prime_B).all()
    assert (d_prime(target_BL, single_spectra(primary, view), ivar_BL) > found.d_prime_B).all()


def test_a_label_at_its_limit_stays_inside():
    view, flux_BN, primary = exposed(0.9)
    target_BL, ivar_BL = view.weighed(flux_BN)
    primary[:, 1] = HIGH_4[1]
    found = nearest_single(target_BL, ivar_BL, primary, lambda theta: single_spectra(theta, view))
    assert ((found.theta_B4 >= LOW_4) & (found.theta_B4 <= HIGH_4)).all()
    free = nearest(0.9)
    np.testing.assert_allclose(found.d_prime_B, free.d_prime_B, rtol=0.01)


def test_the_instrument_adds_noise_alone():
    """What the simulator observes differs from the expected spectrum by the stated noise."""
    view, flux_BN, _ = exposed(0.8, snr=80.0)
    np.testing.assert_allclose(snr_g(flux_BN, view.ivar_BN), 80, rtol=0.02)
    exact = InstrumentSettings().model_copy(update=EXACT)
    rng = np.random.default_rng(5)
    fibres = draw_fibres(rng, 3, exact)
    observed_BN, ivar_BN = observe(rng, flux_BN, np.full(3, 80.0), fibres, exact)
    chi = ((observed_BN - flux_BN) * np.sqrt(ivar_BN))[ivar_BN > 0]
    assert (chi**2).mean() == pytest.approx(1, abs=0.05)
    # errors that hang together over many pixels would stand out of their means
    means = chi[: chi.size // 100 * 100].reshape(-1, 100).mean(axis=1) * 10
    assert (means**2).mean() == pytest.approx(1, abs=0.5)


def test_noisy_spectra_are_parted_as_well_as_the_formula_says():
    """Against the likelihood ratio of spectra that went, noise and all, through preprocessing."""
    view, flux_BN, primary = exposed(0.86, snr=12.0)
    pair_BL, ivar_BL = view.weighed(flux_BN)
    found = nearest_single(pair_BL, ivar_BL, primary, lambda theta: single_spectra(theta, view))
    single_BN = single_flux(found.theta_B4, view)
    rng = np.random.default_rng(4)
    noise_BN = np.where(view.ivar_BN > 0, 1 / np.sqrt(np.maximum(view.ivar_BN, 1e-30)), 0)
    weight_BL = ivar_BL * (pair_BL - found.flux_BL)
    middle_BL = (pair_BL + found.flux_BL) / 2
    ratio = {}
    for name, clean_BN in (("pair", flux_BN), ("single", single_BN)):
        ratio[name] = np.array(
            [
                (weight_BL * (view.prepared(_noisy(rng, clean_BN, noise_BN)) - middle_BL)).sum(1)
                for _ in range(300)
            ]
        )
    own = [(ratio["pair"][:, b, None] > ratio["single"][:, b]).mean() for b in range(3)]
    expected = known_auc(found.d_prime_B)
    assert ((expected > 0.55) & (expected < 0.97)).all()
    np.testing.assert_allclose(own, expected, atol=0.05)
    pooled = (ratio["pair"].reshape(-1, 1) > ratio["single"].reshape(-1)).mean()
    assert pooled == pytest.approx(matched_auc(found.d_prime_B), abs=0.03)
    assert matched_auc(found.d_prime_B) >= expected.mean()


def _noisy(rng, clean_BN, noise_BN):
    return clean_BN + (noise_BN * rng.standard_normal(clean_BN.shape)).astype(np.float32)
