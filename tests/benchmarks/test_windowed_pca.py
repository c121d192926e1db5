import numpy as np
from windowed_pca import N_COMPONENT, N_WINDOW, Windows, fit_mlp, mlp_logit

from pipeline.network.metrics import auc


def spectra(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two lines far apart: of equal depth in one class, of unlike depth in the other."""
    rng = np.random.default_rng(seed)
    flux = 1 + 0.01 * rng.standard_normal((n, 1200))
    depth, label = rng.uniform(0.1, 0.6, n), rng.integers(0, 2, n)
    other = np.where(label == 1, rng.permutation(depth), depth)
    for place, strength in ((250, depth), (900, other)):
        line = np.exp(-0.5 * ((np.arange(1200) - place) / 3) ** 2)
        flux -= strength[:, None] * line
    return flux.astype(np.float16), label


def test_windows_cover_the_spectrum_and_whiten_it() -> None:
    flux, _ = spectra(500, 1)
    windows = Windows.fit(flux)
    assert windows.start_W[0] == 0 and windows.start_W[-1] + 96 == 1200
    assert (np.diff(windows.start_W) <= 96).all()
    found = windows.features(flux)
    assert found.shape == (500, N_WINDOW * N_COMPONENT) and found.dtype == np.float32
    np.testing.assert_allclose(found.std(axis=0), 1, atol=0.01)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=0.01)


def test_the_network_combines_windows() -> None:
    (flux, label), (asked, asked_label) = spectra(3000, 1), spectra(600, 2)
    windows = Windows.fit(flux)
    model = fit_mlp(
        windows.features(flux[:2500]), label[:2500], windows.features(flux[2500:]), label[2500:],
        seed=1, rate=3e-3,
    )  # fmt: skip
    # Neither line alone tells the class.
    assert auc(mlp_logit(model, windows.features(asked)), asked_label) > 0.75
