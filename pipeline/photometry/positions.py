"""Directions on the sky as unit vectors: exact at the poles and where right ascension wraps."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ARCSEC = np.deg2rad(1 / 3600)
J2000_MJD = 51544.5
DAYS_A_YEAR = 365.25


def unit_vectors(ra_deg: Floats, dec_deg: Floats) -> Floats:
    """Return directions as unit vectors, shape (S, 3)."""
    ra, dec = np.deg2rad(ra_deg), np.deg2rad(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def degrees(direction_S3: Floats) -> tuple[Floats, Floats]:
    """Return right ascension in [0, 360) and declination of directions, in degrees."""
    x, y, z = np.moveaxis(direction_S3, -1, 0)
    ra = np.mod(np.rad2deg(np.arctan2(y, x)), 360)
    return np.where(ra == 360, 0.0, ra), np.rad2deg(np.arctan2(z, np.hypot(x, y)))


def propagate(
    ra_deg: Floats, dec_deg: Floats, pmra_masyr: Floats, pmdec_masyr: Floats, years: Floats
) -> Floats:
    """Move stars along their proper motion.

    Parameters
    ----------
    ra_deg, dec_deg : numpy.ndarray
        Position at the reference epoch, shape (S,).
    pmra_masyr, pmdec_masyr : numpy.ndarray
        Proper motion at the reference epoch, that in right ascension times cos(dec); NaN where
        it is not known, which is taken as none.
    years : numpy.ndarray
        Julian years from the reference epoch.

    Returns
    -------
    numpy.ndarray
        Unit vectors, shape (S, 3).

    Notes
    -----
    A straight line in space without radial motion (The Hipparcos Catalogue, ESA SP-1200, vol. 1,
    section 1.5.5, with zero radial velocity): u(t) = <u + t (p mu_a + q mu_d)>, where p and q
    point east and north.
    """
    ra, dec = np.deg2rad(ra_deg), np.deg2rad(dec_deg)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
    step_ra, step_dec = (
        (np.nan_to_num(motion) * years * 1e-3 * ARCSEC)[..., None]
        for motion in (pmra_masyr, pmdec_masyr)
    )
    moved = unit_vectors(ra_deg, dec_deg) + east * step_ra + north * step_dec
    return np.asarray(moved / np.linalg.norm(moved, axis=-1, keepdims=True))


def separation_arcsec(first_S3: Floats, second_S3: Floats) -> Floats:
    """Return the angle between directions in arcsec; exact for small angles."""
    half = np.linalg.norm(first_S3 - second_S3, axis=-1) / 2
    return np.asarray(2 * np.arcsin(np.clip(half, 0, 1)) / ARCSEC)


def chord(angle_arcsec: Floats | float) -> Floats:
    """Return the distance of two unit vectors at an angle."""
    return np.asarray(2 * np.sin(np.asarray(angle_arcsec) * ARCSEC / 2))


def julian_year(mjd: Floats) -> Floats:
    """Return the epoch in Julian years of a modified Julian date."""
    return np.asarray(2000.0 + (mjd - J2000_MJD) / DAYS_A_YEAR)
