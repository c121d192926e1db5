"""Where a pair tells itself by the templates: Fisher information by wavelength, and named lines."""

from typing import NamedTuple

import numpy as np

from pipeline.limits.ideal import expose_exactly, nearest_single, single_spectra
from pipeline.limits.view import View
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.stars import ScatterSettings
from pipeline.simulate.fibres import N_PIXEL
from pipeline.stars.binary import Systems, build_systems, components_of
from pipeline.stars.composite import composite_flux
from pipeline.stars.isochrone import BANDS
from pipeline.stars.scatter import StarScatter

LINES = {
    "Ca II K": (3924, 3945), "Ca II H": (3959, 3982), "Hδ": (4092, 4113), "Ca I": (4218, 4236),
    "G band": (4282, 4320), "Hγ": (4330, 4352), "Hβ": (4848, 4878), "Mg b": (5155, 5200),
    "Fe": (5255, 5345), "Na D": (5876, 5908), "Ca I r": (6095, 6180), "Hα": (6545, 6585),
    "TiO": (7045, 7150), "K I": (7645, 7720), "Na I r": (8175, 8210), "Ca II T": (8490, 8700),
}  # fmt: skip
"""Bands of named lines in Angstrom (vacuum); `r`: the red ones of two."""

Q, STEP, SNR, LOG_AGE = 0.8, 0.02, 50.0, 9.3
MASSES = np.linspace(0.45, 1.5, 526)


class Information(NamedTuple):
    """What each pixel knows of the companion of a pair of solar [M/H], by L pixels.

    ``primary`` and ``colour``: Fisher information of q with the primary or the combined colour
    (G-Ks) held fixed, (df/dq)^2 ivar. ``single``: squared distance from the single star nearest
    to the pair, (f2 - f1)^2 ivar. ``depth``: how deep the pair's lines are, 1 - f.
    """

    primary: np.ndarray
    colour: np.ndarray
    single: np.ndarray
    depth: np.ndarray


def information(teff_k: float, simulate: SimulateSettings, spectra: SpectraSettings) -> Information:
    """Compute the information of a pair whose primary has that Teff, at S/N 50 in g."""
    teff_grid = _systems(MASSES, np.full(MASSES.size, np.nan)).primary.teff_k
    known = np.isfinite(teff_grid)
    mass = float(np.interp(teff_k, teff_grid[known], MASSES[known]))
    near = np.array([Q, Q - STEP, Q + STEP])
    other = _masses_of_colour(_colour(np.array([mass]), np.array([Q]))[0], near[1:])
    systems = _systems(np.array([mass, mass, mass, *other]), np.array([*near, *near[1:]]))
    n = len(systems.q)
    still = np.zeros((1, 2))
    view, flux_1N = expose_exactly(
        np.random.default_rng(1), systems.take(np.array([0])), still, np.zeros(1),
        np.array([SNR]), simulate.instrument, spectra,
    )  # fmt: skip
    _, ivar_1L = view.weighed(flux_1N)
    same = View(
        np.repeat(view.resolution_B, n), np.repeat(view.log10_first_B, n),
        np.repeat(view.n_pixel_B, n), np.repeat(view.ivar_BN, n, axis=0), np.zeros(n), spectra,
    )  # fmt: skip
    quiet = StarScatter(np.zeros((n, 0), np.float32), np.zeros(n, np.float32), np.zeros(n))
    flux_BN = composite_flux(
        components_of(systems, np.zeros((n, 2)), [quiet, quiet]), same.resolution_B,
        same.log10_first_B, N_PIXEL, ScatterSettings(enabled=False),
    )  # fmt: skip
    pair, less, more, less_c, more_c = same.prepared(flux_BN).astype(np.float64)
    start = np.array([[systems.primary.teff_k[0], systems.primary.logg[0], 0.0, 0.0]])
    found = nearest_single(
        pair[None].astype(np.float32), ivar_1L, start, lambda theta: single_spectra(theta, view)
    )
    ivar = ivar_1L[0].astype(np.float64)
    return Information(
        ((more - less) / (2 * STEP)) ** 2 * ivar,
        ((more_c - less_c) / (2 * STEP)) ** 2 * ivar,
        (pair - found.flux_BL[0]) ** 2 * ivar,
        1 - pair,
    )


def _systems(mass: np.ndarray, q: np.ndarray) -> Systems:
    return build_systems(mass, q, np.full(mass.size, LOG_AGE), np.zeros(mass.size))


def _colour(mass: np.ndarray, q: np.ndarray) -> np.ndarray:
    """G - Ks of the sum of both stars."""
    systems = _systems(mass, q)
    bands = [BANDS.index("g_mag"), BANDS.index("ks_mag")]
    light = sum(10 ** (-0.4 * s.mag_BK[:, bands]) for s in (systems.primary, systems.secondary))
    return np.asarray(-2.5 * np.log10(light[:, 0] / light[:, 1]))


def _masses_of_colour(colour: float, q: np.ndarray) -> list[float]:
    """Mass of the primary for which the pair of each mass ratio has that colour."""
    found = []
    for ratio in q:
        grid = _colour(MASSES, np.full(MASSES.size, ratio))
        known = np.isfinite(grid)
        found.append(float(np.interp(-colour, -grid[known], MASSES[known])))
    return found
