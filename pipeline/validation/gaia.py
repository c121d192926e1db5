"""Gaia's own evidence of companions: astrometry, its list of binaries, its velocities."""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.colours import BINARY, SINGLE
from pipeline.core.figures import legend, new_figure
from pipeline.settings.validation import ValidationSettings
from pipeline.validation.drawing import draw_bins
from pipeline.validation.given import read_gaia_evidence
from pipeline.validation.matching import by_id
from pipeline.validation.measure import Measure, mean_of, share
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


def validate(data: RunData) -> Result:
    """Compare p_b with ``ruwe`` of the catalogue, and with ``inputs.gaia_evidence`` if given."""
    path = data.inputs.gaia_evidence
    return gaia(data.stars, read_gaia_evidence(path) if path else None, data.settings)


def gaia(
    stars: pd.DataFrame, evidence: pd.DataFrame | None, settings: ValidationSettings
) -> Result:
    """Measure how often stars of high and of low p_b have each sign, in bins of G.

    Parameters
    ----------
    stars : pandas.DataFrame
        Stars of the catalogue.
    evidence : pandas.DataFrame, optional
        As from `pipeline.validation.given.read_gaia_evidence`.
    settings : ValidationSettings
        Limits and bins.

    Returns
    -------
    Result
        The truth is how often true pairs (beside p_b > 0.5) and true singles have the sign.
    """
    signs = _signs(stars, evidence, settings)
    if not signs:
        return Result(skipped="no star has a ruwe: run `pairspec photometry` with inputs.gaia")
    measures: list[Measure] = []
    figure, axes = new_figure(len(signs))
    for axis, (name, (known, sign)) in zip(axes, signs.items(), strict=True):
        for binary in (True, False):
            inside = known & ((stars["p_b"] > 0.5) == binary).to_numpy()
            word = f"{name} | p_b {'>' if binary else '<'} 0.5"
            truly = _truly(stars, known, binary=binary)
            whole = None if truly is None else mean_of(sign[truly])
            measures.append(share(word, sign[inside], truth=whole, main=True))
            bins = []
            for edge in pairwise(settings.g_edges_mag):
                here = stars["g_mag"].between(*edge, inclusive="left").to_numpy()
                truth = None if truly is None else mean_of(sign[here & truly])
                bins.append(share(f"{word}, by G", sign[inside & here], bin=edge, truth=truth))
            text = f"$p_b$ {'>' if binary else '<'} 0.5"
            draw_bins(axis, bins, text, *((BINARY, -0.1) if binary else (SINGLE, 0.1)))
            measures += bins
        found = (stars["p_b"] > 0.5).to_numpy()
        measures.append(share(f"p_b > 0.5 | {name}", found[known & sign]))
        axis.set(xlabel="$G$ (mag)", ylabel=f"fraction with {name.replace('ruwe', 'RUWE')}")
        axis.set_ylim(bottom=-0.01)
        legend(axis, columns=2)
    notes = [f"{int(known.sum()):,} stars have {name.split()[0]}" for name, (known, _) in
             signs.items()]  # fmt: skip
    if evidence is None:
        notes.append("no non_single_star and radial_velocity_error: set inputs.gaia_evidence")
    return Result(tuple(measures), figure, tuple(notes))


def _signs(
    stars: pd.DataFrame, evidence: pd.DataFrame | None, settings: ValidationSettings
) -> dict[str, tuple[BoolArray, BoolArray]]:
    """Return where each sign is known, and where it is there."""
    ruwe = stars["ruwe"].to_numpy()
    signs = {f"ruwe > {settings.ruwe_max:g}": (np.isfinite(ruwe), ruwe > settings.ruwe_max)}
    if evidence is not None:
        row = by_id(evidence["source_id"].to_numpy(), stars)
        value = np.full((2, len(stars)), np.nan)
        for k, name in enumerate(("non_single_star", "radial_velocity_error")):
            value[k, row[row >= 0]] = evidence[name].to_numpy()[row >= 0]
        listed, error = value
        excess = _over_median(error, stars["g_mag"].to_numpy(), settings.g_edges_mag)
        limit = settings.rv_error_excess
        signs["non_single_star > 0"] = (np.isfinite(listed), listed > 0)
        signs[f"radial_velocity_error > {limit:g} medians"] = (np.isfinite(excess), excess > limit)
    return {name: both for name, both in signs.items() if both[0].any()}


def _over_median(error: FloatArray, g_mag: FloatArray, edges: tuple[float, ...]) -> FloatArray:
    """Error over the median of the stars in the same bin of G; NaN outside the bins."""
    excess = np.full(error.size, np.nan)
    for low, high in pairwise(edges):
        here = np.flatnonzero((g_mag >= low) & (g_mag < high) & np.isfinite(error))
        if here.size:
            excess[here] = error[here] / np.median(error[here])
    return excess


def _truly(stars: pd.DataFrame, known: BoolArray, *, binary: bool) -> BoolArray | None:
    if not has_truth(stars):
        return None
    return known & (stars["true_kind"] == ("pair" if binary else "single")).to_numpy()
