"""What the survey's own pipeline would measure: temperature, gravity, metallicity, velocity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.simulate import CatalogueErrorSettings


@dataclass(frozen=True)
class StellarParameters:
    """Parameters of B spectra and the errors that a catalogue states.

    Parameters
    ----------
    teff_k, logg, feh, rv_kms : ndarray of float64, (B,)
        Measured Teff in K, log g (log10 cgs), [Fe/H] in dex and velocity in km/s.
    teff_error_k, logg_error, feh_error, rv_error_kms : ndarray of float64, (B,)
        Their errors, in the same units.
    """

    teff_k: NDArray[np.float64]
    logg: NDArray[np.float64]
    feh: NDArray[np.float64]
    rv_kms: NDArray[np.float64]
    teff_error_k: NDArray[np.float64]
    logg_error: NDArray[np.float64]
    feh_error: NDArray[np.float64]
    rv_error_kms: NDArray[np.float64]


def measure(
    rng: np.random.Generator,
    light_B2: NDArray[np.float64],
    teff_B2: NDArray[np.float64],
    logg_B2: NDArray[np.float64],
    mh_B: NDArray[np.float64],
    velocity_B2: NDArray[np.float64],
    snr_B: NDArray[np.float64],
    settings: CatalogueErrorSettings,
) -> StellarParameters:
    """Measure blends as a pipeline does that knows single stars only.

    A pair gets the mean of its stars' parameters, weighted by their g-band light. Errors grow
    towards low S/N as sqrt((30/SNR)^2 + 0.8^2), which is 1 at S/N 50.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    light_B2 : ndarray of float64, (B, 2)
        g-band light of both stars, any scale, 0 for a companion that is not there.
    teff_B2, logg_B2, velocity_B2 : ndarray of float64, (B, 2)
        Teff in K, log g (log10 cgs) and velocity in km/s of both stars; ignored where the light
        is 0.
    mh_B, snr_B : ndarray of float64, (B,)
        Metallicity in dex, and S/N in g.
    settings : CatalogueErrorSettings
        Size of the errors at S/N 50.

    Returns
    -------
    StellarParameters
        Measured values and their errors.
    """
    weight_B2 = light_B2 / light_B2.sum(axis=1, keepdims=True)

    def blend(value_B2: NDArray[np.float64]) -> NDArray[np.float64]:
        present = np.where(weight_B2 > 0, value_B2, 0.0)
        return np.asarray((weight_B2 * present).sum(axis=1))

    worse_B = np.sqrt((30 / snr_B) ** 2 + 0.8**2)
    sigmas = (
        settings.teff_sigma_k * worse_B,
        settings.logg_sigma * worse_B,
        settings.feh_sigma * worse_B,
        settings.rv_sigma_kms * worse_B,
    )
    truths = (blend(teff_B2), blend(logg_B2), mh_B, blend(velocity_B2))
    errors = rng.standard_normal((4, len(snr_B)))
    teff, logg, feh, rv = (t + s * e for t, s, e in zip(truths, sigmas, errors, strict=True))
    return StellarParameters(teff, logg, feh, rv, *sigmas)
