"""Information of the templates by wavelength, and its comparison with the saliency."""

import numpy as np
import pytest
from saliency import WINDOW, correlation, shares, windowed
from saliency_lines import LINES, information

from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid


def test_the_information_of_a_companion_lies_in_lines_and_most_of_it_in_a_few() -> None:
    settings = SpectraSettings()
    wave = WaveGrid.from_settings(settings).wave_L
    found = information(5000.0, SimulateSettings(), settings)
    for values in found[:3]:
        assert values.shape == wave.shape and (values >= 0).all() and np.isfinite(values).all()
        part = shares(values, wave)
        width = sum(high - low for low, high in LINES.values()) / (wave[-1] - wave[0])
        assert sum(part) > 2 * width
        assert part[list(LINES).index("G band")] > 0.02
    # The nearest single star takes up most of what tells the mass ratio.
    assert found.single.sum() < 0.1 * found.primary.sum()
    assert found.depth.max() > 0.3


def test_a_correlation_at_given_third_quantity() -> None:
    rng = np.random.default_rng(2)
    common = rng.normal(size=4000)
    x, y = common + rng.normal(size=4000), common + rng.normal(size=4000)
    assert correlation(x, y) == pytest.approx(0.48, abs=0.05)
    assert correlation(x, y, common) == pytest.approx(0, abs=0.05)
    assert correlation(x, x**3) == pytest.approx(1)
    assert windowed(np.ones(10 * WINDOW + 3)).tolist() == [WINDOW] * 10
