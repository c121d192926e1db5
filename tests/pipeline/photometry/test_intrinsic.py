from dataclasses import replace

import numpy as np
import pytest

from pipeline.photometry.distance import distances, zero_points
from pipeline.photometry.extinction import LAWS
from pipeline.photometry.intrinsic import Measured, intrinsic
from pipeline.settings.simulate import SurveySettings
from pipeline.settings.stars import PopulationSettings
from pipeline.simulate.catalogues import gaia_table
from pipeline.simulate.photometry import observe_sources
from pipeline.simulate.population import blend_mag, draw_population
from pipeline.stars.isochrone import BANDS

LAW = LAWS["casagrande2021"]


def stars(n, **changes):
    values = {
        "g": 14.0, "g_err": 0.003, "bp": 14.4, "bp_err": 0.01, "rp": 13.4, "rp_err": 0.02,
        "ks": 12.2, "ks_err": 0.025, "e_bv": 0.1, "distance_pc": 400.0, "distance_err_pc": 8.0,
    } | changes  # fmt: skip
    return Measured(**{name: np.full(n, value, dtype=float) for name, value in values.items()})


def test_a_star_worked_out_by_hand():
    """X = 1.0 - 0.08 = 0.92; R_G = 2.609 - 0.437 + 0.0448592 = 2.2168592."""
    found = intrinsic(stars(1), LAW, 0.0)
    assert found.a_g[0] == pytest.approx(0.22168592)
    assert found.a_ks[0] == pytest.approx(0.0306)
    assert found.g_ks_0[0] == pytest.approx(14 - 0.22168592 - 12.2 + 0.0306)
    assert found.m_g[0] == pytest.approx(14 - 0.22168592 - 8.010299957)


@pytest.mark.parametrize("e_bv", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("name", LAWS)
def test_errors_are_those_of_a_sample(name, e_bv):
    n, rng = 200_000, np.random.default_rng(3)
    one = stars(1, e_bv=e_bv)
    expected = intrinsic(one, LAWS[name], 0.1)

    def noisy(value, error):
        return value + error * rng.standard_normal(n)

    drawn = {band: noisy(getattr(one, band), getattr(one, f"{band}_err")) for band in
             ("g", "bp", "rp", "ks")}  # fmt: skip
    drawn["e_bv"] = noisy(one.e_bv, 0.1 * one.e_bv)
    drawn["distance_pc"] = noisy(one.distance_pc, one.distance_err_pc)
    found = intrinsic(replace(one, **drawn), LAWS[name], 0.1)
    assert found.g_ks_0.std() == pytest.approx(expected.g_ks_0_err[0], rel=0.02)
    assert found.m_g.std() == pytest.approx(expected.m_g_err[0], rel=0.02)


def test_what_is_missing_stays_missing():
    found = intrinsic(stars(1, ks=np.nan), LAW, 0.1)
    assert np.isnan(found.g_ks_0[0])
    assert np.isfinite(found.m_g[0])
    found = intrinsic(stars(1, distance_pc=np.nan), LAW, 0.1)
    assert np.isfinite(found.g_ks_0[0])
    assert np.isnan(found.m_g[0])
    found = intrinsic(stars(1, e_bv=np.nan), LAW, 0.1)
    assert np.isnan(found.g_ks_0[0])
    assert np.isnan(found.m_g[0])


@pytest.fixture(scope="module")
def simulated():
    """Recovered and true values of 30,000 simulated stars, from the catalogue's columns alone."""
    n, survey = 30_000, SurveySettings(neighbour_fraction=0)
    rng = np.random.default_rng(11)
    people = draw_population(rng, n, PopulationSettings(), survey)
    sources = observe_sources(rng, people)
    ra, dec = 360 * rng.random(n), np.rad2deg(np.arcsin(rng.uniform(-0.1, 0.9, n)))
    ids = np.arange(n)
    gaia = gaia_table(rng, ids, ra, dec, sources, people.e_bv, survey).to_pandas()
    zero = zero_points(
        *(
            gaia[name].to_numpy(dtype=float)
            for name in (
                "phot_g_mean_mag", "nu_eff_used_in_astrometry", "pseudocolour", "ecl_lat",
                "astrometric_params_solved",
            )
        )
    )  # fmt: skip
    parallax, error = gaia["parallax"].to_numpy(), gaia["parallax_error"].to_numpy()
    distance = distances(parallax, error, zero, (np.full(n, np.nan),) * 3, 10.0)
    measured = {band: gaia[f"phot_{band}_mean_mag"].to_numpy() for band in ("g", "bp", "rp")} | {
        "ks": sources.mag_SK[:, BANDS.index("ks_mag")]
    }
    measured |= {f"{band}_err": np.zeros(n) for band in ("g", "bp", "rp", "ks")}
    found = intrinsic(
        Measured(
            **measured, e_bv=people.e_bv, distance_pc=distance.distance_pc,
            distance_err_pc=distance.error_pc,
        ),
        LAW, 0.0,
    )  # fmt: skip
    absolute = blend_mag(people.systems)
    m_g = absolute[:, BANDS.index("g_mag")]
    colour = m_g - absolute[:, BANDS.index("ks_mag")]
    snr = 1000 / people.distance_pc / error
    return found.g_ks_0 - colour, found.m_g - m_g, colour, snr


def pulls(difference, colour, use):
    """Mean over its standard error in bins of true colour."""
    values = []
    for low in np.arange(0.8, 3.6, 0.2):
        one = difference[use & (colour >= low) & (colour < low + 0.2) & np.isfinite(difference)]
        if len(one) >= 50:
            values.append(one.mean() / (one.std(ddof=1) / np.sqrt(len(one))))
    return np.array(values)


def test_the_intrinsic_colour_is_unbiased(simulated):
    difference, _, colour, snr = simulated
    found = pulls(difference, colour, snr > 0)
    assert len(found) >= 12
    assert np.abs(found).max() < 3


def test_the_absolute_magnitude_is_unbiased_where_parallaxes_are_good(simulated):
    """Above 50 sigma, where the second-order bias of 1/parallax, 1.1 / SNR^2, is below 0.0005."""
    _, difference, colour, snr = simulated
    found = pulls(difference, colour, snr > 50)
    assert len(found) >= 12
    assert np.abs(found).max() < 3
