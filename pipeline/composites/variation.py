"""Stars that a pool lacks: its mean spectrum elsewhere, with the residuals of two of its stars."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.composites.exposure import normalised
from pipeline.composites.mean_spectrum import MeanSpectrum, terms
from pipeline.composites.pairing import Couples
from pipeline.composites.pool import Pool, joined_pools
from pipeline.composites.sums import (
    Float32Array,
    FloatArray,
    Light,
    Stored,
    photon_weights,
    star_light,
)
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.resampling import resample
from pipeline.stars.dwarf_mass import dwarf_mass

IntArray = NDArray[np.int64]

LARGEST_ANGLE = np.pi / 2
"""Residuals are mixed by the cosine and the sine of an angle up to this, so both keep their sign:
the scatter of stars is skewed (unresolved companions, rotation, emission in lines)."""


class Variation(NamedTuple):
    """What makes B new stars out of B stars of a pool.

    The new star is mean(t', z') + cosine (star - mean(t, z)) + sine (other - its mean), where the
    sum of the squares of cosine and sine is 1, so that the scatter is that of the pool.

    Parameters
    ----------
    other : Stored
        Spectra of stars of nearly the same labels.
    cosine_B, sine_B : ndarray of float64, (B,)
        Shares of the two residuals.
    shift_BL : ndarray of float32, (B, L)
        mean(t', z') - cosine mean(t, z) in the rest frame; the means are normalised flux less 1.
    other_mean_BL : ndarray of float32, (B, L)
        Mean at the labels of the other star.
    """

    other: Stored
    cosine_B: FloatArray
    sine_B: FloatArray
    shift_BL: Float32Array
    other_mean_BL: Float32Array

    def take(self, rows: IntArray) -> "Variation":
        """Return some of the stars.

        Parameters
        ----------
        rows : ndarray of int64
            Which of them.
        """
        return Variation(
            self.other.take(rows), self.cosine_B[rows], self.sine_B[rows], self.shift_BL[rows],
            self.other_mean_BL[rows],
        )  # fmt: skip


class Varied(NamedTuple):
    """Couples of new stars: a pool of their own, the spectra they grow from, and the change."""

    pool: Pool
    stored: Stored
    couples: Couples
    change: Variation


@dataclass(frozen=True)
class Neighbourhood:
    """A pool, its spectra, their mean, and which stars are near which.

    Parameters
    ----------
    pool, stored : Pool, Stored
        The stars and their spectra.
    mean : MeanSpectrum
        Their mean spectrum.
    near_BK : ndarray of int64, (B, K)
        Rows of the nearest *other* stars by log Teff and [Fe/H].
    """

    pool: Pool
    stored: Stored
    mean: MeanSpectrum
    near_BK: IntArray

    def varied(
        self, rng: np.random.Generator, couples: Couples, settings: CompositeSettings
    ) -> Varied:
        """Draw a new star for each of every couple; all three move by the same labels.

        Parameters
        ----------
        rng : numpy.random.Generator
            Random numbers.
        couples : Couples
            Rows of the pool.
        settings : CompositeSettings
            How far the labels move.

        Returns
        -------
        Varied
            A couple keeps its labels where one of its stars would leave the main sequence.
        """
        roles = (couples.primary_D, couples.twin_D, couples.companion_D)
        n, rows = len(couples.primary_D), np.concatenate(roles)
        pool = joined_pools(*(self.pool.take(role) for role in roles))
        step_D = 10 ** (settings.vary_teff_dex * rng.standard_normal(n))
        lift_D = settings.vary_feh_dex * rng.standard_normal(n)
        moved = _moved(pool, np.tile(step_D, 3), np.tile(lift_D, 3), settings)
        stays = np.tile(~np.isfinite(moved.mass_msun.reshape(3, n)).all(axis=0), 3)
        moved = _chosen(stays, pool, moved)
        angle_B = LARGEST_ANGLE * rng.random(len(rows))
        other_B = self.near_BK[rows, rng.integers(self.near_BK.shape[1], size=len(rows))]
        cosine_B, sine_B = np.cos(angle_B), np.sin(angle_B)
        shift_BK = terms(moved.teff_k, moved.feh) - cosine_B[:, None] * terms(pool.teff_k, pool.feh)
        other = self.pool.take(other_B)
        change = Variation(
            self.stored.take(other_B), cosine_B, sine_B, self.mean.at(shift_BK),
            self.mean.at(terms(other.teff_k, other.feh)),
        )  # fmt: skip
        first = np.arange(n)
        return Varied(
            moved, self.stored.take(rows), Couples(first, first + n, first + 2 * n), change
        )


def nearest_stars(pool: Pool, n: int) -> IntArray:
    """Find for each spectrum the nearest ones of other stars, by log Teff and [Fe/H].

    Parameters
    ----------
    pool : Pool
        At least two stars.
    n : int
        How many; fewer where the pool has fewer.

    Returns
    -------
    ndarray of int64, (B, n)
        Rows of the pool, each label counted in its standard deviations.
    """
    labels_B2 = np.stack([np.log(pool.teff_k), pool.feh], axis=1)
    labels_B2 /= np.maximum(labels_B2.std(axis=0), 1e-6)
    _, most = np.unique(pool.star, return_counts=True)
    n = min(n, len(pool) - int(most.max()))
    _, near_BK = cKDTree(labels_B2).query(labels_B2, n + int(most.max()))
    # A stable sort puts the star's own spectra last and keeps the order of distance.
    own_BK = pool.star[near_BK] == pool.star[:, None]
    order_BK = np.argsort(own_BK, axis=1, kind="stable")
    return np.asarray(np.take_along_axis(near_BK, order_BK, axis=1)[:, :n], np.int64)


def varied_light(
    stored: Stored,
    velocity_kms_B: FloatArray,
    m_g_B: FloatArray,
    change: Variation,
    settings: CompositeSettings,
    spectra: SpectraSettings,
) -> Light:
    """Light of new stars, as :func:`pipeline.composites.sums.star_light` gives that of stars.

    Continuum and bad pixels are those of the star that the new one grows from. Where only the
    other star has a bad pixel its residual counts as zero.

    Parameters
    ----------
    stored : Stored
        Spectra of the stars that the new ones grow from.
    velocity_kms_B : ndarray of float64, (B,)
        Velocity that the new star shall have on the grid.
    m_g_B : ndarray of float64, (B,)
        Absolute G magnitude of the new star.
    change : Variation
        The other stars and the means.
    settings, spectra : CompositeSettings, SpectraSettings
        The window; grid and continuum.

    Returns
    -------
    Light
        Its photons within the window are 10^(-0.4 M_G), as for a star.
    """
    own, other = (
        star_light(each, velocity_kms_B, m_g_B, settings, spectra)
        for each in (stored, change.other)
    )
    flux_BL, bad_BL, scale_BL = normalised(own, spectra)
    other_BL, lost_BL, other_scale_BL = normalised(other, spectra)
    shift_BL, mean_BL = (
        _at_velocity(rest_BL, velocity_kms_B, spectra)
        for rest_BL in (change.shift_BL, change.other_mean_BL)
    )
    cosine_B1, sine_B1 = (
        column[:, None].astype(np.float32) for column in (change.cosine_B, change.sine_B)
    )
    residual_BL = np.where(lost_BL, np.float32(0), other_BL - 1 - mean_BL)
    new_BL = 1 + shift_BL + cosine_B1 * (flux_BL - 1) + sine_B1 * residual_BL
    noise_BL = np.where(lost_BL, np.float32(0), other.variance_BL / other_scale_BL**2)
    variance_BL = cosine_B1**2 * own.variance_BL + (sine_B1 * scale_BL) ** 2 * noise_BL
    flux_BL = scale_BL * new_BL * ~bad_BL
    photon_L = photon_weights(WaveGrid.from_settings(spectra), settings)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio_B = (own.flux_BL @ photon_L) / (flux_BL @ photon_L)
    dark_B = ~(np.isfinite(ratio_B) & (ratio_B > 0))
    bad_BL = bad_BL | dark_B[:, None]
    ratio_B1 = np.where(dark_B, 0, ratio_B)[:, None].astype(np.float32)
    return Light(flux_BL * ratio_B1 * ~bad_BL, variance_BL * ratio_B1**2 * ~bad_BL, bad_BL)


def _at_velocity(
    rest_BL: Float32Array, velocity_kms_B: FloatArray, spectra: SpectraSettings
) -> Float32Array:
    """Shift from the rest frame; zero where the rest frame's grid does not reach."""
    grid = WaveGrid.from_settings(spectra)
    first_B = np.full(len(rest_BL), grid.log10_first)
    none_BL = np.zeros(rest_BL.shape, np.bool_)
    moved_BL, _, _ = resample(rest_BL, None, none_BL, first_B, grid, -velocity_kms_B)
    return np.asarray(moved_BL)


def _moved(pool: Pool, step_B: FloatArray, lift_B: FloatArray, settings: CompositeSettings) -> Pool:
    teff_B, feh_B = pool.teff_k * step_B, pool.feh + lift_B
    mass_B, m_g_B = dwarf_mass(teff_B, feh_B, settings.log_age)
    return replace(pool, teff_k=teff_B, feh=feh_B, mass_msun=mass_B, m_g=m_g_B)


def _chosen(stays_B: NDArray[np.bool_], pool: Pool, moved: Pool) -> Pool:
    names = ("teff_k", "feh", "mass_msun", "m_g")
    columns = {k: np.where(stays_B, getattr(pool, k), getattr(moved, k)) for k in names}
    return replace(moved, **columns)
