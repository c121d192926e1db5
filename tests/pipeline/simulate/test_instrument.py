import numpy as np
import pytest

from pipeline.settings.simulate import InstrumentSettings
from pipeline.simulate.fibres import FIRST, N_PIXEL, Fibres, draw_fibres
from pipeline.simulate.instrument import draw_bad_pixels, observe, snr_g

PERFECT = InstrumentSettings(
    sky_residual=0,
    telluric_residual=0,
    calibration_sigma=0,
    flat_sigma=0,
    join_sigma=0,
    wave_sigma=0,
    clean_fraction=1,
)


def fibres(n):
    return Fibres(np.full(n, FIRST), np.full(n, N_PIXEL), np.full(n, 1800.0))


def flat(n):
    return np.ones((n, N_PIXEL), np.float32)


def test_noise_is_what_ivar_says():
    flux, ivar = observe(
        np.random.default_rng(0), flat(300), np.full(300, 50.0), fibres(300), PERFECT
    )
    scale = flux[:, 500:1500].mean(axis=1, keepdims=True)
    pull = (flux / scale - 1) * np.sqrt(ivar) * scale
    inner = pull[:, 600:3800]
    assert inner.std() == pytest.approx(1, abs=0.01)
    assert abs(inner.mean()) < 0.01


def test_snr_is_reached_and_uneven():
    wanted = np.geomspace(10, 200, 200)
    flux, ivar = observe(np.random.default_rng(1), flat(200), wanted, fibres(200), PERFECT)
    np.testing.assert_allclose(snr_g(flux, ivar), wanted, rtol=0.03)
    snr = (flux * np.sqrt(ivar)).mean(axis=0)

    def at(wave):
        pixel = int((np.log10(wave) - FIRST) / 1e-4)
        return snr[pixel - 10 : pixel + 10].mean()

    assert at(3750) < 0.5 * at(4500)
    assert at(5850) < 0.9 * at(5300)
    assert at(5850) < 0.7 * at(6500)


def test_sky_lines_lower_the_weight():
    _, ivar = observe(np.random.default_rng(2), flat(20), np.full(20, 30.0), fibres(20), PERFECT)
    line, beside = (int((np.log10(w) - FIRST) / 1e-4) for w in (8401.8, 8391.0))
    assert np.median(ivar[:, line] / ivar[:, beside]) < 0.7


def test_any_scale_stays_finite():
    settings = InstrumentSettings(scale_log10_mean=4, scale_log10_sigma=3)
    flux, ivar = observe(
        np.random.default_rng(3), flat(100), np.full(100, 200.0), fibres(100), settings
    )
    assert np.isfinite(flux).all()
    assert np.isfinite(ivar).all()
    assert np.all(ivar[:, 500] >= 0)
    scale = np.median(flux, axis=1)
    assert scale.min() < 10
    assert scale.max() > 1e7


def test_the_free_curve_at_the_join_has_more_than_one_shape():
    def errors(sigma):
        settings = PERFECT.model_copy(update={"join_free_sigma": sigma, "wave_sigma": 0.05})
        given = np.random.default_rng(5), flat(400), np.full(400, 5000.0), fibres(400), settings
        flux, _ = observe(*given)
        return flux / flux[:, 1000:1500].mean(axis=1, keepdims=True)

    wave = 10 ** (FIRST + 1e-4 * np.arange(N_PIXEL))
    join, elsewhere = (wave > 5900) & (wave < 6200), (wave > 6500) & (wave < 7000)
    one, many = errors(0.0), errors(0.03)
    assert many[:, elsewhere].std() == pytest.approx(one[:, elsewhere].std(), rel=0.05)
    added = many[:, join].var(axis=0).mean() - one[:, join].var(axis=0).mean()
    assert np.sqrt(added) == pytest.approx(0.03, rel=0.1)

    def first_share(flux):
        size = np.linalg.svd(flux[:, join] - flux[:, join].mean(axis=0), compute_uv=False) ** 2
        return size[0] / size.sum()

    # Real spectra of S/N above 60: 0.49 between 5600 and 6400 Angstrom.
    assert first_share(one) > 0.9
    assert first_share(many) < 0.75


def test_padding_is_empty():
    short = Fibres(np.full(2, FIRST), np.array([3748, 3909]), np.full(2, 1800.0))
    flux, ivar = observe(
        np.random.default_rng(4), flat(2), np.full(2, 30.0), short, InstrumentSettings()
    )
    assert not flux[0, 3748:].any()
    assert not ivar[0, 3748:].any()
    assert ivar[1, 3748:].any()


def test_bad_pixels_are_as_frequent_as_in_real_files():
    bad = draw_bad_pixels(np.random.default_rng(5), 4000, N_PIXEL, InstrumentSettings())
    fraction = bad.mean(axis=1)
    assert (fraction == 0).mean() == pytest.approx(0.344, abs=0.03)
    assert 0.001 < np.median(fraction) < 0.008  # 0.0031 in 1,336 public files
    assert 0.05 < np.percentile(fraction, 95) < 0.13  # 0.088


def test_fibres_are_within_their_ranges():
    drawn = draw_fibres(np.random.default_rng(6), 5000, InstrumentSettings())
    assert (drawn.n_pixel_B == 3909).mean() == pytest.approx(0.72, abs=0.03)
    assert drawn.resolution_B.min() >= 1650
    assert drawn.resolution_B.max() <= 1950
    np.testing.assert_allclose(drawn.log10_first_B, FIRST, atol=3e-6)
