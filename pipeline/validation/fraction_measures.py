"""The binary fraction of a run's own sample as numbers of a validation."""

import numpy as np
import pandas as pd

from pipeline.settings.validation import ValidationSettings
from pipeline.validation.binary_fraction import LightRatio
from pipeline.validation.fraction_counts import fraction_data, fraction_estimate
from pipeline.validation.injected import PAIR, SINGLE
from pipeline.validation.measure import Measure, mean_of
from pipeline.validation.stars import has_truth

CORRECTED = "binary fraction, corrected"
NAMES = (CORRECTED, "mean completeness", "false positives", "observed fraction")


def fraction_measures(
    sample: pd.DataFrame,
    cells: pd.DataFrame,
    settings: ValidationSettings,
    n_draws: int,
    log_age: float,
) -> tuple[list[Measure], list[str]]:
    """Measure the binary fraction of the sample at each threshold.

    Parameters
    ----------
    sample : pandas.DataFrame
        Stars of the sample within the grid, with the numbers of their bins; ``p_b`` is that of the
        best spectrum.
    cells : pandas.DataFrame
        Injected spectra with the numbers of their bins.
    settings : ValidationSettings
        Grid, thresholds, and what is assumed.
    n_draws : int
        Draws of stars for the intervals.
    log_age : float
        log10 age in years of the isochrone.

    Returns
    -------
    measures : list of Measure
        The truth of the corrected fraction is the share of true pairs in the same sample.
    notes : list of str
        What was assumed, or why there is no fraction.
    """
    grid, truth = settings.injection, None
    sample = sample[sample["snr_g"] >= grid.fraction_snr_min]
    own = ~sample["seen"] & (sample["label"] == SINGLE)
    singles = sample[own & ~(sample["delta_m_g"] < grid.delta_m_g_min)]
    if sample["seen"].all() or singles.empty:
        return [], ["no binary fraction: no single star within the grid was unseen in training"]
    pairs = cells[(cells["kind"] == PAIR) & (cells["snr_g"] >= grid.fraction_snr_min)]
    # Negative: a star may be both, and is drawn for each apart.
    alone = singles.assign(kind=SINGLE, q_bin=-1, star=-1 - np.arange(len(singles)))
    cells = pd.concat([pairs, alone], ignore_index=True)
    if has_truth(sample):
        truth = mean_of((sample.loc[sample["true_kind"] != "", "true_kind"] == PAIR).to_numpy())
    shape = (
        len(grid.snr_edges) - 1, len(grid.teff_edges_k) - 1, len(grid.feh_edges) - 1,
        len(settings.q_edges) - 1,
    )  # fmt: skip
    mass, feh = float(pairs["mass_msun"].median()), float(pairs["feh"].median())
    light = LightRatio.of_main_sequence(mass, feh, log_age)
    measures: list[Measure] = []
    for threshold in settings.thresholds:
        data = fraction_data(sample, cells, threshold, shape)
        found = fraction_estimate(data, settings.q_edges, light, grid, n_draws)
        for name, estimate in zip(NAMES, found, strict=True):
            known = truth if name == CORRECTED else None
            quantity, n = f"{name}, p_b > {threshold:g}", len(data.cell_S)
            measures.append(Measure(quantity, estimate, n, truth=known, main=threshold == 0.5))
    assumed = (
        f"binary fraction: assumed are mass ratios as q^{grid.q_power:g} from {grid.q_lowest:g} to "
        f"1 in a survey limited in magnitude (density power {grid.density_power:g}); "
        f"{len(singles):,} stars labelled as single give the false positives"
    )
    return measures, [assumed]
