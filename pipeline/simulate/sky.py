"""Emission lines of the night sky, absorption by the atmosphere, throughput of the telescope."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

SKY_LINES = (
    (4047.8, 3.0), (4359.6, 5.0), (5462.3, 4.0), (5578.9, 60.0), (5891.6, 14.0), (5897.6, 10.0),
    (6302.0, 30.0), (6365.5, 10.0), (6500.5, 3.0), (6534.8, 4.0), (6555.4, 3.0), (6865.7, 8.0),
    (6872.9, 6.0), (6880.8, 5.0), (6891.2, 4.0), (6902.6, 4.0), (6914.6, 4.0), (6925.1, 5.0),
    (6941.5, 5.0), (6950.9, 4.0), (7246.6, 14.0), (7278.3, 18.0), (7286.0, 5.0), (7305.5, 8.0),
    (7318.2, 20.0), (7331.3, 8.0), (7342.9, 22.0), (7360.7, 8.0), (7371.4, 14.0), (7393.7, 8.0),
    (7404.2, 7.0), (7525.9, 9.0), (7573.4, 8.0), (7714.6, 18.0), (7718.6, 10.0), (7726.9, 8.0),
    (7752.7, 24.0), (7761.0, 6.0), (7779.8, 6.0), (7796.3, 26.0), (7810.6, 8.0), (7823.3, 28.0),
    (7843.4, 8.0), (7855.5, 26.0), (7872.9, 14.0), (7892.9, 10.0), (7915.9, 36.0), (7923.0, 16.0),
    (7951.4, 10.0), (7966.8, 26.0), (7981.2, 10.0), (7995.6, 24.0), (8016.5, 12.0),
    (8027.8, 18.0), (8064.3, 8.0), (8281.9, 12.0), (8290.6, 22.0), (8301.1, 20.0), (8313.2, 8.0),
    (8346.9, 34.0), (8355.0, 12.0), (8384.5, 10.0), (8401.8, 36.0), (8417.6, 14.0), (8432.6, 36.0),
    (8455.0, 14.0), (8467.7, 28.0), (8496.4, 18.0), (8507.4, 24.0), (8541.1, 10.0), (8551.1, 12.0),
    (8762.9, 20.0), (8770.2, 22.0), (8776.9, 22.0), (8780.8, 26.0), (8793.8, 20.0), (8812.9, 18.0),
    (8829.7, 46.0), (8838.6, 40.0), (8852.3, 24.0), (8870.0, 32.0), (8888.3, 40.0), (8905.6, 32.0),
    (8922.4, 46.0), (8945.9, 34.0), (8960.5, 50.0), (8972.5, 28.0), (8991.0, 40.0), (9004.3, 32.0),
    (9021.8, 26.0), (9040.1, 36.0), (9054.7, 22.0), (9073.9, 30.0),
)  # fmt: skip
"""Vacuum wavelength (Angstrom) and height over the sky's continuum. [wavelengths: airglow atlas of
Osterbrock et al. 1996, matched to dips of ivar in public LAMOST files; heights: assumed]"""

TELLURIC_BANDS = ((6869.0, 6930.0, 0.6), (7166.0, 7345.0, 0.3), (7596.0, 7680.0, 1.0),
                  (8135.0, 8350.0, 0.25), (8930.0, 9090.0, 0.9))  # fmt: skip
"""First and last wavelength, and depth relative to the A band. [assumed]"""

THROUGHPUT = (
    (3600.0, 0.02), (3700.0, 0.045), (3750.0, 0.08), (3830.0, 0.12), (3950.0, 0.17),
    (4103.0, 0.36), (4200.0, 0.48), (4400.0, 0.73), (4560.0, 0.89), (4750.0, 1.0), (5000.0, 1.13),
    (5250.0, 1.29), (5500.0, 1.23), (5650.0, 1.06), (5780.0, 1.03), (5860.0, 1.03), (5920.0, 1.63),
    (6000.0, 2.06), (6100.0, 2.35), (6500.0, 3.34), (6900.0, 3.59), (7300.0, 4.17), (7800.0, 4.11),
    (8200.0, 3.68), (8600.0, 3.25), (8800.0, 2.56), (9000.0, 2.0), (9150.0, 1.4),
)  # fmt: skip
"""Wavelength and relative photons per pixel and unit flux: the squared S/N of bright G stars in
public LAMOST files over a 5750 K model. Low in the blue and at the join of the arms."""


@lru_cache(maxsize=4)
def throughput(log10_first: float, n_pixel: int) -> NDArray[np.float64]:
    """Photons per pixel and unit flux, relative to 4750 Angstrom.

    Parameters
    ----------
    log10_first : float
        log10 of the first wavelength in Angstrom; the step is 1e-4.
    n_pixel : int
        Number of pixels, N.

    Returns
    -------
    ndarray of float64, (N,)
        Relative; interpolated in `THROUGHPUT`.
    """
    wave, value = np.array(THROUGHPUT).T
    return np.asarray(
        np.exp(np.interp(_log10_wave(log10_first, n_pixel), np.log10(wave), np.log(value)))
    )


@lru_cache(maxsize=4)
def sky_line_profiles(log10_first: float, n_pixel: int) -> NDArray[np.float32]:
    """Each sky line at R = 1800.

    Parameters
    ----------
    log10_first : float
        log10 of the first wavelength in Angstrom; the step is 1e-4.
    n_pixel : int
        Number of pixels, N.

    Returns
    -------
    ndarray of float32, (E, N)
        In units of the sky's continuum.
    """
    log10_wave = _log10_wave(log10_first, n_pixel)
    wave, height = np.array(SKY_LINES).T
    sigma = 1 / 1800 / 2.3548 / np.log(10)
    offset_EN = (log10_wave - np.log10(wave)[:, None]) / sigma
    return np.asarray(height[:, None] * np.exp(-0.5 * offset_EN**2), dtype=np.float32)


@lru_cache(maxsize=4)
def telluric_bands(log10_first: float, n_pixel: int) -> NDArray[np.float32]:
    """Shape of each absorption band, steep at its head.

    Parameters
    ----------
    log10_first : float
        log10 of the first wavelength in Angstrom; the step is 1e-4.
    n_pixel : int
        Number of pixels, N.

    Returns
    -------
    ndarray of float32, (E, N)
        Between 0 and the relative depth of the band.
    """
    wave = 10 ** _log10_wave(log10_first, n_pixel)
    bands = []
    for first, last, depth in TELLURIC_BANDS:
        along = (wave - first) / (last - first)
        ripple = 1 + 0.4 * np.cos(2 * np.pi * wave / 13.0)
        head, tail = expit((wave - first) / 2.0), expit((last - wave) / 6.0)
        bands.append(depth * np.exp(-1.5 * along) * ripple * head * tail)
    return np.asarray(bands, dtype=np.float32)


def _log10_wave(log10_first: float, n_pixel: int) -> NDArray[np.float64]:
    return np.asarray(log10_first + 1e-4 * np.arange(n_pixel), dtype=np.float64)
