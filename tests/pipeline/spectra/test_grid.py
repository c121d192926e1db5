import numpy as np
import pytest

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid


def test_default_grid_stands_on_the_surveys_own_pixels() -> None:
    grid = WaveGrid.from_settings(SpectraSettings())
    assert 3900.0 <= grid.wave_L[0] < 3900.0 * 10**1e-4
    assert 8800.0 / 10**1e-4 < grid.wave_L[-1] <= 8800.0
    offset = (grid.log10_first - 3.5682) / 1e-4
    assert offset == pytest.approx(round(offset), abs=1e-6)
    assert grid.wave_L.size == grid.n_pixel
    np.testing.assert_allclose(np.diff(grid.log10_wave_L), 1e-4, rtol=1e-8)


def test_limits_that_are_grid_points_are_kept() -> None:
    settings = SpectraSettings(wave_min_angstrom=10**3.6, wave_max_angstrom=10**3.61)
    grid = WaveGrid.from_settings(settings)
    assert grid.n_pixel == 101
    assert grid.wave_L[-1] == pytest.approx(10**3.61)


def test_equal_grids_are_one_cache_key() -> None:
    settings = SpectraSettings()
    assert len({WaveGrid.from_settings(settings), WaveGrid.from_settings(settings)}) == 1


def test_wavelengths_cannot_be_changed() -> None:
    grid = WaveGrid(3.6, 1e-4, 10)
    with pytest.raises(ValueError, match="read-only"):
        grid.wave_L[0] = 0.0


def test_empty_range_is_refused() -> None:
    settings = SpectraSettings(wave_min_angstrom=5000, wave_max_angstrom=4000)
    with pytest.raises(ValueError, match="wave_max_angstrom"):
        WaveGrid.from_settings(settings)
