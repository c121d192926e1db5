"""Distances: parallaxes without their zero point, or those of Bailer-Jones."""

from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GEOMETRIC, PARALLAX = "bailer_jones_geometric", "parallax"
FIVE, SIX = 31, 95
"""``astrometric_params_solved`` of five- and six-parameter solutions."""

G_RANGE = (6.0, 21.0)
NU_EFF_RANGE = (1.1, 1.9)
PSEUDOCOLOUR_RANGE = (1.24, 1.72)
"""Where the zero point is valid, exclusive. [source: Lindegren et al. 2021, gaiadr3-zeropoint]"""


@dataclass(frozen=True)
class Distances:
    """Distances of S stars.

    Parameters
    ----------
    distance_pc, error_pc : numpy.ndarray
        NaN where there is none.
    source : numpy.ndarray
        ``bailer_jones_geometric``, ``parallax`` or None.
    """

    distance_pc: Floats
    error_pc: Floats
    source: NDArray[np.object_]


@cache
def _zero_point_package() -> ModuleType:
    from zero_point import zpt

    zpt.load_tables()
    return zpt  # type: ignore[no-any-return]


def zero_points(
    g_mag: Floats,
    nu_eff: Floats,
    pseudocolour: Floats,
    ecl_lat_deg: Floats,
    params_solved: Floats,
) -> Floats:
    """Return the zero point of Gaia's parallaxes in mas, to subtract.

    Parameters
    ----------
    g_mag : numpy.ndarray
        G.
    nu_eff, pseudocolour : numpy.ndarray
        Effective wavenumbers in 1/micrometre of five- and of six-parameter solutions.
    ecl_lat_deg : numpy.ndarray
        Ecliptic latitude.
    params_solved : numpy.ndarray
        Gaia's ``astrometric_params_solved``.

    Returns
    -------
    numpy.ndarray
        NaN where it is not valid: other solutions, 6 < G < 21 not met, colours out of range,
        a value missing.

    Notes
    -----
    Lindegren et al. 2021, A&A 649, A4, by their package ``gaiadr3-zeropoint``.
    """
    five, six = params_solved == FIVE, params_solved == SIX
    colour = (five & _between(nu_eff, NU_EFF_RANGE)) | (
        six & _between(pseudocolour, PSEUDOCOLOUR_RANGE)
    )
    valid = colour & _between(g_mag, G_RANGE) & np.isfinite(ecl_lat_deg)
    result = np.full(len(g_mag), np.nan)
    if valid.any():
        # The package takes no NaN in the colour that a solution does not use.
        result[valid] = _zero_point_package().get_zpt(
            g_mag[valid],
            np.where(five, nu_eff, np.mean(NU_EFF_RANGE))[valid],
            np.where(six, pseudocolour, np.mean(PSEUDOCOLOUR_RANGE))[valid],
            ecl_lat_deg[valid],
            params_solved[valid],
        )
    return result


def distances(
    parallax_mas: Floats,
    parallax_error_mas: Floats,
    zero_point_mas: Floats,
    geometric_pc: tuple[Floats, Floats, Floats],
    min_parallax_snr: float,
) -> Distances:
    """Choose the distance of each star.

    Parameters
    ----------
    parallax_mas, parallax_error_mas : numpy.ndarray
        As Gaia gives them.
    zero_point_mas : numpy.ndarray
        To subtract; NaN counts as 0.
    geometric_pc : tuple of numpy.ndarray
        Median, 16th and 84th percentile of the geometric distance of Bailer-Jones et al. 2021;
        NaN where not given. Their photogeometric distance is never used: its prior takes every
        star for single, which hides the brightness that gives pairs away.
    min_parallax_snr : float
        Without them, 1/parallax counts only above this parallax over error.
    """
    corrected = parallax_mas - np.nan_to_num(zero_point_mas)
    median, low, high = geometric_pc
    geometric = median > 0
    inverse = ~geometric & (corrected > min_parallax_snr * parallax_error_mas)
    safe = np.where(inverse, corrected, np.nan)
    source = np.full(len(corrected), None, dtype=object)
    source[inverse] = PARALLAX
    source[geometric] = GEOMETRIC
    return Distances(
        np.where(geometric, median, 1000 / safe),
        np.where(geometric, (high - low) / 2, 1000 * parallax_error_mas / safe**2),
        source,
    )


def _between(value: Floats, limits: tuple[float, float]) -> NDArray[np.bool_]:
    return np.asarray((value > limits[0]) & (value < limits[1]))
