"""Cells of the selection function: counts of injected spectra and of the truth, by threshold."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.settings.validation import ValidationSettings
from pipeline.validation.injected import PAIR, SINGLE
from pipeline.validation.measure import share_interval
from schemas.completeness import COMPLETENESS

FloatArray = NDArray[np.float64]

AXES = ("snr", "teff", "feh")


def with_cells(frame: pd.DataFrame, settings: ValidationSettings) -> pd.DataFrame:
    """Add the numbers of the bins that spectra or stars lie in.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``kind``, ``q``, ``snr_g``, ``teff_k``, ``feh``.
    settings : ValidationSettings
        The bins, which hold their lower ends; that of mass ratios which ends at 1 holds 1, too.

    Returns
    -------
    pandas.DataFrame
        Those that lie in a cell, with ``q_bin`` (-1 but for pairs), ``snr_bin``, ``teff_bin`` and
        ``feh_bin``.
    """
    grid = settings.injection
    q = frame["q"].to_numpy(np.float64)
    columns = {
        "q_bin": bin_of(np.where(q == 1, np.nextafter(1, 0), q), settings.q_edges),
        "snr_bin": bin_of(frame["snr_g"].to_numpy(np.float64), grid.snr_edges),
        "teff_bin": bin_of(frame["teff_k"].to_numpy(np.float64), grid.teff_edges_k),
        "feh_bin": bin_of(frame["feh"].to_numpy(np.float64), grid.feh_edges),
    }
    pair = (frame["kind"] == PAIR).to_numpy()
    inside = np.all([columns[f"{name}_bin"] >= 0 for name in AXES], axis=0)
    inside &= ~pair | (columns["q_bin"] >= 0)
    columns["q_bin"] = np.where(pair, columns["q_bin"], -1)
    return frame.assign(**columns)[inside].reset_index(drop=True)


def cell_table(
    injected: pd.DataFrame, truth: pd.DataFrame | None, settings: ValidationSettings
) -> pa.Table:
    """Count, per threshold and cell, the spectra with a higher p_b.

    Parameters
    ----------
    injected : pandas.DataFrame
        As from `pipeline.validation.injected.Injection.run`: one spectrum per star and cell.
    truth : pandas.DataFrame, optional
        The same columns of the survey's own pairs and single stars.
    settings : ValidationSettings
        Bins and thresholds.

    Returns
    -------
    pyarrow.Table
        As `schemas.completeness.COMPLETENESS`. Intervals are Wilson's, of so many stars.
    """
    keys = ["kind", "q_bin", *(f"{name}_bin" for name in AXES)]
    cells = with_cells(injected, settings)
    known = None if truth is None else with_cells(truth, settings).groupby(keys)
    edges = {
        name: list(pairwise(values))
        for name, values in (
            ("q", settings.q_edges), ("snr", settings.injection.snr_edges),
            ("teff", settings.injection.teff_edges_k), ("feh", settings.injection.feh_edges),
        )
    }  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for key, cell in cells.groupby(keys):
        true = known.get_group(key) if known is not None and key in known.groups else None
        of_cell = cell.iloc[0]
        kind, q_bin = str(of_cell["kind"]), int(of_cell["q_bin"])
        ends: dict[str, tuple[float | None, float | None]] = {
            name: edges[name][int(of_cell[f"{name}_bin"])] for name in AXES
        }
        ends["q"] = edges["q"][q_bin] if q_bin >= 0 else (None, None)
        n = cell["star"].nunique()
        for threshold in settings.thresholds:
            found = int((cell["p_b"] > threshold).sum())
            estimate = share_interval(found, n)
            rows.append(
                (
                    threshold, kind, *ends["q"], *ends["snr"], *ends["teff"], *ends["feh"], n,
                    found, estimate.value, estimate.low, estimate.high,
                    None if true is None else float((true["p_b"] > threshold).mean()),
                    None if known is None else 0 if true is None else len(true),
                )
            )  # fmt: skip
    schema = COMPLETENESS.schema
    arrays = [pa.array([row[k] for row in rows], field.type) for k, field in enumerate(schema)]
    return pa.table(arrays, schema=schema)


def bin_of(value: FloatArray, edges: tuple[float, ...]) -> NDArray[np.int64]:
    """Return the number of the bin of each value; -1 outside of all, or where it is NaN."""
    place = np.searchsorted(edges, value, side="right") - 1
    with np.errstate(invalid="ignore"):
        inside = (value >= edges[0]) & (value < edges[-1])
    return np.where(inside, place, -1).astype(np.int64)


def true_systems(stars: pd.DataFrame) -> pd.DataFrame:
    """Return the truly single stars and pairs of the catalogue in the columns of injections.

    Parameters
    ----------
    stars : pandas.DataFrame
        As from `pipeline.validation.stars.read_stars`, with the truth.

    Returns
    -------
    pandas.DataFrame
        ``p_b`` is that of the spectrum of highest S/N, ``snr_g`` its S/N.
    """
    known = stars[stars["in_sample"] & stars["true_kind"].isin([PAIR, SINGLE])]
    known = known[np.isfinite(known["p_b_best"])]
    return pd.DataFrame(
        {
            "kind": known["true_kind"], "star": known["star_id"], "q": known["true_q"],
            "snr_g": known["snr_g_best"], "teff_k": known["teff_k"], "feh": known["feh"],
            "p_b": known["p_b_best"],
        }
    )  # fmt: skip
