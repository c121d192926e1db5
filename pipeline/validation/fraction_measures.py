"""The binary fraction of the run's own sample, observed and corrected, as numbers of a validation."""

import pandas as pd

from pipeline.settings.validation import ValidationSettings
from pipeline.validation.binary_fraction import LightRatio
from pipeline.validation.fraction_counts import fraction_data, fraction_estimate
from pipeline.validation.injected import PAIR, SINGLE
from pipeline.validation.measure import Measure, mean_of
from pipeline.validation.stars import has_truth


def fraction_measures(
    sample: pd.DataFrame,
    cells: pd.DataFrame,
    settings: ValidationSettings,
    n_draws: int,
    log_age: float,
) -> tuple[list[Measure], list[str]]:
    """Measure the binary fraction of the sample at each threshold."""
    grid = settings.injection
    shape = (
        *(len(edges) - 1 for edges in (grid.snr_edges, grid.teff_edges_k, grid.feh_edges)),
        len(settings.q_edges) - 1,
    )
    truth = None
    if has_truth(sample):
        truth = mean_of((sample.loc[sample["true_kind"] != "", "true_kind"] == PAIR).to_numpy())
    if sample["seen"].all() or not (cells["kind"] == SINGLE).any():
        return [], ["no binary fraction: no star of the sample within the grid was unseen"]
    mass, feh = cells["mass_msun"].median(), cells["feh"].median()
    light = LightRatio.of_main_sequence(float(mass), float(feh), log_age)
    measures: list[Measure] = []
    for threshold in settings.thresholds:
        data = fraction_data(sample, cells, threshold, shape)
        found = fraction_estimate(data, settings.q_edges, light, grid, n_draws)
        n = len(data.cell_S)
        for name, estimate in zip(
            ("binary fraction, corrected", "mean completeness", "false positives", "observed fraction"),
            found, strict=True,
        ):  # fmt: skip
            is_fraction = name.startswith("binary")
            measures.append(
                Measure(
                    f"{name}, p_b > {threshold:g}", estimate, n,
                    truth=truth if is_fraction else None, main=threshold == 0.5,
                )
            )  # fmt: skip
    assumed = (
        f"assumed: q^{grid.q_power:g} from {grid.q_lowest:g} to 1, in a survey limited in magnitude "
        f"(density power {grid.density_power:g})"
    )
    return measures, [assumed]
