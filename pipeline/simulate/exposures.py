"""One visit of a field: spectra as arrays, and what the pipeline measures on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.fibres import N_PIXEL, STEP, Fibres, draw_fibres
from pipeline.simulate.instrument import mean_snr, observe
from pipeline.simulate.parameters import StellarParameters, measure
from pipeline.simulate.population import Population
from pipeline.stars.binary import components_of
from pipeline.stars.composite import composite_flux
from pipeline.stars.orbits import Orbits, velocities
from pipeline.stars.scatter import StarScatter

SNR_WINDOWS = ((3700.0, 3950.0), (4200.0, 5300.0), (5600.0, 7000.0), (7000.0, 8200.0),
               (8200.0, 9000.0))  # fmt: skip
"""Where SNRU to SNRZ are taken. [source for g: headers of public files; others: assumed]"""

CONTINUUM_PIXELS = 301


@dataclass(frozen=True)
class Exposures:
    """V spectra of one visit.

    Parameters
    ----------
    star_V : ndarray of intp, (V,)
        Rows of the field's stars.
    flux_VN, ivar_VN : ndarray of float32, (V, N)
        Flux and inverse variance, arbitrary units.
    norm_VN : ndarray of float32, (V, N)
        The survey's own normalised flux.
    andmask_VN, ormask_VN : ndarray of float32, (V, N)
        As in files; 0 where nothing is flagged.
    fibres : Fibres
        Grids.
    snr_V5 : ndarray of float64, (V, 5)
        S/N in u, g, r, i, z.
    velocity_V2 : ndarray of float64, (V, 2)
        True velocities of both stars in km/s.
    measured : StellarParameters
        The pipeline's parameters.
    """

    star_V: NDArray[np.intp]
    flux_VN: NDArray[np.float32]
    ivar_VN: NDArray[np.float32]
    norm_VN: NDArray[np.float32]
    andmask_VN: NDArray[np.float32]
    ormask_VN: NDArray[np.float32]
    fibres: Fibres
    snr_V5: NDArray[np.float64]
    velocity_V2: NDArray[np.float64]
    measured: StellarParameters


def expose(
    telescope: np.random.Generator,
    pipeline: np.random.Generator,
    stars: Population,
    scatter: list[StarScatter],
    rows: NDArray[np.intp],
    mjd_utc: float,
    settings: SimulateSettings,
) -> Exposures:
    """Observe some of a field's stars at one time.

    Parameters
    ----------
    telescope, pipeline : numpy.random.Generator
        Random numbers of the instrument and of the measurement.
    stars : Population
        All stars of the field.
    scatter : list of StarScatter
        Of their primaries and secondaries: a star looks the same on every visit.
    rows : ndarray of intp, (V,)
        Stars observed.
    mjd_utc : float
        Middle of the exposure.
    settings : SimulateSettings
        Priors.

    Returns
    -------
    Exposures
        One spectrum per star observed.
    """
    systems = stars.systems.take(rows)
    orbits = Orbits(*(getattr(stars.orbits, name)[rows] for name in Orbits.__annotations__))
    shines = systems.light_B2 > 0
    velocity_V2 = stars.systemic_kms[rows, None] + velocities(orbits, mjd_utc) * (
        stars.kind[rows, None] == "pair"
    )
    low, high = np.log(settings.snr_min), np.log(settings.snr_max)
    snr_V = np.exp(telescope.uniform(low, high, len(rows)))
    fibres = draw_fibres(telescope, len(rows), settings.instrument)
    ideal_VN = composite_flux(
        components_of(systems, velocity_V2, [s.take(rows) for s in scatter]),
        fibres.resolution_B, fibres.log10_first_B, N_PIXEL, settings.scatter,
    )  # fmt: skip
    flux_VN, ivar_VN = observe(telescope, ideal_VN, snr_V, fibres, settings.instrument)
    measured = measure(
        pipeline, systems.light_B2, systems.teff_B2, systems.logg_B2, systems.mh, velocity_V2,
        snr_V, settings.errors,
    )  # fmt: skip
    andmask_VN, ormask_VN = _masks(telescope, ivar_VN)
    return Exposures(
        star_V=rows,
        flux_VN=flux_VN,
        ivar_VN=ivar_VN,
        norm_VN=_normalise(flux_VN, ivar_VN),
        andmask_VN=andmask_VN,
        ormask_VN=ormask_VN,
        fibres=fibres,
        snr_V5=_snr(flux_VN, ivar_VN, snr_V),
        velocity_V2=np.where(shines, velocity_V2, np.nan),
        measured=measured,
    )


def wavelengths(log10_first: float, n_pixel: int) -> NDArray[np.float32]:
    """Vacuum wavelengths as the files give them.

    Parameters
    ----------
    log10_first : float
        log10 of the first one in Angstrom.
    n_pixel : int
        Number of pixels, N.

    Returns
    -------
    ndarray of float32, (N,)
        In Angstrom.
    """
    return np.asarray(10 ** (log10_first + STEP * np.arange(n_pixel)), dtype=np.float32)


def _snr(
    flux_VN: NDArray[np.float32], ivar_VN: NDArray[np.float32], snr_g_V: NDArray[np.float64]
) -> NDArray[np.float64]:
    """S/N in u, g, r, i, z; -9999 where a whole window is lost."""
    snr_V5 = np.stack([mean_snr(flux_VN, ivar_VN, window) for window in SNR_WINDOWS], axis=1)
    snr_V5[:, 1] = snr_g_V
    return np.where(snr_V5 == 0, -9999.0, snr_V5)


def _masks(
    rng: np.random.Generator, ivar_VN: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Masks as in the survey: set only where ivar is 0, and there not always."""
    flagged_V1 = rng.random((len(ivar_VN), 1)) < 0.25
    andmask = ((ivar_VN == 0) & flagged_V1).astype(np.float32)
    ormask = np.where(rng.random(ivar_VN.shape, dtype=np.float32) < 0.002, np.float32(4), andmask)
    return andmask, np.asarray(ormask, dtype=np.float32)


def _normalise(flux_VN: NDArray[np.float32], ivar_VN: NDArray[np.float32]) -> NDArray[np.float32]:
    """Flux over its running mean of good pixels, 1 where there are none."""
    good_VN = (ivar_VN > 0).astype(np.float32)
    level_V1 = np.maximum(np.abs(flux_VN).mean(axis=1, keepdims=True), np.float32(1e-6))
    unit_VN = flux_VN / level_V1
    total_VN = uniform_filter1d(unit_VN * good_VN, CONTINUUM_PIXELS, axis=1)
    weight_VN = uniform_filter1d(good_VN, CONTINUUM_PIXELS, axis=1)
    usable_VN = (weight_VN > 0.02) & (total_VN > 0.02 * weight_VN)
    smooth_VN = np.where(usable_VN, total_VN / np.maximum(weight_VN, 0.01), 1)
    return np.asarray(np.where(usable_VN, unit_VN / smooth_VN, 1), dtype=np.float32)
