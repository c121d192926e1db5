import numpy as np
import pytest

from pipeline.spectra.velocity import log10_doppler


def test_doppler_factor_is_relativistic() -> None:
    beta = 0.1
    expected = np.log10(np.sqrt((1 + beta) / (1 - beta)))
    assert log10_doppler(np.array([29_979.2458]))[0] == pytest.approx(expected, rel=1e-12)
