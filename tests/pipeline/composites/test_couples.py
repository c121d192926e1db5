import numpy as np

from pipeline.composites.couples import expose_couples, pair_light
from pipeline.composites.exposure import exposure, mean_snr, relative_variance
from pipeline.composites.pairing import draw_couples
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.stars import PopulationSettings

SPECTRA = SpectraSettings()
SETTINGS = CompositeSettings()


def exposed(pool, stored, n=60, seed=1, settings=SETTINGS, spectra=SPECTRA):
    rng = np.random.default_rng(seed)
    couples = draw_couples(rng, n, pool.mass_msun, pool.feh, pool.star, settings)
    return expose_couples(rng, pool, stored, couples, settings, PopulationSettings(), spectra)


def test_the_two_of_a_couple_follow_each_other(pool_and_spectra):
    made = exposed(*pool_and_spectra)
    assert len(made) > 60
    np.testing.assert_array_equal(made.label_B, np.arange(len(made)) % 2)
    np.testing.assert_array_equal(made.star_B[::2], made.star_B[1::2])
    assert (made.star2_B[::2] != made.star2_B[1::2]).all()
    for name in ("snr_g", "bad_fraction", "mass1_msun", "velocity_difference_kms"):
        np.testing.assert_array_equal(made.truth[name][::2], made.truth[name][1::2])
    assert np.isfinite(made.flux_BL).all()


def test_the_flux_of_each_row_is_that_of_its_label(pool_and_spectra):
    """Against the same sums without added noise, made one by one."""
    pool, stored = pool_and_spectra
    made = exposed(pool, stored, 20)
    row_of = {star: row for row, star in enumerate(pool.star)}
    for k in range(0, len(made), 3):
        first, second = ([row_of[star[k]]] for star in (made.star_B, made.star2_B))
        apart = made.truth["velocity_difference_kms"][k : k + 1]
        pair = pair_light(pool, stored, np.array(first), np.array(second), apart, SETTINGS, SPECTRA)
        clean = exposure(pair, None, None, SPECTRA)
        good = (made.flux_BL[k] != 1) & ~clean.bad_BL[0]
        difference = made.flux_BL[k, good].astype(float) - clean.flux_BL[0, good]
        blue = slice(300, 1300)
        assert difference[blue].std() < 1.3 / made.truth["snr_g"][k]
        assert abs(difference.mean()) < 0.01


def test_stars_too_faint_for_the_lowest_s_n_are_left_out(pool_and_spectra):
    pool, stored = pool_and_spectra
    assert len(exposed(pool, stored, settings=CompositeSettings(snr_min=150, snr_max=300))) < 60
    none = exposed(pool, stored, settings=CompositeSettings(snr_min=900, snr_max=1000))
    assert len(none) == 0 and none.flux_BL.shape[0] == 0


def test_twins_may_be_kept_at_one_velocity(pool_and_spectra):
    made = exposed(*pool_and_spectra, settings=CompositeSettings(twin_velocity="none"))
    apart = made.truth["velocity_difference_kms"]
    assert not apart[::2].any() and apart[1::2].any()


def test_the_observed_frame_keeps_the_primary_s_velocity(pool_and_spectra):
    """A pair of one star with itself in the observed frame is that star as it was observed."""
    from pipeline.spectra.prepare import network_input

    pool, stored = pool_and_spectra
    observed = SpectraSettings(frame="observed")
    rows = np.arange(8)
    pair = pair_light(pool, stored, rows, rows, np.zeros(8), SETTINGS, observed)
    got = exposure(pair, None, None, observed).flux_BL
    single = network_input(
        stored.flux_BN[:8], stored.ivar_BN[:8], stored.log10_first_B[:8], stored.n_pixel_B[:8],
        None, observed,
    )  # fmt: skip
    np.testing.assert_allclose(got, single.flux_BL, atol=2e-5)


def test_an_injected_companion_raises_the_s_n(pool_and_spectra):
    pool, stored = pool_and_spectra
    rows = np.arange(30)
    pair = pair_light(pool, stored, rows, rows + 30, np.zeros(30), SETTINGS, SPECTRA)
    of_pair = mean_snr(relative_variance(pair, SPECTRA), pair.bad_BL, SPECTRA)
    # A star added to itself, as if it were another, gains the square root of two.
    twice = pair_light(pool, stored, rows, rows, np.zeros(30), SETTINGS, SPECTRA)
    of_one = mean_snr(relative_variance(twice, SPECTRA), twice.bad_BL, SPECTRA) / np.sqrt(2)
    assert np.median(of_pair / of_one) > 1.1
