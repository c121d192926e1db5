"""The speed of light, and what a radial velocity does to wavelengths."""

import numpy as np
from array_api_compat import array_namespace

from pipeline.spectra.arrays import Array

SPEED_OF_LIGHT_KMS = 299_792.458


def log10_doppler(velocity_kms_B: Array) -> Array:
    """Return log10 of observed over emitted wavelength: sqrt((1 + b) / (1 - b)) with b = v / c.

    This is the longitudinal relativistic Doppler effect.

    Parameters
    ----------
    velocity_kms_B : array of float64, (B,)
        Radial velocity, positive for a receding star; below the speed of light.

    Returns
    -------
    array of float64, (B,)
        In dex.
    """
    xp = array_namespace(velocity_kms_B)
    return xp.atanh(velocity_kms_B / SPEED_OF_LIGHT_KMS) / np.log(10.0)
