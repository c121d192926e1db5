"""Simulated pairs brought near to real stars: their means, and the residuals of real stars."""

from dataclasses import dataclass
from itertools import count
from typing import Literal

import numpy as np
from real_folds import Stars
from scipy.spatial import cKDTree

from pipeline.composites.exposure import normalised
from pipeline.composites.mean_spectrum import CHUNK, MeanSpectrum, fit_mean, terms
from pipeline.composites.sums import star_light
from pipeline.network.loader import Labelled
from pipeline.settings.load import Settings
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.examples import BLOCK, RawExamples, labelled_block
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.prepare import network_input
from pipeline.stars.binary import Systems, build_systems

Q_RANGE = (0.71, 0.93)
SNR_RANGE = (25.0, 100.0)
CALM_SNR = (400.0, 500.0)
G_ANGSTROM = 4770.0
HC_OVER_K = 1.43878e8
"""Second radiation constant in Angstrom K."""

ERRORS = (
    "sky_residual", "telluric_residual", "calibration_sigma", "join_sigma", "wave_sigma",
    "flat_sigma", "join_free_sigma",
)  # fmt: skip
"""What the residuals of real stars bring with them."""

NEAREST = 24


@dataclass(frozen=True)
class Kind:
    """Which simulated spectra to train with.

    Parameters
    ----------
    name : str
        In words.
    twins : bool
        Class 0 is a pair of twins, with the velocities of a pair, instead of a single star.
    means : str
        Mean spectra are those of the real training stars: ``each`` star's own, or ``primary``:
        both stars are changed as the primary, so that their difference stays the simulated one.
    residuals : bool
        Scatter, noise and calibration errors are residuals of real training stars about their mean.
    join : float
        ``simulate.instrument.join_free_sigma``.
    teff_min_k : float
        Primaries are hotter.
    times : int
        So many times the usual number of spectra.
    """

    name: str
    twins: bool = False
    means: Literal["", "each", "primary"] = ""
    residuals: bool = False
    join: float = 0.0
    teff_min_k: float = 0.0
    times: int = 1

    @property
    def needs_stars(self) -> bool:
        """Whether real stars have a part in the spectra."""
        return bool(self.means) or self.residuals


@dataclass(frozen=True)
class Simulated:
    """Spectra in network form, their classes and their stars."""

    flux_BL: np.ndarray
    label_B: np.ndarray
    systems: Systems


def simulated(
    n: int,
    seed: int,
    settings: Settings,
    *,
    twins: bool,
    calm: bool,
    join: float = 0.0,
    teff_min_k: float = 0.0,
) -> Simulated:
    """Simulate n spectra of both classes; calm ones have hardly noise, no scatter, no errors."""
    instrument = settings.simulate.instrument.model_copy(update={"join_free_sigma": join})
    simulate = settings.simulate.model_copy(update={"instrument": instrument})
    if calm:
        still = simulate.scatter.model_copy(update={"enabled": False})
        exact = simulate.instrument.model_copy(update=dict.fromkeys(ERRORS, 0.0))
        simulate = simulate.model_copy(update={"scatter": still, "instrument": exact})
    fluxes, labels, systems = [], [], []
    for block in count():
        for raw, label in _raw(block, seed, simulate, settings, twins=twins, calm=calm):
            ready = network_input(
                raw.flux_BN, raw.ivar_BN, raw.log10_first_B, raw.n_pixel_B, raw.rv_kms_B,
                settings.spectra,
            )  # fmt: skip
            usable = np.flatnonzero(np.asarray(ready.usable_B) & (raw.teff1_k > teff_min_k))
            fluxes.append(np.asarray(ready.flux_BL)[usable].astype(np.float16))
            labels.append(label[usable])
            made = build_systems(raw.mass1_msun, raw.q, raw.log_age, raw.mh)
            systems.append(made.take(usable))
        if sum(map(len, labels)) >= n:
            break
    joined = build_systems(
        *(
            np.concatenate([getattr(s, name) for s in systems])[:n]
            for name in ("mass1_msun", "q", "log_age", "mh")
        )
    )
    return Simulated(np.concatenate(fluxes)[:n], np.concatenate(labels)[:n], joined)


def _raw(
    block: int,
    seed: int,
    simulate: SimulateSettings,
    settings: Settings,
    *,
    twins: bool,
    calm: bool,
) -> list[tuple[RawExamples, np.ndarray]]:
    snr = CALM_SNR if calm else SNR_RANGE
    if not twins:
        raw = labelled_block(
            block, seed, simulate, q_range=Q_RANGE, snr_range=snr, binary_fraction=0.5
        )
        return [(raw, raw.label_B.astype(np.int8))]
    twin = (settings.composites.twin_q_min, 1.0)
    # One seed: primaries, velocities and S/N of the two classes are drawn alike.
    return [
        (
            labelled_block(block, seed, simulate, q_range=q, snr_range=snr, binary_fraction=1.0),
            np.full(BLOCK, label, np.int8),
        )
        for label, q in enumerate((twin, Q_RANGE))
    ]


def second_share(systems: Systems, wave_L: np.ndarray) -> np.ndarray:
    """Share of the second star in the light, by black bodies scaled to the ratio in g: (B, L)."""
    light_B2, teff_B2 = systems.light_B2, np.nan_to_num(systems.teff_B2, nan=5000.0)

    def planck(wave_L: np.ndarray) -> np.ndarray:
        return 1 / np.expm1(HC_OVER_K / (wave_L * teff_B2[:, :, None]))

    body_B2L = planck(wave_L) / planck(np.array([G_ANGSTROM]))
    light_B2L = light_B2[:, :, None] * body_B2L
    return np.asarray(light_B2L[:, 1] / light_B2L.sum(axis=1))


def residuals(stars: Stars, mean: MeanSpectrum, settings: Settings) -> np.ndarray:
    """Normalised flux of real stars less their mean; 0 at bad pixels: (S, L)."""
    pool, parts = stars.pool, []
    for start in range(0, len(pool), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(pool)))
        light = star_light(
            stars.stored.take(rows), np.zeros(len(rows)), pool.m_g[rows], settings.composites,
            settings.spectra,
        )  # fmt: skip
        flux_BL, bad_BL, _ = normalised(light, settings.spectra)
        mean_BL = mean.at(terms(pool.teff_k[rows], pool.feh[rows]))
        parts.append(np.where(bad_BL, 0, flux_BL - 1 - mean_BL).astype(np.float32))
    return np.concatenate(parts)


def fit_simulated(made: Simulated) -> MeanSpectrum:
    """Fit the mean of simulated single stars as `fit_mean` fits that of real ones."""
    single = ~np.isfinite(made.systems.q)
    basis_BK = terms(made.systems.primary.teff_k[single], made.systems.mh[single])
    flux_BL = made.flux_BL[single].astype(np.float32) - 1
    found_KL, *_ = np.linalg.lstsq(basis_BK.astype(np.float32), flux_BL, rcond=None)
    return MeanSpectrum(np.asarray(found_KL, np.float32))


def training_spectra(
    kind: Kind, made: Simulated, singles: MeanSpectrum, stars: Stars, settings: Settings, seed: int
) -> Labelled:
    """Give simulated spectra the means and the residuals of real stars, as the kind says.

    Parameters
    ----------
    kind : Kind
        What to change.
    made : Simulated
        The spectra; calm ones, where residuals are added.
    singles : MeanSpectrum
        Mean of calm simulated single stars.
    stars : Stars
        Real training stars.
    settings : Settings
        Grid, continuum, window of light.
    seed : int
        Of the residuals.
    """
    if not kind.needs_stars:
        return Labelled(made.flux_BL, made.label_B)
    pool, systems = stars.pool, made.systems
    mean = fit_mean(pool, stars.stored, settings.composites, settings.spectra)
    tree = cKDTree(_place(pool.teff_k, pool.feh))
    rest_SL = residuals(stars, mean, settings)
    wave_L = WaveGrid.from_settings(settings.spectra).wave_L
    low, high = (np.quantile(pool.teff_k, q) for q in (0.02, 0.98))
    rng = np.random.default_rng(seed)
    flux_BL = made.flux_BL.copy()
    for start in range(0, len(flux_BL), 1024):
        rows = np.arange(start, min(start + 1024, len(flux_BL)))
        some = systems.take(rows)
        share_BL = second_share(some, wave_L)
        change_BL = np.zeros(share_BL.shape)
        for star, part_BL in enumerate((1 - share_BL, share_BL)):
            teff = np.nan_to_num(some.teff_B2[:, star], nan=5000.0)
            feh = np.clip(some.mh, pool.feh.min(), pool.feh.max())
            source = teff if kind.means == "each" else some.teff_B2[:, 0]
            inside = terms(np.clip(source, low, high), feh)
            if kind.means:
                change_BL += part_BL * (mean.at(inside) - singles.at(inside))
            if kind.residuals:
                _, near = tree.query(_place(teff, feh), NEAREST)
                chosen = near[np.arange(len(rows)), rng.integers(NEAREST, size=len(rows))]
                change_BL += part_BL * rest_SL[chosen]
        flux_BL[rows] = (flux_BL[rows] + change_BL).astype(np.float16)
    return Labelled(flux_BL, made.label_B)


def _place(teff_k: np.ndarray, feh: np.ndarray) -> np.ndarray:
    """Where a star is among others: 1 % in Teff counts as 0.08 dex in [Fe/H]."""
    return np.stack([np.log(teff_k) / 0.01, feh / 0.08], axis=1)
