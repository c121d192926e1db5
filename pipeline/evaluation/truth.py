"""The catalogue compared with the truth of a simulated survey."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.evaluation.intervals import Estimate, by_star
from pipeline.network.metrics import weighted_auc, weighted_mean
from pipeline.tables.kind import Kind, kind_of
from pipeline.tables.literal import parquet_files
from pipeline.tables.table import open_table

Q_RANGE = (0.71, 0.93)
"""Mass ratios that the network is trained to find. [paper]"""

_TRUTH = {"obsid": pa.int64(), "source_id": pa.int64(), "kind": pa.string(), "q": pa.float64()}
"""What is read of the truth."""

TEFF_EDGES_K = (3800, 4500, 5000, 5500, 6000, 6500)

# The paper's cuts for the application sample, as far as they need no photometry.
_SPECTRA = """
    SELECT s.star_id, s.p_b::DOUBLE AS p_b, s.teff_k, s.snr_g, t.kind, t.q, t.source_id
    FROM read_parquet($spectra, hive_partitioning = false) AS s
    JOIN read_parquet($truth, hive_partitioning = false) AS t USING (obsid)
    WHERE s.p_b IS NOT NULL AND s.snr_g > 20 AND s.logg > 4 AND s.teff_k > 3800
      AND s.teff_k < 6500
    ORDER BY s."row"
"""


@dataclass(frozen=True)
class TruthComparison:
    """How well the catalogue agrees with the truth.

    Parameters
    ----------
    auc : Estimate
        Spectra of pairs within :data:`Q_RANGE` against spectra of single stars.
    auc_by_teff : dict of str to Estimate
        The same in bins of the catalogue's Teff.
    completeness, purity : dict of float to Estimate
        By threshold on a star's highest p_b: share of the stars within :data:`Q_RANGE` that are
        found, and share of the found stars that are pairs of any mass ratio.
    n_spectra, n_stars : int
        What was compared.
    """

    auc: Estimate
    auc_by_teff: dict[str, Estimate]
    completeness: dict[float, Estimate]
    purity: dict[float, Estimate]
    n_spectra: int
    n_stars: int


def check_truth(folder: Path) -> None:
    """Check that a folder holds the truth of a simulated survey; no rows are read.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.

    Raises
    ------
    InputError
        It is not there, or holds something else.
    InputError, InputError
        Its table is broken, or lacks a column.
    """
    path = folder / "observations.parquet"
    advice = "name the folder truth/ that `pairspec simulate` wrote, or leave it out"
    if not path.is_file():
        raise InputError(f"{folder} is no folder with an observations.parquet; {advice}")
    if kind_of(path) is not Kind.PARQUET:
        raise InputError(f"{path} is not Parquet; {advice}")
    open_table(path, {name: (name,) for name in _TRUTH}, tuple(_TRUTH), _TRUTH)


def compare_with_truth(
    spectra: Path, truth: Path, thresholds: tuple[float, ...] = (0.5, 0.8)
) -> TruthComparison:
    """Compare the catalogue of spectra with the truth of the survey.

    Parameters
    ----------
    spectra : pathlib.Path
        Folder of the catalogue of spectra.
    truth : pathlib.Path
        Folder of the truth.
    thresholds : tuple of float
        On p_b.

    Returns
    -------
    TruthComparison
        Figures with 95 % intervals, drawn by star.
    """
    with duckdb.connect() as db:
        table = db.sql(
            _SPECTRA,
            params={
                "spectra": parquet_files(spectra),
                "truth": parquet_files(truth / "observations.parquet"),
            },
        ).to_arrow_table()
    p_b, teff, q = (table[name].to_numpy().astype(float) for name in ("p_b", "teff_k", "q"))
    kind = np.array(table["kind"].to_pylist(), dtype=object)
    star = table["source_id"].to_numpy()
    pair = (kind == "pair") & (q > Q_RANGE[0]) & (q < Q_RANGE[1])
    compared = pair | (kind == "single")
    bins = list(pairwise(TEFF_EDGES_K))
    first, best = _stars(star, p_b)
    pairs, found_by = pair[first], {t: best > t for t in thresholds}
    return TruthComparison(
        auc=_auc(compared, p_b, pair, star),
        auc_by_teff={
            f"{low}-{high} K": _auc(compared & (teff >= low) & (teff < high), p_b, pair, star)
            for low, high in bins
        },
        completeness={t: _share(found[pairs], star[first][pairs]) for t, found in found_by.items()},
        purity={
            t: _share((kind[first] == "pair")[found], star[first][found])
            for t, found in found_by.items()
        },
        n_spectra=table.num_rows,
        n_stars=first.size,
    )


def _auc(
    rows: NDArray[np.bool_],
    p_b: NDArray[np.float64],
    pair: NDArray[np.bool_],
    star: NDArray[np.int64],
) -> Estimate:
    score, label = p_b[rows], pair[rows]
    return by_star(lambda weight: weighted_auc(score, label, weight), star[rows])


def _share(hit: NDArray[np.bool_], star: NDArray[np.int64]) -> Estimate:
    return by_star(lambda weight: weighted_mean(hit, weight), star)


def _stars(
    star: NDArray[np.int64], p_b: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return each star's first row and its highest p_b."""
    _, first, inverse = np.unique(star, return_index=True, return_inverse=True)
    best = np.full(first.size, -np.inf)
    np.maximum.at(best, inverse, p_b)
    return first, best
