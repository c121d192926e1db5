"""Labels of single stars and of pairs, and their place in the space of the mean spectra.

The mean spectrum of a star is a sum of :func:`pipeline.composites.mean_spectrum.terms` with one
coefficient per pixel. That of a pair is the mean of two such spectra, weighted by their share of
the light, which is linear in wavelength here. So spectra of both kinds are sums of the same terms,
and of the terms times the wavelength.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.composites.mean_spectrum import terms
from pipeline.stars.dwarf_mass import dwarf_mass
from pipeline.stars.isochrone import BANDS, main_sequence

FloatArray = NDArray[np.float64]

TEFF_K, FEH = np.arange(4000.0, 7501.0, 40.0), np.arange(-1.15, 0.3, 0.05)
RATIOS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9)
"""Mass ratios of the pairs."""

_G_ANGSTROM = 6200.0
"""Mean wavelength of Gaia's G."""

_HC_K_ANGSTROM = 1.4388e8
"""h c / k in Angstrom kelvin."""


@dataclass(frozen=True)
class LabelGrid:
    """G points: single stars and pairs.

    Parameters
    ----------
    teff_k_G, feh_G : ndarray of float64, (G,)
        Of the primary.
    q_G : ndarray of float64, (G,)
        Mass ratio; 1 for single stars.
    place_GI : ndarray of float64, (G, I)
        Coefficients of the terms, and of the terms times the wavelength.
    """

    teff_k_G: FloatArray
    feh_G: FloatArray
    q_G: FloatArray
    place_GI: FloatArray

    @property
    def singles(self) -> "LabelGrid":
        """The single stars of it."""
        alone = self.q_G == 1
        return LabelGrid(*(a[alone] for a in (self.teff_k_G, self.feh_G, self.q_G, self.place_GI)))

    def gain(self, chi2_BG: NDArray[np.floating]) -> FloatArray:
        """Return chi^2 of the best single star less that of the best pair: (B,).

        Parameters
        ----------
        chi2_BG : ndarray, (B, G)
            chi^2 at the points of the grid.
        """
        alone = self.q_G == 1
        best_B = chi2_BG[:, alone].min(axis=1) - chi2_BG[:, ~alone].min(axis=1)
        return np.asarray(best_B, np.float64)


def label_grid(wave_L: FloatArray, log_age: float) -> LabelGrid:
    """List every dwarf of the isochrone, alone and with companions.

    Parameters
    ----------
    wave_L : ndarray of float64, (L,)
        Wavelengths in Angstrom, of which the first and the last count.
    log_age : float
        log10 age in years.

    Returns
    -------
    LabelGrid
        A pair has the light of the isochrone in G and the colour of two black bodies.
    """
    teff, feh, q = (a.ravel() for a in np.meshgrid(TEFF_K, FEH, [1.0, *RATIOS]))
    mass, m_g = dwarf_mass(teff, feh, log_age)
    known = np.isfinite(mass)
    teff, feh, q, mass, m_g = (a[known] for a in (teff, feh, q, mass, m_g))
    second = main_sequence(q * mass, np.full(len(q), log_age), feh)
    bright = 10 ** (0.4 * (m_g - second.mag_BK[:, BANDS.index("g_mag")]))
    pair = q < 1
    first, last = (
        np.where(pair, _share(bright, teff, second.teff_k, float(at)), 0.0)
        for at in (wave_L[0], wave_L[-1])
    )
    one = terms(teff, feh)
    step = np.where(pair[:, None], terms(second.teff_k, feh) - one, 0.0)
    middle, slope = (first + last) / 2, (last - first) / 2
    place = np.concatenate([one + middle[:, None] * step, slope[:, None] * step], axis=1)
    keep = second.valid & np.isfinite(place).all(axis=1)
    return LabelGrid(teff[keep], feh[keep], q[keep], place[keep])


def wave_slope(wave_L: FloatArray) -> FloatArray:
    """Return the wavelength from -1 to 1: (L,).

    Parameters
    ----------
    wave_L : ndarray of float64, (L,)
        Wavelengths in Angstrom, rising.
    """
    return np.asarray(2 * (wave_L - wave_L[0]) / (wave_L[-1] - wave_L[0]) - 1)


def _share(bright: FloatArray, teff: FloatArray, teff2: FloatArray, wave: float) -> FloatArray:
    """Return the second star's share of the light; `bright` is its ratio in G."""

    def ratio(at: float) -> FloatArray:
        x = _HC_K_ANGSTROM / at
        return np.asarray(np.expm1(x / teff) / np.expm1(x / teff2))

    light = bright * ratio(wave) / ratio(_G_ANGSTROM)
    return np.asarray(light / (1 + light))
