import numpy as np
import pytest

from pipeline.spectra.kernel import REACH, gaussian_kernel

WAVE_L = 10 ** np.arange(3.5911, 3.9445, 4e-4)


def dense(width: float) -> np.ndarray:
    """The factors multiplied out."""
    kernel = gaussian_kernel(WAVE_L.tobytes(), width)
    basis_LJ = np.zeros((WAVE_L.size, kernel.n_node))
    for part in kernel.segments:
        basis_LJ[part.pixels, part.nodes] = part.basis
    kernel_JJ = np.zeros((kernel.n_node, kernel.n_node))
    for band in kernel.bands:
        kernel_JJ[band.source, band.target] = band.kernel
    return basis_LJ @ kernel_JJ @ basis_LJ.T


@pytest.mark.parametrize("width", [3.0, 20.0, 70.0, 350.0, 3000.0, 1e5])
def test_factors_give_the_kernel(width: float) -> None:
    distance = np.abs(WAVE_L[:, None] - WAVE_L) / width
    expected = np.exp(-(distance**2))
    got = dense(width)
    within = distance < REACH
    np.testing.assert_allclose(got[within], expected[within], rtol=3e-6)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_wide_kernel_needs_few_nodes() -> None:
    assert gaussian_kernel(WAVE_L.tobytes(), 350.0).n_node < WAVE_L.size / 4


def test_polynomials_add_up_to_one() -> None:
    for part in gaussian_kernel(WAVE_L.tobytes(), 100.0).segments:
        np.testing.assert_allclose(part.basis.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize(("wave_L", "width"), [(WAVE_L[::-1], 350.0), (WAVE_L, 0.0)])
def test_nonsense_is_refused(wave_L: np.ndarray, width: float) -> None:
    with pytest.raises(ValueError, match="must be positive and the wavelengths ascend"):
        gaussian_kernel(wave_L.tobytes(), width)
