"""Gaia and 2MASS measurements of the stars: magnitudes of the blend, parallaxes, errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.population import Population, blend_mag
from pipeline.stars.isochrone import BANDS

OBLIQUITY_RAD = np.deg2rad(23.4392911)
K_PM = 4.74047
"""km/s per (arcsec/yr pc)."""

TANGENTIAL_SIGMA_KMS = 35.0
X_ITERATIONS = 20
SDSS_EXTINCTION = {"sdss_g": 3.303, "sdss_r": 2.285, "sdss_i": 1.698}
"""A over E(B-V). [source: Schlafly & Finkbeiner 2011]"""


@dataclass(frozen=True)
class ObservedSources:
    """Measured quantities of S sources.

    Parameters
    ----------
    mag_SK, mag_error_SK : ndarray of float64, (S, K)
        Apparent magnitudes in ``BANDS`` of the unresolved light, and their errors.
    parallax_mas, parallax_error_mas, pmra_masyr, pmdec_masyr, ruwe : ndarray of float64, (S,)
        Astrometry.
    """

    mag_SK: NDArray[np.float64]
    mag_error_SK: NDArray[np.float64]
    parallax_mas: NDArray[np.float64]
    parallax_error_mas: NDArray[np.float64]
    pmra_masyr: NDArray[np.float64]
    pmdec_masyr: NDArray[np.float64]
    ruwe: NDArray[np.float64]


def extinction(bp_rp: NDArray[np.float64], e_bv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Extinction in ``BANDS``.

    Parameters
    ----------
    bp_rp : ndarray of float64, (S,)
        Intrinsic colour in magnitudes.
    e_bv : ndarray of float64, (S,)
        Reddening in magnitudes.

    Returns
    -------
    ndarray of float64, (S, K)
        In magnitudes.

    Notes
    -----
    Casagrande et al. 2021, MNRAS 507, 2684 (``colte``), for E(B-V) on the scale of SFD; their X
    is the observed (BP-RP) - 0.8 E(B-V), near the intrinsic colour but not equal to it, since BP
    and RP redden by more; it is solved for.
    """
    x = bp_rp
    for _ in range(X_ITERATIONS):
        r_bp, r_rp = 2.998 - 0.140 * x - 0.175 * x**2 + 0.062 * x**3, 1.689 - 0.059 * x
        x = bp_rp + (r_bp - r_rp - 0.8) * e_bv
    ratio = {
        "g_mag": 2.609 - 0.475 * x + 0.053 * x**2,
        "bp_mag": 2.998 - 0.140 * x - 0.175 * x**2 + 0.062 * x**3,
        "rp_mag": 1.689 - 0.059 * x,
        "j_mag": np.full_like(x, 0.719),
        "h_mag": np.full_like(x, 0.455),
        "ks_mag": np.full_like(x, 0.306),
    } | {band: np.full_like(x, value) for band, value in SDSS_EXTINCTION.items()}
    return np.stack([ratio[band] * e_bv for band in BANDS], axis=1)


def observe_sources(rng: np.random.Generator, stars: Population) -> ObservedSources:
    """Measure the blended light and the astrometry of every system, without its zero point.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    stars : Population
        The systems.

    Returns
    -------
    ObservedSources
        One source per system.
    """
    n = len(stars.distance_pc)
    absolute_SK = blend_mag(stars.systems)
    bp_rp = absolute_SK[:, BANDS.index("bp_mag")] - absolute_SK[:, BANDS.index("rp_mag")]
    true_SK = absolute_SK + 5 * np.log10(stars.distance_pc / 10)[:, None]
    true_SK += extinction(bp_rp, stars.e_bv)
    g = true_SK[:, BANDS.index("g_mag")]
    faint = 10 ** (0.3 * (g - 16))
    error_SK = np.stack(
        [
            {"g_mag": 0.0028 + 0 * g, "bp_mag": 0.003 + 0.008 * faint,
             "rp_mag": 0.004 + 0.006 * faint}.get(band, 0.02 + 0.02 * faint)
            for band in BANDS
        ],
        axis=1,
    )  # fmt: skip
    parallax_error = 0.013 + 0.025 * 10 ** (0.2 * (g - 16)) * (g > 13)
    parallax = 1000 / stars.distance_pc
    speed = rng.normal(0, TANGENTIAL_SIGMA_KMS, (n, 2))
    motion = 1000 * speed / K_PM / stars.distance_pc[:, None]
    # The photocentre of pairs with periods of months to years moves.
    wobble = (stars.kind == "pair") & (np.abs(np.log10(stars.orbits.period_day) - 2.8) < 0.7)
    excess = np.where(wobble, rng.exponential(3.0, n) * 200 / stars.distance_pc, 0.0)
    return ObservedSources(
        mag_SK=true_SK + error_SK * rng.standard_normal(true_SK.shape),
        mag_error_SK=error_SK,
        parallax_mas=parallax + parallax_error * rng.standard_normal(n),
        parallax_error_mas=parallax_error,
        pmra_masyr=motion[:, 0],
        pmdec_masyr=motion[:, 1],
        ruwe=np.clip(rng.normal(1.0, 0.05, n), 0.85, 1.3) + excess,
    )


def effective_wavenumber(bp_rp: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return nu_eff from colour (Lindegren et al. 2021, A&A 649, A2, eq. 3).

    Parameters
    ----------
    bp_rp : ndarray of float64, (S,)
        Observed colour in magnitudes.

    Returns
    -------
    ndarray of float64, (S,)
        In 1/micrometre.
    """
    return np.asarray(1.76 - 1.61 / np.pi * np.arctan(0.531 * bp_rp))


def ecliptic_latitude(
    ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Ecliptic latitude (J2000).

    Parameters
    ----------
    ra_deg, dec_deg : ndarray of float64, (S,)
        Positions.

    Returns
    -------
    ndarray of float64, (S,)
        In degrees.
    """
    ra, dec = np.deg2rad(ra_deg), np.deg2rad(dec_deg)
    sine = np.sin(dec) * np.cos(OBLIQUITY_RAD) - np.cos(dec) * np.sin(OBLIQUITY_RAD) * np.sin(ra)
    return np.asarray(np.rad2deg(np.arcsin(np.clip(sine, -1, 1))))
