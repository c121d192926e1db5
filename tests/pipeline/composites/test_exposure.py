"""Noise of composites beside that of spectra as they are read."""

import numpy as np
import pytest

from pipeline.composites.exposure import noisy
from pipeline.composites.sums import Light
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid


@pytest.mark.parametrize(
    ("frame", "variance", "neighbours"), [("observed", 1, 0), ("rest", 2 / 3, 1 / 6)]
)
def test_neighbours_are_as_correlated_as_those_of_the_spectra(frame, variance, neighbours):
    spectra = SpectraSettings(frame=frame)
    shape = (200, WaveGrid.from_settings(spectra).n_pixel)
    flux = np.ones(shape, np.float32)
    light = Light(flux, np.zeros(shape, np.float32), np.zeros(shape, bool))
    wanted = np.full(shape, 4e-4, np.float32)
    found = noisy(light, wanted, np.random.default_rng(1), spectra)
    noise = (found.flux_BL - 1) / 0.02
    assert np.mean(noise**2) == pytest.approx(variance, abs=0.03)
    assert np.mean(noise[:, 1:] * noise[:, :-1]) == pytest.approx(neighbours, abs=0.03)
