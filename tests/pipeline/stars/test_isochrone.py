from importlib.resources import files

import numpy as np

from pipeline.stars.isochrone import BANDS, main_sequence


def test_grid_points_are_returned():
    path = files("pipeline.stars") / "data" / "parsec_ms.npz"
    with path.open("rb") as handle, np.load(handle) as arrays:
        parsec = {name: arrays[name].astype(float) for name in arrays.files}
    mass = parsec["MINI"]
    on_grid = (np.abs(mass * 200 - np.round(mass * 200)) < 1e-3) & (mass > 0.15) & (mass < 1.0)
    rows = np.flatnonzero(on_grid)[::37]
    stars = main_sequence(np.round(mass[rows], 3), parsec["LOGAGE"][rows], parsec["MH"][rows])
    inside = stars.valid
    assert inside.mean() > 0.9
    np.testing.assert_allclose(stars.teff_k[inside], 10 ** parsec["LOGTE"][rows][inside], rtol=2e-4)
    np.testing.assert_allclose(stars.logg[inside], parsec["LOGG"][rows][inside], atol=2e-3)
    g = parsec["GAIAEDR3_GMAG"][rows][inside]
    np.testing.assert_allclose(stars.mag_BK[inside, BANDS.index("g_mag")], g, atol=5e-3)


def test_the_sun():
    sun = main_sequence(np.array([1.0]), np.array([9.66]), np.array([0.0]))
    assert abs(sun.teff_k[0] - 5772) < 120
    assert abs(sun.logg[0] - 4.44) < 0.05
    assert abs(sun.mag_BK[0, 0] - 4.67) < 0.2


def test_monotonic_and_smooth_in_mass():
    mass = np.linspace(0.2, 0.95, 3001)
    for mh in (-1.1, -0.33, 0.0, 0.27):
        stars = main_sequence(mass, np.full(len(mass), 9.33), np.full(len(mass), mh))
        assert stars.valid.all()
        assert np.all(np.diff(stars.log_l) > 0)
        assert np.all(np.diff(stars.mag_BK, axis=0) < 0)
        assert np.abs(np.diff(stars.teff_k)).max() < 6


def test_continuous_across_age_and_metallicity():
    for axis in ("age", "mh"):
        t = np.linspace(0, 1, 2001)
        age = 8.7 + 1.2 * t if axis == "age" else np.full(2001, 9.2)
        mh = -1.1 + 1.3 * t if axis == "mh" else np.full(2001, -0.1)
        stars = main_sequence(np.full(2001, 0.8), age, mh)
        assert stars.valid.all()
        assert np.abs(np.diff(stars.teff_k)).max() < 5


def test_stars_off_the_main_sequence_are_marked():
    stars = main_sequence(
        np.array([1.5, 0.05, 1.0, 1.0]),
        np.array([10.0, 9.0, 9.0, 10.5]),
        np.array([0.0, 0.0, 0.6, 0.0]),
    )
    assert not stars.valid.any()
    assert np.isnan(stars.teff_k).all()
