"""Labelled spectra for training, made in memory: the arrays that the store holds for real files."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.stars import PopulationSettings
from pipeline.simulate.fibres import N_PIXEL, draw_fibres
from pipeline.simulate.instrument import observe
from pipeline.simulate.parameters import measure
from pipeline.stars.binary import Systems, build_systems, components_of
from pipeline.stars.composite import composite_flux
from pipeline.stars.orbits import draw_orbits, velocities
from pipeline.stars.scatter import draw_scatter

BLOCK = 256
"""Spectra drawn from one stream of random numbers; the batches asked for don't matter."""

MASS_RANGE = (0.5, 1.4)
"""Primaries, uniform in mass, then cut to the classifier's temperatures and gravities."""

TEFF_RANGE_K = (3800.0, 6500.0)
LOGG_MIN = 4.0


@dataclass(frozen=True)
class RawExamples:
    """B labelled spectra, as a survey's files would hold them, and the truth about each.

    Parameters
    ----------
    flux_BN, ivar_BN : ndarray of float32, (B, N)
        Arbitrary units; flux 0 and ivar 0 beyond each spectrum's last pixel.
    log10_first_B : ndarray of float64, (B,)
        log10 of the first vacuum wavelength of each spectrum in Angstrom; the step is 1e-4.
    n_pixel_B : ndarray of int64, (B,)
        Number of pixels of each spectrum.
    rv_kms_B : ndarray of float64, (B,)
        Velocity as a catalogue gives it, with its error; a pair's is that of the blend.
    label_B : ndarray of uint8, (B,)
        1 for a pair and 0 for a single star.
    teff_k, logg, feh, snr_g : ndarray of float64, (B,)
        As a catalogue gives them.
    teff1_k, logg1, mh, log_age, mass1_msun : ndarray of float64, (B,)
        The truth about the primary.
    q, velocity1_kms, velocity2_kms, period_day : ndarray of float64, (B,)
        The truth about the pair; ``q``, ``velocity2_kms`` and ``period_day`` are NaN for single
        stars.
    """

    flux_BN: NDArray[np.float32]
    ivar_BN: NDArray[np.float32]
    log10_first_B: NDArray[np.float64]
    n_pixel_B: NDArray[np.int64]
    rv_kms_B: NDArray[np.float64]
    label_B: NDArray[np.uint8]
    teff_k: NDArray[np.float64]
    logg: NDArray[np.float64]
    feh: NDArray[np.float64]
    snr_g: NDArray[np.float64]
    teff1_k: NDArray[np.float64]
    logg1: NDArray[np.float64]
    mh: NDArray[np.float64]
    log_age: NDArray[np.float64]
    mass1_msun: NDArray[np.float64]
    q: NDArray[np.float64]
    velocity1_kms: NDArray[np.float64]
    velocity2_kms: NDArray[np.float64]
    period_day: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.label_B)

    def head(self, n: int) -> "RawExamples":
        """Return the first ``n`` spectra."""
        return RawExamples(**{f.name: getattr(self, f.name)[:n] for f in fields(self)})


def labelled_spectra(
    n: int,
    seed: int,
    settings: SimulateSettings,
    *,
    q_range: tuple[float, float] = (0.71, 0.93),
    snr_range: tuple[float, float] = (20.0, 200.0),
    binary_fraction: float = 0.5,
) -> RawExamples:
    """Simulate spectra of single dwarfs and of pairs whose primaries have the same distribution.

    Parameters
    ----------
    n : int
        Number of spectra.
    seed : int
        The first ``n`` of a longer request with the same seed are the same spectra.
    settings : SimulateSettings
        Priors.
    q_range : tuple of float
        Mass ratios, uniform.
    snr_range : tuple of float
        S/N in g, uniform in the logarithm.
    binary_fraction : float
        Share of pairs.

    Returns
    -------
    RawExamples
        n spectra of ``N_PIXEL`` pixels.

    Raises
    ------
    ValueError
        An empty or impossible range, or no spectra are asked for.
    """
    blocks = [
        labelled_block(
            block, seed, settings,
            q_range=q_range, snr_range=snr_range, binary_fraction=binary_fraction,
        ).head(n - block * BLOCK)
        for block in range(-(-n // BLOCK))
    ]  # fmt: skip
    if not blocks:
        raise ValueError(f"the number of spectra must be positive, not {n}")
    return RawExamples(
        **{
            f.name: np.concatenate([getattr(b, f.name) for b in blocks])
            for f in fields(RawExamples)
        }
    )


def labelled_block(
    block: int,
    seed: int,
    settings: SimulateSettings,
    *,
    q_range: tuple[float, float],
    snr_range: tuple[float, float],
    binary_fraction: float,
) -> RawExamples:
    """Simulate the spectra ``block * BLOCK`` to ``(block + 1) * BLOCK`` of one seed.

    Parameters
    ----------
    block : int
        Number of the block.
    seed, settings, q_range, snr_range, binary_fraction : int, SimulateSettings, tuple, tuple, float
        As for :func:`labelled_spectra`.

    Returns
    -------
    RawExamples
        ``BLOCK`` spectra.

    Raises
    ------
    ValueError
        The mass ratios or the S/N do not rise, or are outside of what can be simulated.
    """
    if not 0.1 <= q_range[0] < q_range[1] <= 1:
        raise ValueError(f"mass ratios must rise within 0.1 .. 1, not {q_range}")
    if not 0 < snr_range[0] < snr_range[1]:
        raise ValueError(f"S/N must rise from above 0, not {snr_range}")
    streams = np.random.SeedSequence(seed, spawn_key=(block,)).spawn(4)
    stars, looks, telescope, pipeline = (np.random.default_rng(s) for s in streams)

    systems = _draw_dwarfs(stars, q_range, binary_fraction, settings.population)
    is_pair = np.isfinite(systems.q)
    mass2_msun = np.where(is_pair, systems.q, 0.0) * systems.mass1_msun
    orbits = draw_orbits(stars, systems.mass1_msun, mass2_msun, settings.population)
    systemic = stars.normal(0.0, settings.population.systemic_sigma_kms, BLOCK)
    velocity_B2 = systemic[:, None] + velocities(orbits, 0.0) * is_pair[:, None]
    snr_B = np.exp(stars.uniform(np.log(snr_range[0]), np.log(snr_range[1]), BLOCK))

    scatter = draw_scatter(looks, np.nan_to_num(systems.teff_B2, nan=5000.0), settings.scatter)
    fibres = draw_fibres(telescope, BLOCK, settings.instrument)
    ideal_BN = composite_flux(
        components_of(systems, velocity_B2, scatter),
        fibres.resolution_B, fibres.log10_first_B, N_PIXEL, settings.scatter,
    )  # fmt: skip
    flux_BN, ivar_BN = observe(telescope, ideal_BN, snr_B, fibres, settings.instrument)
    measured = measure(
        pipeline, systems.light_B2, systems.teff_B2, systems.logg_B2, systems.mh, velocity_B2,
        snr_B, settings.errors,
    )  # fmt: skip
    return RawExamples(
        flux_BN=flux_BN,
        ivar_BN=ivar_BN,
        log10_first_B=fibres.log10_first_B,
        n_pixel_B=fibres.n_pixel_B,
        rv_kms_B=measured.rv_kms,
        label_B=is_pair.astype(np.uint8),
        teff_k=measured.teff_k,
        logg=measured.logg,
        feh=measured.feh,
        snr_g=snr_B,
        teff1_k=systems.primary.teff_k,
        logg1=systems.primary.logg,
        mh=systems.mh,
        log_age=systems.log_age,
        mass1_msun=systems.mass1_msun,
        q=systems.q,
        velocity1_kms=velocity_B2[:, 0],
        velocity2_kms=np.where(is_pair, velocity_B2[:, 1], np.nan),
        period_day=np.where(is_pair, orbits.period_day, np.nan),
    )


def _draw_dwarfs(
    rng: np.random.Generator,
    q_range: tuple[float, float],
    binary_fraction: float,
    population: PopulationSettings,
) -> Systems:
    """One block of systems whose primaries pass the cuts whether or not they have a companion."""
    found: list[Systems] = []
    for candidates in _candidates(rng, population):
        found.append(candidates)
        if sum(len(s.q) for s in found) >= BLOCK:
            break
    columns = [np.concatenate([getattr(s, name) for s in found])[:BLOCK]
               for name in ("mass1_msun", "log_age", "mh")]  # fmt: skip
    mass1_msun, log_age, mh = columns
    is_pair = rng.random(BLOCK) < binary_fraction
    q = np.where(is_pair, rng.uniform(*q_range, BLOCK), np.nan)
    return build_systems(mass1_msun, q, log_age, mh)


def _candidates(rng: np.random.Generator, population: PopulationSettings) -> Iterator[Systems]:
    while True:
        mass1_msun = rng.uniform(*MASS_RANGE, BLOCK)
        log_age = rng.uniform(population.log_age_min, population.log_age_max, BLOCK)
        mh = np.clip(rng.normal(population.mh_mean, population.mh_sigma, BLOCK), -1.2, 0.3)
        systems = build_systems(mass1_msun, np.full(BLOCK, np.nan), log_age, mh)
        teff, logg = systems.primary.teff_k, systems.primary.logg
        with np.errstate(invalid="ignore"):
            keep = (teff > TEFF_RANGE_K[0]) & (teff < TEFF_RANGE_K[1]) & (logg > LOGG_MIN)
        yield systems.take(np.flatnonzero(keep))
