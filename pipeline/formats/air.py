"""Wavelengths in air and in vacuum."""

import numpy as np

from pipeline.formats.pixels import Floats


def vacuum_from_air(air_N: Floats) -> Floats:
    """Return vacuum wavelengths of wavelengths in dry air at 15 C and one atmosphere.

    The inverse of Ciddor (1996, Applied Optics 35, 1566) by N. Piskunov, as VALD states it;
    within 0.0001 Angstrom between 2,000 and 100,000 Angstrom.

    Parameters
    ----------
    air_N : ndarray of float64, (N,)
        Wavelengths in air, Angstrom.

    Returns
    -------
    ndarray of float64, (N,)
        Wavelengths in vacuum, Angstrom.
    """
    square_N = np.square(1e4 / air_N)
    refraction_N = (
        1.0
        + 8.336624212083e-5
        + 2.408926869968e-2 / (130.1065924522 - square_N)
        + 1.599740894897e-4 / (38.92568793293 - square_N)
    )
    return air_N * refraction_N
