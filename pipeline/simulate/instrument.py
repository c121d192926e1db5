"""From noise-free flux to a survey spectrum: calibration, photons, sky, bad pixels, scale."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.settings.simulate import InstrumentSettings
from pipeline.simulate.fibres import FIRST, STEP, Fibres
from pipeline.simulate.sky import sky_line_profiles, telluric_bands, throughput
from pipeline.stars.products import interpolate_knots, product

SNR_WINDOW = (4200.0, 5300.0)
"""Mean S/N per pixel in this range (Angstrom) is SNRG. [source: headers of 1,336 public files: the
ratio is 0.99, 90 % of files within 0.96 and 1.03]"""

BLUE_KNOTS = np.array([4.0, 3.0])
"""How much worse the calibration is at 3700 and 4015 Angstrom. [derived: see settings]"""

JOIN_WAVE = ((5965.0, 55.0, 1.0), (6120.0, 65.0, -0.8))
"""Centre, width (Angstrom) and height of the crest and the trough of the wave at the join.
[source: the same 1,336 files]"""

FREE_KNOTS, FREE_WIDTH = np.arange(5800.0, 6300.0, 60.0), 40.0
"""Centres and width (Angstrom) of the bumps of which a free curve at the join is made."""

BLUE_PIXELS = 2000
"""Pixels of the blue arm, up to about 5860 Angstrom."""

SCALE_LOG10_RANGE = (-0.4, 8.0)


def snr_g(flux_BN: NDArray[np.float32], ivar_BN: NDArray[np.float32]) -> NDArray[np.float64]:
    """S/N in g as the survey's pipeline gives it.

    Parameters
    ----------
    flux_BN, ivar_BN : ndarray of float32, (B, N)
        Flux and inverse variance, arbitrary units.

    Returns
    -------
    ndarray of float64, (B,)
        Mean S/N per pixel within ``SNR_WINDOW``.

    Raises
    ------
    ValueError
        The spectra end before the window does.
    """
    return mean_snr(flux_BN, ivar_BN, SNR_WINDOW)


def mean_snr(
    flux_BN: NDArray[np.float32], ivar_BN: NDArray[np.float32], window: tuple[float, float]
) -> NDArray[np.float64]:
    """Mean S/N per pixel over the good pixels between two wavelengths.

    Parameters
    ----------
    flux_BN, ivar_BN : ndarray of float32, (B, N)
        Flux and inverse variance, arbitrary units.
    window : tuple of float
        The two wavelengths in Angstrom.

    Returns
    -------
    ndarray of float64, (B,)
        0 without a good pixel.

    Raises
    ------
    ValueError
        The spectra end before the window does.
    """
    pixels = _pixels(window, flux_BN.shape[1])
    good = ivar_BN[:, pixels] > 0
    total = (flux_BN[:, pixels] * np.sqrt(ivar_BN[:, pixels])).sum(axis=1, where=good)
    return np.asarray(total / np.maximum(good.sum(axis=1), 1), dtype=np.float64)


def observe(
    rng: np.random.Generator,
    flux_BN: NDArray[np.float32],
    snr_B: NDArray[np.float64],
    fibres: Fibres,
    settings: InstrumentSettings,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Expose noise-free spectra.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    flux_BN : ndarray of float32, (B, N)
        Noise-free flux on the survey's grid, any scale; single stars and pairs are treated alike.
    snr_B : ndarray of float64, (B,)
        S/N per pixel in g that the exposure reaches.
    fibres : Fibres
        Grids (the sky's lines are put on the common grid; 1 km/s does not matter to them).
    settings : InstrumentSettings
        Priors.

    Returns
    -------
    flux_BN : ndarray of float32, (B, N)
        Observed flux, arbitrary units.
    ivar_BN : ndarray of float32, (B, N)
        Its inverse variance. The noise is Gaussian with exactly this inverse variance; sky
        residuals and calibration errors are added to it, as in real files.

    Raises
    ------
    ValueError
        The spectra end before the g window does.
    """
    n_spectrum, n_pixel = flux_BN.shape
    window = _pixels(SNR_WINDOW, n_pixel)
    through_N = throughput(FIRST, n_pixel).astype(np.float32)
    lines_EN = sky_line_profiles(FIRST, n_pixel)
    ideal_BN = flux_BN / flux_BN[:, window].mean(axis=1, keepdims=True)
    ideal_BN *= _response(rng, n_spectrum, n_pixel, settings)

    # Photons of star and sky; the gain is the one that gives the wanted S/N.
    rate_BN = ideal_BN * through_N
    rate_B = rate_BN[:, window].mean(axis=1)
    sky_N = through_N * (1 + lines_EN.sum(axis=0))
    sky_count = 2 * settings.sky_snr**2 / sky_N[window].mean()
    background = 2 * settings.sky_snr**2
    gain_B = (snr_B**2 + np.sqrt(snr_B**4 + 4 * snr_B**2 * background)) / 2 / rate_B
    gain_B1 = gain_B[:, None].astype(np.float32)
    variance_BN = gain_B1 * np.maximum(rate_BN, 0) + np.float32(sky_count) * sky_N
    ivar_BN = (gain_B1 * through_N) ** 2 / variance_BN
    reached_B = (ideal_BN[:, window] * np.sqrt(ivar_BN[:, window])).mean(axis=1)
    ivar_BN *= ((snr_B / reached_B) ** 2)[:, None].astype(np.float32)

    noise_BN = rng.standard_normal(flux_BN.shape, dtype=np.float32)
    noise_BN /= np.sqrt(ivar_BN)
    observed_BN = ideal_BN + noise_BN
    amplitude_BE = rng.standard_normal((n_spectrum, len(lines_EN)), dtype=np.float32)
    amplitude_BE *= np.float32(settings.sky_residual * sky_count) / gain_B1
    observed_BN += product(amplitude_BE, lines_EN)

    bad_BN = draw_bad_pixels(rng, n_spectrum, n_pixel, settings)
    spikes_BN = rng.standard_normal(flux_BN.shape, dtype=np.float32)
    observed_BN += np.where(bad_BN, 5 * spikes_BN * np.abs(noise_BN), np.float32(0))
    ivar_BN[bad_BN] = 0

    scale_B = rng.normal(settings.scale_log10_mean, settings.scale_log10_sigma, n_spectrum)
    scale_B1 = 10 ** np.clip(scale_B, *SCALE_LOG10_RANGE)[:, None].astype(np.float32)
    beyond_BN = np.arange(n_pixel) >= fibres.n_pixel_B[:, None]
    observed_BN *= scale_B1
    ivar_BN /= scale_B1
    ivar_BN /= scale_B1
    observed_BN[beyond_BN] = 0
    ivar_BN[beyond_BN] = 0
    return observed_BN, ivar_BN


def draw_bad_pixels(
    rng: np.random.Generator, n_spectrum: int, n_pixel: int, settings: InstrumentSettings
) -> NDArray[np.bool_]:
    """Draw which pixels are lost: short runs as of cosmic rays, and whole stretches.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    n_spectrum, n_pixel : int
        Number of spectra and of their pixels, B and N.
    settings : InstrumentSettings
        How often pixels are lost.

    Returns
    -------
    ndarray of bool, (B, N)
        True where the inverse variance is 0.
    """
    bad_BN = np.zeros((n_spectrum, n_pixel), dtype=bool)
    clean_B = rng.random(n_spectrum) < settings.clean_fraction
    expected_B = settings.bad_runs_median * np.exp(
        settings.bad_runs_sigma * rng.standard_normal(n_spectrum)
    )
    runs_B = np.where(clean_B, 0, np.minimum(np.ceil(expected_B), 80)).astype(int)
    owner_U = np.repeat(np.arange(n_spectrum), runs_B)
    # Two of three runs are in the blue arm, which has fewer than half of the pixels
    blue_U = rng.random(len(owner_U)) < 0.67
    start_U = np.where(
        blue_U, BLUE_PIXELS * rng.random(len(owner_U)), n_pixel * rng.random(len(owner_U))
    )
    length_U = 4 + rng.geometric(0.4, len(owner_U))
    for owner, start, length in zip(owner_U, start_U.astype(int), length_U, strict=True):
        bad_BN[owner, start : start + length] = True
    for low, high in _stretches(n_pixel):
        lost_B = ~clean_B & (rng.random(n_spectrum) < settings.bad_region_fraction)
        edges_B2 = np.sort(rng.uniform(low, high, (n_spectrum, 2)), axis=1).astype(int)
        for owner in np.flatnonzero(lost_B):
            bad_BN[owner, edges_B2[owner, 0] : edges_B2[owner, 1]] = True
    part_B = ~clean_B & (rng.random(n_spectrum) < settings.bad_arm_fraction)
    first_B, length_B = (
        rng.integers(0, BLUE_PIXELS, n_spectrum),
        rng.integers(200, 1500, n_spectrum),
    )
    for owner in np.flatnonzero(part_B):
        bad_BN[owner, first_B[owner] : min(first_B[owner] + length_B[owner], BLUE_PIXELS)] = True
    return bad_BN


def _stretches(n_pixel: int) -> list[tuple[int, int]]:
    """Pixel ranges that get lost together: blue end, join of the arms, A band, red end."""
    waves = ((3690.0, 4000.0), (5560.0, 5920.0), (7580.0, 7700.0), (8930.0, 9100.0))
    return [
        (max(int((np.log10(a) - FIRST) / STEP), 0), min(int((np.log10(b) - FIRST) / STEP), n_pixel))
        for a, b in waves
    ]


def _pixels(window: tuple[float, float], n_pixel: int) -> slice:
    low, high = (round((np.log10(w) - FIRST) / STEP) for w in window)
    if high > n_pixel:
        raise ValueError(f"{n_pixel} pixels don't reach {window[1]} Angstrom")
    return slice(max(low, 0), high)


def _response(
    rng: np.random.Generator, n_spectrum: int, n_pixel: int, settings: InstrumentSettings
) -> NDArray[np.float32]:
    """Error of the calibration: smooth on two scales, a step at the join, telluric remains."""
    smooth = settings.calibration_sigma * rng.standard_normal((n_spectrum, 12))
    smooth[:, : len(BLUE_KNOTS)] *= BLUE_KNOTS
    ripple = settings.flat_sigma * rng.standard_normal((n_spectrum, n_pixel // 20 + 2))
    step = settings.join_sigma * rng.standard_normal((n_spectrum, 1))
    crest = settings.wave_sigma * rng.standard_normal((n_spectrum, 1))
    depth = settings.telluric_residual * rng.standard_normal(
        (n_spectrum, len(telluric_bands(FIRST, n_pixel)))
    )
    join = (np.log10(5850.0) - FIRST) / STEP
    arm_1N = expit((np.arange(n_pixel)[None] - join) / 15)
    error_BN = interpolate_knots(smooth, n_pixel)
    error_BN += interpolate_knots(ripple, n_pixel)
    error_BN += step.astype(np.float32) * arm_1N.astype(np.float32)
    error_BN += crest.astype(np.float32) * _join_wave(n_pixel)
    error_BN -= product(depth.astype(np.float32), telluric_bands(FIRST, n_pixel))
    if settings.join_free_sigma > 0:
        # Drawn last and only if asked for, so that other spectra stay what they are.
        bump_BK = settings.join_free_sigma * rng.standard_normal((n_spectrum, len(FREE_KNOTS)))
        error_BN += product(bump_BK.astype(np.float32), _free_bumps(n_pixel))
    return np.asarray(np.exp(error_BN), dtype=np.float32)


@lru_cache(maxsize=4)
def _free_bumps(n_pixel: int) -> NDArray[np.float32]:
    """Overlapping bumps at the join, whose squares sum to about 1 between the knots: (K, N)."""
    wave = 10 ** (FIRST + STEP * np.arange(n_pixel))
    bumps_KN = np.exp(-0.5 * ((wave - FREE_KNOTS[:, None]) / FREE_WIDTH) ** 2)
    middle = np.square(bumps_KN).sum(axis=0)[(wave > FREE_KNOTS[1]) & (wave < FREE_KNOTS[-2])]
    return np.asarray(bumps_KN / np.sqrt(middle.mean()), dtype=np.float32)


@lru_cache(maxsize=4)
def _join_wave(n_pixel: int) -> NDArray[np.float32]:
    """Shape of the wave that the join of the arms leaves, shape (1, N)."""
    wave = 10 ** (FIRST + STEP * np.arange(n_pixel))
    parts = [h * np.exp(-0.5 * ((wave - w) / s) ** 2) for w, s, h in JOIN_WAVE]
    return np.asarray(np.sum(parts, axis=0)[None], dtype=np.float32)
