"""The unseen spectra of the difficulty page, and the scores of one block of them."""

import argparse
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from difficulty_tables import Q_EDGES, SNR_EDGES

from pipeline.limits.ideal import expose_exactly, nearest_single, single_spectra
from pipeline.network.ensemble import get_ensemble
from pipeline.network.members import Member
from pipeline.settings.infer import InferSettings
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.simulate.examples import BLOCK, labelled_block
from pipeline.spectra.prepare import network_input
from pipeline.stars.binary import Systems, build_systems
from pipeline.stars.templates import LABEL_MAX, LABEL_MIN

Columns = dict[str, np.ndarray]
SNR_RANGE = (SNR_EDGES[0], SNR_EDGES[-1])
FIRST_SEED = 7000
"""Seeds from here on are for spectra that no network was trained on."""

STILL = {"log_period_mean": 7.999, "log_period_sigma": 1e-6}
"""All orbits last 1e8 days: velocities far below 1 km/s, everything else is drawn alike."""


class Sample(NamedTuple):
    """Unseen spectra: blocks of one seed."""

    name: str
    seed: int
    n_blocks: int
    q_range: tuple[float, float] = (0.71, 0.93)
    binary_fraction: float = 0.5
    still: bool = False

    def settings(self, simulate: SimulateSettings) -> SimulateSettings:
        """Return the settings with which this sample is simulated."""
        if not self.still:
            return simulate
        population = simulate.population.model_copy(update=STILL)
        return simulate.model_copy(update={"population": population})


def samples(args: argparse.Namespace) -> list[Sample]:
    """List what the network is scored on."""
    test, table = -(-args.test // BLOCK), -(-args.table // BLOCK)
    return [
        Sample("test", FIRST_SEED, test),
        Sample("still", FIRST_SEED, test, still=True),
        Sample("singles", FIRST_SEED + 1, 2 * table, binary_fraction=0.0),
        *(
            Sample(f"q{k}", FIRST_SEED + 2 + k, table, q_range, 1.0)
            for k, q_range in enumerate(pairwise(Q_EDGES))
        ),
    ]


def ideal_samples(args: argparse.Namespace) -> list[Sample]:
    """List the pairs that the ideal observer scores."""
    few = -(-args.pairs // BLOCK)
    bins = enumerate(pairwise(Q_EDGES))
    return [
        Sample("test", FIRST_SEED, few, binary_fraction=1.0),
        *(Sample(f"q{k}", FIRST_SEED + 2 + k, few, q_range, 1.0) for k, q_range in bins),
    ]


def score_block(
    block: int, sample: Sample, simulate: SimulateSettings, spectra: SpectraSettings, model: Path,
    sha256: str,
) -> Columns:  # fmt: skip
    """Simulate one block and classify it with the network."""
    ensemble = get_ensemble((Member(model, sha256),), InferSettings(threads=1, device="cpu"))
    raw = labelled_block(
        block, sample.seed, sample.settings(simulate), q_range=sample.q_range, snr_range=SNR_RANGE,
        binary_fraction=sample.binary_fraction,
    )  # fmt: skip
    ready = network_input(
        raw.flux_BN, raw.ivar_BN, raw.log10_first_B, raw.n_pixel_B, raw.rv_kms_B, spectra
    )
    usable = np.flatnonzero(np.asarray(ready.usable_B))
    logit_B = ensemble.predict(np.asarray(ready.flux_BL)[usable]).logit_B
    names = ("label_B", "teff_k", "logg", "feh", "snr_g", "rv_kms_B", "q", "velocity1_kms",
             "velocity2_kms")  # fmt: skip
    truth = {name.removesuffix("_B"): getattr(raw, name)[usable] for name in names}
    systems = build_systems(raw.mass1_msun, raw.q, raw.log_age, raw.mh)
    return {
        "logit": logit_B.astype(float),
        "star": block * BLOCK + usable,
        "clipped": clipped(systems)[usable],
        **truth,
    }


def clipped(systems: Systems) -> np.ndarray:
    """Tell whose companion lies outside the templates and is given the nearest valid spectrum."""
    with np.errstate(invalid="ignore"):
        cool = systems.secondary.teff_k < LABEL_MIN[0]
        dense = systems.secondary.logg > LABEL_MAX[1]
    return np.asarray(cool | dense)


def ideal_block(
    block: int, sample: Sample, simulate: SimulateSettings, spectra: SpectraSettings
) -> Columns:
    """Find the single stars nearest to the pairs of one block, without scatter or calibration."""
    raw = labelled_block(
        block, sample.seed, simulate, q_range=sample.q_range, snr_range=SNR_RANGE,
        binary_fraction=1.0,
    )  # fmt: skip
    systems = build_systems(raw.mass1_msun, raw.q, raw.log_age, raw.mh)
    velocity_B2 = np.stack([raw.velocity1_kms, raw.velocity2_kms], axis=1)
    view, flux_BN = expose_exactly(
        np.random.default_rng((sample.seed, block)), systems, velocity_B2, raw.rv_kms_B, raw.snr_g,
        simulate.instrument, spectra,
    )  # fmt: skip
    target_BL, ivar_BL = view.weighed(flux_BN)
    start_B4 = np.stack([raw.teff1_k, raw.logg1, raw.mh, raw.velocity1_kms], axis=1)
    found = nearest_single(
        target_BL, ivar_BL, start_B4, lambda theta_B4: single_spectra(theta_B4, view)
    )
    rows = (ivar_BL == 0).mean(axis=1) <= spectra.max_bad_fraction
    columns = {
        "d_prime": found.d_prime_B,
        "teff_k": raw.teff_k,
        "snr_g": raw.snr_g,
        "q": raw.q,
        "teff_difference_k": systems.primary.teff_k - systems.secondary.teff_k,
        "clipped": clipped(systems),
        "light_ratio": systems.light_B2[:, 1] / systems.light_B2[:, 0],
    }
    return {name: column[rows] for name, column in columns.items()}
