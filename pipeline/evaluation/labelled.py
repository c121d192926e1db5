"""Predictions beside the labels of the same spectra."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.tables.literal import parquet_files

_JOINED = """
    SELECT l.source_id, l.label, l.split,
           p.p_b::DOUBLE AS p_b, p.logit::DOUBLE AS logit, p.model_id,
           {observed}, {truth}
    FROM read_parquet($labels, hive_partitioning = false) AS l
    LEFT JOIN read_parquet($predictions, hive_partitioning = false) AS p USING ("row")
    {join}
    ORDER BY l."row"
"""


@dataclass(frozen=True)
class LabelledPredictions:
    """B labelled spectra with their predictions.

    Parameters
    ----------
    star_B : ndarray of int64, (B,)
        Gaia source.
    label_B, split_B : ndarray of str, (B,)
        As in the table of labels.
    p_b_B, logit_B : ndarray of float64, (B,)
        Predictions, NaN where there is none.
    model_B : ndarray of str, (B,)
        The network that gave them; empty where there is no prediction.
    kind_B : ndarray of str, (B,)
        What a simulated star really is (`single`, `pair`, `giant`); empty elsewhere.
    q_B : ndarray of float64, (B,)
        Its mass ratio; NaN elsewhere.
    teff_k_B, snr_g_B : ndarray of float64, (B,)
        Effective temperature in K and S/N in g; NaN where not known or not read.
    """

    star_B: NDArray[np.int64]
    label_B: NDArray[np.str_]
    split_B: NDArray[np.str_]
    p_b_B: NDArray[np.float64]
    logit_B: NDArray[np.float64]
    model_B: NDArray[np.str_]
    kind_B: NDArray[np.str_]
    q_B: NDArray[np.float64]
    teff_k_B: NDArray[np.float64]
    snr_g_B: NDArray[np.float64]

    def take(self, rows: NDArray[np.bool_]) -> "LabelledPredictions":
        """Return some of the spectra.

        Parameters
        ----------
        rows : ndarray of bool, (B,)
            Which of them.

        Returns
        -------
        LabelledPredictions
            In order.
        """
        return LabelledPredictions(**{name: column[rows] for name, column in vars(self).items()})

    def part(self, split: str) -> "LabelledPredictions":
        """Return the spectra of one part that are labelled and have a p_b.

        Parameters
        ----------
        split : str
            Name of the part.

        Returns
        -------
        LabelledPredictions
            In order.
        """
        known = (self.label_B == "single") | (self.label_B == "binary")
        return self.take(known & (self.split_B == split) & np.isfinite(self.p_b_B))

    @property
    def binary_B(self) -> NDArray[np.bool_]:
        """True where the label is `binary`: (B,)."""
        return np.asarray(self.label_B == "binary")


def read_labelled_predictions(
    labels: Path, predictions: Path, truth: Path | None, observations: Path | None = None
) -> LabelledPredictions:
    """Join the tables of labels and of predictions, and the truth of a simulated survey.

    Parameters
    ----------
    labels, predictions : pathlib.Path
        Folders of the two tables.
    truth : pathlib.Path, optional
        Folder of the truth; None for a real survey.
    observations : pathlib.Path, optional
        Folder of the table with Teff and S/N; None where they are not needed.

    Returns
    -------
    LabelledPredictions
        One entry per spectrum of the labels, in order of row.
    """
    columns = "t.kind, t.q::DOUBLE AS q" if truth else "NULL::VARCHAR AS kind, NULL::DOUBLE AS q"
    read = "LEFT JOIN read_parquet($%s, hive_partitioning = false) AS"
    join = f"{read % 'truth'} t ON l.obsid = t.obsid" if truth else ""
    observed = "NULL::DOUBLE AS teff_k, NULL::DOUBLE AS snr_g"
    if observations:
        observed = "o.teff_k::DOUBLE AS teff_k, o.snr_g::DOUBLE AS snr_g"
        join += f' {read % "observations"} o USING ("row")'
    params = {"labels": parquet_files(labels), "predictions": parquet_files(predictions)}
    if truth:
        params["truth"] = parquet_files(truth / "observations.parquet")
    if observations:
        params["observations"] = parquet_files(observations)
    query = _JOINED.format(truth=columns, observed=observed, join=join)
    with duckdb.connect() as db:
        table = db.sql(query, params=params).to_arrow_table()
    texts = {
        name: np.array(table[name].fill_null("").to_pylist(), dtype=str)
        for name in ("label", "split", "model_id", "kind")
    }
    names = ("p_b", "logit", "q", "teff_k", "snr_g")
    numbers = {name: table[name].to_numpy().astype(float) for name in names}
    return LabelledPredictions(
        table["source_id"].to_numpy(),
        texts["label"],
        texts["split"],
        numbers["p_b"],
        numbers["logit"],
        texts["model_id"],
        texts["kind"],
        numbers["q"],
        numbers["teff_k"],
        numbers["snr_g"],
    )
