"""Model spectra of cool stars: one model for every temperature, as two matrix products."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from pipeline.stars.products import product

LABEL_MIN = np.array([3500.0, 0.0, -2.5])
"""Lowest Teff (K), log g and [M/H] of the spectra that the model was trained on."""

LABEL_MAX = np.array([8000.0, 5.0, 0.5])
"""Highest Teff (K), log g and [M/H] of the spectra that the model was trained on."""

FLUX_MIN, FLUX_MAX = 1e-3, 1.02
"""Normalised flux is cut to this range: the cubic overshoots in a few pixels."""


@dataclass(frozen=True)
class Templates:
    """Coefficients of the model on its grid.

    Parameters
    ----------
    log10_wave_P : ndarray of float64, (P,)
        log10 of the vacuum wavelength in Angstrom, step 2.5e-5.
    line_IP, continuum_IP : ndarray of float32, (I, P)
        Coefficients of the normalised flux and of log10 of the continuum.
    exponents_I3 : ndarray of float64, (I, 3)
        Powers of the three labels in each term.
    line_scaling_23, continuum_scaling_23 : ndarray of float64, (2, 3)
        Offset and scale of (Teff, log g, [M/H]) for either product.
    resolution : float
        Resolving power of the spectra.
    """

    log10_wave_P: NDArray[np.float64]
    line_IP: NDArray[np.float32]
    continuum_IP: NDArray[np.float32]
    exponents_I3: NDArray[np.float64]
    line_scaling_23: NDArray[np.float64]
    continuum_scaling_23: NDArray[np.float64]
    resolution: float

    @property
    def step(self) -> float:
        """Return the step of the grid in log10 wavelength."""
        first, last = self.log10_wave_P[0], self.log10_wave_P[-1]
        return float(last - first) / (len(self.log10_wave_P) - 1)


@lru_cache(maxsize=1)
def load_templates() -> Templates:
    """Read the model that comes with the package (thedoppler 1.1.32, D. Nidever)."""
    path = files("pipeline.stars") / "data" / "cannon_cool_R2500.npz"
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
        return Templates(
            log10_wave_P=arrays["loglam_vac"],
            line_IP=np.ascontiguousarray(arrays["theta"].T),
            continuum_IP=np.ascontiguousarray(arrays["cont_theta"].T),
            exponents_I3=arrays["exponents"],
            line_scaling_23=np.stack([arrays["fid"], arrays["scales"]]),
            continuum_scaling_23=np.stack([arrays["cfid"], arrays["cscales"]]),
            resolution=float(arrays["R0"]),
        )


def check_labels(labels_B3: NDArray[np.float64]) -> None:
    """Refuse labels that the model was not trained for.

    Parameters
    ----------
    labels_B3 : ndarray of float64, (B, 3)
        Teff (K), log g and [M/H].

    Raises
    ------
    ValueError
        A label is not finite or outside ``LABEL_MIN`` .. ``LABEL_MAX``.
    """
    inside_B3 = (labels_B3 >= LABEL_MIN) & (labels_B3 <= LABEL_MAX)
    if not inside_B3.all():
        row = int(np.flatnonzero(~inside_B3.all(axis=1))[0])
        raise ValueError(
            f"no model spectrum for (Teff, log g, [M/H]) = {labels_B3[row].tolist()} (row {row}); "
            f"valid from {LABEL_MIN.tolist()} to {LABEL_MAX.tolist()}: clip the labels first"
        )


def _terms(
    labels_B3: NDArray[np.float64], exponents_I3: NDArray[np.float64], scaling: NDArray[np.float64]
) -> NDArray[np.float32]:
    scaled_B3 = (labels_B3 - scaling[0]) / scaling[1]
    return np.asarray(np.prod(scaled_B3[:, None, :] ** exponents_I3, axis=2), dtype=np.float32)


def normalised_flux(labels_B3: NDArray[np.float64]) -> NDArray[np.float32]:
    """Normalised flux of single stars at R = 2500.

    Parameters
    ----------
    labels_B3 : ndarray of float64, (B, 3)
        Teff (K), log g and [M/H].

    Returns
    -------
    ndarray of float32, (B, P)
        Flux over the continuum, between ``FLUX_MIN`` and ``FLUX_MAX``.

    Raises
    ------
    ValueError
        Labels outside the model's validity.

    Notes
    -----
    A cubic in the three labels at each pixel: The Cannon, Ness et al. 2015, ApJ 808, 16.
    """
    check_labels(labels_B3)
    model = load_templates()
    terms_BI = _terms(labels_B3, model.exponents_I3, model.line_scaling_23)
    flux_BP = product(terms_BI, model.line_IP)
    clipped: NDArray[np.float32] = np.clip(flux_BP, FLUX_MIN, FLUX_MAX, out=flux_BP)
    return clipped


def continuum(labels_B3: NDArray[np.float64]) -> NDArray[np.float32]:
    """Continuum of single stars: flux per unit surface and wavelength, comparable between stars.

    Parameters
    ----------
    labels_B3 : ndarray of float64, (B, 3)
        Teff (K), log g and [M/H].

    Returns
    -------
    ndarray of float32, (B, P)
        Arbitrary units, the same for all stars.

    Raises
    ------
    ValueError
        Labels outside the model's validity.
    """
    check_labels(labels_B3)
    model = load_templates()
    terms_BI = _terms(labels_B3, model.exponents_I3, model.continuum_scaling_23)
    flux_BP = product(terms_BI, model.continuum_IP)
    flux_BP *= np.float32(np.log(10))
    return np.exp(flux_BP, out=flux_BP)
