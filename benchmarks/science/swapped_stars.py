"""Stars that are simulated in some respects and real in others, one for every real star."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from real_folds import Stars
from scipy.ndimage import gaussian_filter1d
from simulated_like import Draw, simulated_like

from pipeline.composites.exposure import mean_snr, normalised, relative_variance
from pipeline.composites.mean_spectrum import fit_mean, terms
from pipeline.composites.pool import Pool, joined_pools
from pipeline.composites.sums import Stored, star_light
from pipeline.composites.variation import nearest_stars
from pipeline.settings.load import Settings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid

WIDE = (3860.0, 8840.0)
"""Grid of the stars in Angstrom: wider than that of the composites, as orbits shift them."""

SMOOTH_PIXELS = 43.0
"""About 60 Angstrom at 6000: what parts slow from fast changes along the spectrum."""

NEAREST = 24
BANDS: dict[str, tuple[tuple[float, float], ...]] = {
    "join": ((5840.0, 6250.0),),
    "air": ((6860.0, 6960.0), (7150.0, 7350.0), (7580.0, 7720.0), (8100.0, 8380.0)),
    "blue": ((3800.0, 4200.0),),
    "red": ((6250.0, 8900.0),),
}
"""Join of the arms and its wave; telluric bands; where the calibration is worst; the red arm.
Vacuum Angstrom."""


def within(wave_L: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Which wavelengths lie in bands: bool, (L,)."""
    inside_L = np.zeros(wave_L.shape, np.bool_)
    for name in names:
        for low, high in BANDS[name]:
            inside_L |= (wave_L > low) & (wave_L < high)
    return inside_L


@dataclass(frozen=True)
class Looks:
    """B normalised spectra in the rest frame, on the wide grid.

    Parameters
    ----------
    flux_BL : ndarray of float32, (B, L)
        Normalised flux less 1; 0 at bad pixels.
    relative_BL : ndarray of float32, (B, L)
        Variance over the square of the smoothed flux.
    bad_BL : ndarray of bool, (B, L)
        Bad pixels.
    shape_BL : ndarray of float32, (B, L)
        Smoothed flux.
    """

    flux_BL: np.ndarray
    relative_BL: np.ndarray
    bad_BL: np.ndarray
    shape_BL: np.ndarray


def wide(settings: Settings) -> SpectraSettings:
    """Grid and continuum of the stars."""
    low, high = WIDE
    return settings.spectra.model_copy(update={"wave_min_angstrom": low, "wave_max_angstrom": high})


def looks_of(stored: Stored, pool: Pool, settings: Settings, spectra: SpectraSettings) -> Looks:
    """Bring stored spectra to rest and divide them by their smoothed flux."""
    light = star_light(stored, np.zeros(len(pool)), pool.m_g, settings.composites, spectra)
    flux_BL, bad_BL, shape_BL = normalised(light, spectra)
    relative_BL = relative_variance(light, spectra)
    return Looks(np.where(bad_BL, 0, flux_BL - 1).astype(np.float32), relative_BL, bad_BL, shape_BL)


def mended(looks: Looks) -> np.ndarray:
    """Smoothed flux with gaps filled: it must be positive everywhere."""
    shape_BL = looks.shape_BL
    typical_B1 = np.nanmedian(np.where(shape_BL > 0, shape_BL, np.nan), axis=1)[:, None]
    return np.where(shape_BL > 0.02 * typical_B1, shape_BL, 0.02 * typical_B1).astype(np.float32)


USUAL = Draw()
Rest = Literal["simulated", "own", "other", "mixed", "slow", "fast"]
Source = Literal["template", "real", "offset", "slope", "slow", "fast"]


@dataclass(frozen=True)
class Swap:
    """Which part of a star is real.

    Parameters
    ----------
    name : str
        In words.
    mean : str
        ``template``; ``real``, that of the training stars; or the template with a part of the
        difference between both: one ``offset`` for all stars, what is left without it
        (``slope``), what changes ``slow`` or ``fast`` along the spectrum.
    rest : str
        Scatter and noise about the mean: ``simulated``; of the star's ``own`` spectrum; of one of
        the nearest ``other`` stars.
    shape : str
        Smoothed flux: ``simulated`` or the star's ``own``.
    bands : tuple of str
        In these bands everything is real.
    hidden : tuple of str
        These bands are hidden, in the test too.
    jitter_kms : float
        Standard deviation of an error in velocity.
    draw : Draw
        How the simulated part is made.
    """

    name: str
    mean: Source = "template"
    rest: Rest = "simulated"
    shape: Literal["simulated", "own"] = "simulated"
    bands: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    jitter_kms: float = 0.0
    draw: Draw = USUAL


class Swapper:
    """Makes stars of swaps out of the training stars of a fold."""

    def __init__(self, stars: Stars, settings: Settings, seed: int) -> None:
        self._pool, self._settings, self._seed = stars.pool, settings, seed
        self._spectra = wide(settings)
        self._grid = WaveGrid.from_settings(self._spectra)
        self._real = looks_of(stars.stored, stars.pool, settings, self._spectra)
        self._snr_B = mean_snr(self._real.relative_BL, self._real.bad_BL, self._spectra)
        self._mean_BL = fit_mean(stars.pool, stars.stored, settings.composites, self._spectra).at(
            terms(stars.pool.teff_k, stars.pool.feh)
        )
        self._templates: dict[Draw, Looks] = {}
        self._near_BK = nearest_stars(stars.pool, NEAREST)

    def stars(self, swap: Swap, draws: int) -> Stars:
        """Make some stars for every real one."""
        made = [self._once(swap, draw) for draw in range(draws)]
        pool = joined_pools(*([self._pool] * draws))
        return Stars(pool, Stored(*(np.concatenate(column) for column in zip(*made, strict=True))))

    def _once(self, swap: Swap, number: int) -> Stored:
        rng = np.random.default_rng((self._seed, number))
        real, calm, full = self._real, self._calm(swap.draw), self._full(swap.draw, number)
        rest = self._rest(swap, full, calm, rng)
        flux_BL = self._mean(swap.mean, calm.flux_BL) + rest.flux_BL
        relative_BL, bad_BL = rest.relative_BL, rest.bad_BL
        if swap.bands:
            inside_L = within(self._grid.wave_L, swap.bands)
            flux_BL = np.where(inside_L, real.flux_BL, flux_BL)
            relative_BL = np.where(inside_L, real.relative_BL, relative_BL)
            bad_BL = np.where(inside_L, real.bad_BL, bad_BL)
        shape_BL = mended(real if swap.shape == "own" else full)
        with np.errstate(divide="ignore", invalid="ignore"):
            ivar_BL = np.where(bad_BL, 0, 1 / (relative_BL * shape_BL**2))
        n = len(self._pool)
        return Stored(
            np.where(bad_BL, 0, (1 + flux_BL) * shape_BL).astype(np.float32),
            np.nan_to_num(ivar_BL, posinf=0.0).astype(np.float32),
            np.full(n, self._grid.log10_first),
            np.full(n, self._grid.n_pixel, np.int32),
            swap.jitter_kms * rng.standard_normal(n),
        )

    def _mean(self, source: Source, template_BL: np.ndarray) -> np.ndarray:
        if source == "template":
            return template_BL
        apart_BL = self._mean_BL - template_BL
        smooth_BL = gaussian_filter1d(apart_BL, SMOOTH_PIXELS, axis=1)
        offset_L = apart_BL.mean(axis=0)
        part_BL = {
            "real": apart_BL,
            "offset": offset_L,
            "slope": apart_BL - offset_L,
            "slow": smooth_BL,
            "fast": apart_BL - smooth_BL,
        }[source]
        return np.asarray(template_BL + part_BL, np.float32)

    def _rest(self, swap: Swap, full: Looks, calm: Looks, rng: np.random.Generator) -> Looks:
        rest_BL = np.where(full.bad_BL, 0, full.flux_BL - calm.flux_BL)
        simulated = replace(full, flux_BL=rest_BL)
        if swap.rest == "simulated":
            return simulated
        rows = np.arange(len(self._pool))
        if swap.rest == "own":
            return self._residuals(rows)
        near = [
            self._residuals(
                self._near_BK[rows, rng.integers(self._near_BK.shape[1], size=len(rows))]
            )
            for _ in range(2)
        ]
        found = near[0]
        if swap.rest == "mixed":
            return _mixed(*near, (np.pi / 2 * rng.random((len(rows), 1))).astype(np.float32))
        if swap.rest == "other":
            return found
        # Noise and masks are those of the fast part.
        slow, fast = (found, simulated) if swap.rest == "slow" else (simulated, found)
        apart_BL = slow.flux_BL - fast.flux_BL
        smooth_BL = gaussian_filter1d(apart_BL, SMOOTH_PIXELS, axis=1)
        return replace(fast, flux_BL=fast.flux_BL + smooth_BL)

    def _residuals(self, rows: np.ndarray) -> Looks:
        real = self._real
        rest_BL = np.where(real.bad_BL, 0, real.flux_BL - self._mean_BL)[rows]
        return Looks(rest_BL, real.relative_BL[rows], real.bad_BL[rows], real.shape_BL[rows])

    def _full(self, draw: Draw, number: int) -> Looks:
        stored = simulated_like(self._pool, self._snr_B, draw, self._settings, number)
        return looks_of(stored, self._pool, self._settings, self._spectra)

    def _calm(self, draw: Draw) -> Looks:
        """Template at the labels, without what errors and companions do to it."""
        still = replace(draw, calm=True, label_errors=0.0, pairs=0.0, scatter=1.0, join=0.0)
        if still not in self._templates:
            stored = simulated_like(self._pool, self._snr_B, still, self._settings, 0)
            looks = looks_of(stored, self._pool, self._settings, self._spectra)
            self._templates[still] = looks
        return self._templates[still]


def _mixed(first: Looks, second: Looks, angle_B1: np.ndarray) -> Looks:
    """Scatter of two stars, of the size of that of one; masks and shape are the first's."""
    cosine_B1, sine_B1 = np.cos(angle_B1), np.sin(angle_B1)
    return replace(
        first,
        flux_BL=np.where(first.bad_BL, 0, cosine_B1 * first.flux_BL + sine_B1 * second.flux_BL),
        relative_BL=cosine_B1**2 * first.relative_BL + sine_B1**2 * second.relative_BL,
    )
