"""Learns the model of single stars from a pool that holds unresolved pairs, too."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.pairfit.evidence import Evidence
from pipeline.pairfit.grid import LabelGrid
from pipeline.pairfit.model import StarModel, mean_model, with_scatter
from pipeline.pairfit.spectra import Singles

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]

N_GROUP, ROUNDS = 5, 2
DROPPED = 0.25
"""Share of the stars that leave the model, those that gain most by a companion."""


def fit_stars(stars: Singles, grid: LabelGrid) -> StarModel:
    """Learn the model from the stars that no companion fits much better.

    Parameters
    ----------
    stars : Singles
        At least :data:`pipeline.pairfit.spectra.FEWEST` stars.
    grid : LabelGrid
        Single stars and pairs.
    """
    stars, gain_B = judged(stars, grid)
    return fit_model(stars.take(_clean(gain_B, stars.star_B)), grid)


def judged(stars: Singles, grid: LabelGrid) -> tuple[Singles, FloatArray]:
    """Give stars labels by a model of other stars, and tell what they gain by a companion.

    The quarter that gains most leaves the model, and all are judged again.

    Parameters
    ----------
    stars, grid : Singles, LabelGrid
        As for `fit_stars`.

    Returns
    -------
    stars : Singles
        With the mean labels of each star's spectra.
    gain_B : ndarray of float64, (B,)
        Gain in chi^2, the highest of each star's spectra.
    """
    _, number_B = np.unique(stars.star_B, return_inverse=True)
    group = np.random.default_rng(1).permutation(number_B.max() + 1) % N_GROUP
    clean_B = np.ones(len(stars), bool)
    for _ in range(ROUNDS):
        teff_k_B, feh_B, gain_B = (np.empty(len(stars)) for _ in range(3))
        for one in range(N_GROUP):
            mine = group[number_B] == one
            model = fit_model(stars.take(~mine & clean_B), grid)
            found = _judged_by(Evidence(model, grid), stars.flux_BL[mine], grid)
            teff_k_B[mine], feh_B[mine], gain_B[mine] = found
        teff_k_B, feh_B = _mean_of(teff_k_B, number_B), _mean_of(feh_B, number_B)
        stars = replace(stars, teff_k_B=teff_k_B, feh_B=feh_B)
        highest = np.full(number_B.max() + 1, -np.inf)
        np.maximum.at(highest, number_B, gain_B)
        gain_B = highest[number_B]
        clean_B = _clean(gain_B, stars.star_B)
    return stars, gain_B


def fit_model(stars: Singles, grid: LabelGrid) -> StarModel:
    """Fit mean spectra, give the stars labels by them, fit again, and take the scatter around it.

    Parameters
    ----------
    stars, grid : Singles, LabelGrid
        As for `fit_stars`.
    """
    alone = grid.singles
    first = Evidence(mean_model(stars), alone)
    teff_k_B, feh_B = single_labels(first.chi2(stars.flux_BL), alone)
    stars = replace(stars, teff_k_B=teff_k_B, feh_B=feh_B)
    return with_scatter(mean_model(stars), stars)


def single_labels(chi2_BG: Float32, alone: LabelGrid) -> tuple[FloatArray, FloatArray]:
    """Return the mean Teff in K and [Fe/H] of the likely single stars: (B,) each.

    Parameters
    ----------
    chi2_BG : ndarray of float32, (B, G)
        chi^2 at the points of the grid.
    alone : LabelGrid
        Single stars.
    """
    weight_BG = np.exp(-(chi2_BG - chi2_BG.min(axis=1, keepdims=True)).astype(np.float64) / 2)
    weight_BG /= weight_BG.sum(axis=1, keepdims=True)
    return weight_BG @ alone.teff_k_G, weight_BG @ alone.feh_G


def _judged_by(
    evidence: Evidence, flux_BL: NDArray[np.float32], grid: LabelGrid
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Teff, [Fe/H] and gain by a companion."""
    chi2_BG = evidence.chi2(flux_BL)
    return *single_labels(chi2_BG[:, grid.q_G == 1], grid.singles), grid.gain(chi2_BG)


def _mean_of(value_B: FloatArray, number_B: NDArray[np.int64]) -> FloatArray:
    """Return the mean over the spectra of each star, by spectrum."""
    return np.asarray((np.bincount(number_B, value_B) / np.bincount(number_B))[number_B])


def _clean(gain_B: FloatArray, star_B: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which spectra are of the stars that gain least by a companion."""
    _, first = np.unique(star_B, return_index=True)
    return np.asarray(gain_B <= np.quantile(gain_B[first], 1 - DROPPED))
