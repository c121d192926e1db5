"""Simulated single stars at the labels of real ones."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.composites.pool import Pool
from pipeline.composites.sums import Stored
from pipeline.settings.load import Settings
from pipeline.simulate.fibres import FIRST, N_PIXEL, Fibres, draw_fibres
from pipeline.simulate.instrument import observe
from pipeline.stars.binary import build_systems, components_of
from pipeline.stars.composite import composite_flux
from pipeline.stars.scatter import draw_scatter

NOISELESS = 1e5
"""Inverse relative variance of calm spectra."""


@dataclass(frozen=True)
class Draw:
    """How simulated stars stand for real ones.

    Parameters
    ----------
    calm : bool
        No scatter, noise or errors of calibration.
    label_errors : float
        Their true labels differ from the catalogue's by that many times the simulated errors.
    pairs : float
        Share that has an unseen companion, of mass ratio uniform from 0.1 to 1.
    scatter : float
        Factor on the scatter of line depths.
    resolution : float
        Factor on the resolving power.
    join : float
        ``simulate.instrument.join_free_sigma``.
    teff_k, feh : float
        Added to the labels at which the template is taken.
    """

    calm: bool = False
    label_errors: float = 0.0
    pairs: float = 0.0
    scatter: float = 1.0
    resolution: float = 1.0
    join: float = 0.0
    teff_k: float = 0.0
    feh: float = 0.0


def simulated_like(
    pool: Pool, snr_B: np.ndarray, draw: Draw, settings: Settings, seed: int
) -> Stored:
    """Simulate a star at the labels of each real one, as a survey would observe it."""
    rng = np.random.default_rng(seed)
    n, simulate = len(pool), settings.simulate
    errors = simulate.errors
    wrong_2B = draw.label_errors * rng.standard_normal((2, n))
    teff_k = pool.teff_k + draw.teff_k + errors.teff_sigma_k * wrong_2B[0]
    mh = np.clip(pool.feh + draw.feh + errors.feh_sigma * wrong_2B[1], -1.2, 0.3)
    q = np.where(rng.random(n) < draw.pairs, rng.uniform(0.1, 1, n), np.nan)
    systems = build_systems(pool.mass_msun, q, np.full(n, settings.composites.log_age), mh)
    # Mass and light are those of the couples; the template is that of the labels.
    logg = np.nan_to_num(systems.primary.logg, nan=4.4)
    log_l = np.nan_to_num(systems.primary.log_l, nan=0.0)
    primary = replace(
        systems.primary, teff_k=teff_k, logg=logg, log_l=log_l, valid=np.ones(n, np.bool_)
    )
    systems = replace(systems, primary=primary)
    looks = simulate.scatter.model_copy(
        update={
            "enabled": not draw.calm,
            "abundance_sigma": draw.scatter * simulate.scatter.abundance_sigma,
        }
    )
    scatter = draw_scatter(rng, np.nan_to_num(systems.teff_B2, nan=5000.0), looks)
    instrument = simulate.instrument.model_copy(update={"join_free_sigma": draw.join})
    resolution_B = draw.resolution * draw_fibres(rng, n, instrument).resolution_B
    first_B, length_B = np.full(n, FIRST), np.full(n, N_PIXEL)
    velocity_B2 = np.repeat(pool.rv_kms[:, None], 2, axis=1)
    ideal_BN = composite_flux(
        components_of(systems, velocity_B2, scatter), resolution_B, first_B, N_PIXEL, looks
    )
    if draw.calm:
        ivar_BN = (NOISELESS / np.square(ideal_BN)).astype(np.float32)
        return Stored(ideal_BN, ivar_BN, first_B, length_B, pool.rv_kms)
    fibres = Fibres(first_B, length_B, resolution_B)
    flux_BN, ivar_BN = observe(rng, ideal_BN, snr_B, fibres, instrument)
    return Stored(flux_BN, ivar_BN, first_B, length_B, pool.rv_kms)
