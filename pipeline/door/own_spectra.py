"""Spectra of any survey on the wavelength grid of the store."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from pipeline.core.errors import InputError
from pipeline.formats.pixels import COPIED, in_range
from pipeline.lamost.identity import SENTINELS
from pipeline.network.ensemble import Answer, get_ensemble
from pipeline.network.members import EnsemblePlan
from pipeline.settings.infer import InferSettings
from pipeline.spectra.masking import bad_pixels
from pipeline.spectra.prepare import network_input
from schemas.store import LOG10_STEP


@dataclass(frozen=True)
class OwnSpectra:
    """B spectra as the store has them.

    Parameters
    ----------
    flux_BN, ivar_BN : ndarray of float32, (B, N)
        Flux in the user's unit, or a power of ten of it, and its inverse variance; zero where a
        pixel is bad.
    log10_first_B : ndarray of float64, (B,)
        log10 of the first wavelength in Angstrom.
    n_pixel_B : ndarray of int32, (B,)
        Pixels that hold data.
    """

    flux_BN: NDArray[np.float32]
    ivar_BN: NDArray[np.float32]
    log10_first_B: NDArray[np.float64]
    n_pixel_B: NDArray[np.int32]


def own_spectra(flux: ArrayLike, ivar: ArrayLike | None, wave_angstrom: ArrayLike) -> OwnSpectra:
    """Bring spectra to the store's step of 1e-4 in log10(wavelength).

    Pixels that lie on such a grid already (SDSS, LAMOST) are kept as they are. Others are averaged
    over the new pixels, weighted by overlap, so that flux density is conserved. A new pixel is bad
    if one of the old pixels below it is. The resolution stays: smooth spectra of more than
    R = 1800 first.

    Parameters
    ----------
    flux : array_like of float, (N,) or (B, N)
        Flux per wavelength, any unit.
    ivar : array_like of float, same shape, optional
        Inverse variance of the flux; 0, NaN or negative marks a bad pixel. Without it, pixels are
        good where the flux is finite.
    wave_angstrom : array_like of float, (N,) or (B, N)
        Vacuum wavelength of each pixel, rising.

    Returns
    -------
    OwnSpectra
        One row per spectrum.

    Raises
    ------
    InputError
        The shapes differ, or wavelengths do not rise.
    """
    flux_BN = np.atleast_2d(np.asarray(flux, np.float64))
    ivar_BN = np.isfinite(flux_BN) * 1.0 if ivar is None else np.atleast_2d(np.asarray(ivar, float))
    wave_BN = np.asarray(wave_angstrom, np.float64)
    if flux_BN.ndim != 2 or ivar_BN.shape != flux_BN.shape:
        raise InputError(
            f"flux of shape {np.shape(flux)} and ivar of shape {ivar_BN.shape}: both must be "
            "(pixels,) or (spectra, pixels)"
        )
    if wave_BN.shape not in {flux_BN.shape[1:], flux_BN.shape}:
        raise InputError(
            f"wave_angstrom has shape {wave_BN.shape}, the spectra {flux_BN.shape}: give one "
            "wavelength per pixel"
        )
    wave_BN = np.broadcast_to(wave_BN, flux_BN.shape)
    rising = (np.diff(wave_BN, axis=1) > 0).all() and (wave_BN[:, :1] > 0).all()
    if flux_BN.shape[1] < 2 or not rising or not np.isfinite(wave_BN).all():
        raise InputError("wave_angstrom must be positive and rise from pixel to pixel (Angstrom)")
    scaled = [in_range(*row) for row in zip(flux_BN, ivar_BN, strict=True)]
    rows = [_row(*row, wave_N) for row, wave_N in zip(scaled, wave_BN, strict=True)]
    return _stacked(rows)


def from_specutils(spectrum: Any) -> tuple[Any, Any, Any]:
    """Return flux, inverse variance and wavelength of a `specutils.Spectrum`.

    Parameters
    ----------
    spectrum : specutils.Spectrum
        Any object with ``flux``, ``spectral_axis`` (in vacuum), ``uncertainty`` and ``mask``.

    Returns
    -------
    tuple of (ndarray, ndarray or None, ndarray)
        As :func:`own_spectra` takes them.
    """
    import astropy.units as u
    from astropy.nddata import InverseVariance

    wave = spectrum.spectral_axis.to_value(u.AA, u.spectral())
    flux = np.asarray(spectrum.flux.value, float)
    uncertainty = spectrum.uncertainty
    ivar = None
    if uncertainty is not None:
        inverse = uncertainty.represent_as(InverseVariance)
        ivar = np.asarray(inverse.array, float)
    if spectrum.mask is not None:
        ivar = np.where(spectrum.mask, 0.0, np.isfinite(flux) * 1.0 if ivar is None else ivar)
    if wave[0] > wave[-1]:
        wave, flux = wave[::-1], flux[..., ::-1]
        ivar = None if ivar is None else ivar[..., ::-1]
    return flux, ivar, wave


Row = tuple[float, NDArray[np.float32], NDArray[np.float32]]


def _row(
    flux_N: NDArray[np.float64],
    ivar_N: NDArray[np.float64],
    wave_N: NDArray[np.float64],
) -> Row:
    """Bring one spectrum to the grid; return log10 of its first wavelength, flux and ivar."""
    good_N = ~bad_pixels(flux_N, ivar_N)
    log10_N = np.log10(wave_N)
    place_N = (log10_N - log10_N[0]) / LOG10_STEP
    if np.abs(place_N - np.arange(place_N.size)).max() <= COPIED:
        flux = np.where(good_N, flux_N, 0.0)
        return float(log10_N[0]), _float32(flux), _float32(np.where(good_N, ivar_N, 0.0))
    first, last = np.ceil(log10_N[0] / LOG10_STEP), np.floor(log10_N[-1] / LOG10_STEP)
    centre = np.arange(first, last + 1)
    edges = 10 ** (LOG10_STEP * np.append(centre - 0.5, centre[-1] + 0.5))
    middle = (wave_N[1:] + wave_N[:-1]) / 2
    own = np.concatenate(
        [[2 * wave_N[0] - middle[0]], middle, [2 * wave_N[-1] - middle[-1]]]
    )  # fmt: skip
    overlap = _overlap(own, edges)
    width = overlap.sum(axis=1)
    bad = (overlap @ (~good_N).astype(float)) > 0
    flux = overlap @ np.where(good_N, flux_N, 0.0) / width
    variance = np.divide(1.0, ivar_N, out=np.zeros_like(ivar_N), where=good_N)
    variance = overlap.power(2) @ variance / width**2
    bad |= variance <= 0
    ivar = np.divide(1.0, variance, out=np.zeros_like(variance), where=~bad)
    return float(first * LOG10_STEP), _float32(np.where(bad, 0.0, flux)), _float32(ivar)


def _float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _overlap(own: NDArray[np.float64], new: NDArray[np.float64]) -> csr_array:
    """Return the length that every new pixel (row) shares with every old one (column)."""
    cuts = np.union1d(own, new)
    cuts = cuts[(cuts >= max(own[0], new[0])) & (cuts <= min(own[-1], new[-1]))]
    middle, length = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts)
    row = np.searchsorted(new, middle) - 1
    column = np.searchsorted(own, middle) - 1
    return csr_array((length, (row, column)), shape=(new.size - 1, own.size - 1))


def _stacked(rows: list[Row]) -> OwnSpectra:
    """Pad rows at the right end to one width."""
    n_pixel = np.array([flux.size for _, flux, _ in rows], np.int32)
    flux_BN = np.zeros((len(rows), int(n_pixel.max())), np.float32)
    ivar_BN = np.zeros_like(flux_BN)
    for number, (_, flux, ivar) in enumerate(rows):
        flux_BN[number, : flux.size], ivar_BN[number, : ivar.size] = flux, ivar
    return OwnSpectra(flux_BN, ivar_BN, np.array([first for first, _, _ in rows]), n_pixel)


def classify(own: OwnSpectra, rv_kms: ArrayLike | None, plan: EnsemblePlan) -> pd.DataFrame:
    """Give spectra their binary probability.

    Parameters
    ----------
    own : OwnSpectra
        B spectra.
    rv_kms : array_like of float, () or (B,), optional
        Radial velocities; needed by networks of the rest frame.
    plan : EnsemblePlan
        The networks.

    Returns
    -------
    pandas.DataFrame
        As from `pipeline.door.open_run.OpenRun.predict`.

    Raises
    ------
    ValueError
        The network needs a velocity.
    """
    n_spectra = own.n_pixel_B.size
    velocity = None
    if rv_kms is not None:
        velocity = np.broadcast_to(np.asarray(rv_kms, np.float64), n_spectra)
        velocity = np.where(np.isin(velocity, list(SENTINELS)), np.nan, velocity)
    ready = network_input(
        own.flux_BN, own.ivar_BN, own.log10_first_B, own.n_pixel_B, velocity, plan.spectra
    )
    usable = np.asarray(ready.usable_B)
    answer = Answer(*(np.full(n_spectra, np.nan, np.float32) for _ in Answer._fields))
    unlike_B = np.zeros(n_spectra, bool)
    if usable.any():
        unlike_B[usable] = plan.unlike_training(ready.flux_BL[usable])
        found = get_ensemble(plan.members, InferSettings()).predict(ready.flux_BL[usable])
        for values, part in zip(answer, found, strict=True):
            values[usable] = part
    return pd.DataFrame(
        {
            "p_b": answer.p_b_B,
            "logit": answer.logit_B,
            "logit_spread": answer.spread_B,
            "bad_fraction": np.asarray(ready.bad_fraction_B),
            "unlike_training": unlike_B,
        }
    )
