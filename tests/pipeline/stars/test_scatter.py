import numpy as np
import pytest

from pipeline.settings.stars import ScatterSettings
from pipeline.stars.scatter import GROUPS, StarScatter, draw_scatter, scatter_lines
from pipeline.stars.templates import load_templates, normalised_flux

TEFF = np.full((4000, 2), 5000.0)


def test_pairs_share_abundances():
    settings = ScatterSettings(abundance_sigma=0.1, shared_fraction=0.95)
    first, second = draw_scatter(np.random.default_rng(0), TEFF, settings)
    assert first.abundance_CE.std() == pytest.approx(0.1, rel=0.02)
    together = np.corrcoef(first.abundance_CE.ravel(), second.abundance_CE.ravel())[0, 1]
    assert together == pytest.approx(0.95, abs=0.01)


def test_off_means_off():
    for stars in draw_scatter(np.random.default_rng(0), TEFF, ScatterSettings(enabled=False)):
        assert not stars.abundance_CE.any()
        assert not stars.activity_C.any()
        assert not stars.vsini_kms_C.any()


def test_only_the_lines_of_the_group_change():
    labels = np.array([[5000.0, 4.5, 0.0]])
    settings = ScatterSettings(n_random_groups=0)
    abundance = np.zeros((1, len(GROUPS)), np.float32)
    abundance[0, list(GROUPS).index("sodium")] = 0.3
    stars = StarScatter(abundance, np.zeros(1, np.float32), np.zeros(1))
    before = normalised_flux(labels)
    after = scatter_lines(before.copy(), stars, settings)
    wave = 10 ** load_templates().log10_wave_P
    core = np.argmin(np.abs(wave - 5891.6))
    assert (1 - after[0, core]) / (1 - before[0, core]) == pytest.approx(np.exp(0.3), rel=0.02)
    np.testing.assert_allclose(after[0, wave < 5800], before[0, wave < 5800], atol=1e-6)


def test_activity_fills_calcium_cores():
    labels = np.array([[5000.0, 4.5, 0.0]])
    settings = ScatterSettings(n_random_groups=0)
    none = np.zeros((1, len(GROUPS)), np.float32)
    active = StarScatter(none, np.full(1, 0.2, np.float32), np.zeros(1))
    change = scatter_lines(normalised_flux(labels), active, settings) - normalised_flux(labels)
    wave = 10 ** load_templates().log10_wave_P
    assert change[0, np.argmin(np.abs(wave - 3934.8))] == pytest.approx(0.2, abs=0.02)
    assert np.abs(change[0, np.abs(wave - 5200) < 100]).max() < 1e-5
