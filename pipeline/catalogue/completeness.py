"""The selection function of a run: in SQL, and for arrays."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.core.errors import InputError
from pipeline.core.parquet import read_table
from schemas.completeness import COMPLETENESS

if TYPE_CHECKING:
    import duckdb

FloatArray = NDArray[np.float64]

_INSIDE = """
    snr >= snr_low AND snr < snr_high AND teff >= teff_low_k AND teff < teff_high_k
    AND feh >= feh_low AND feh < feh_high AND p_b_min = threshold
"""
_MACROS = f"""
    CREATE MACRO completeness(q, snr, teff, feh, threshold := 0.5) AS (
        SELECT max(share) FROM completeness
        WHERE kind = 'pair' AND q >= q_low AND (q < q_high OR (q = 1 AND q_high = 1)) AND {_INSIDE}
    );
    CREATE MACRO mean_completeness(q_from, q_to, snr, teff, feh, threshold := 0.5) AS (
        SELECT CASE WHEN sum(width) > 0.9999 * (max(q_to) - max(q_from))
            THEN sum(share * width) / sum(width) END
        FROM (
            SELECT share, greatest(0, least(q_high, q_to) - greatest(q_low, q_from)) AS width
            FROM completeness WHERE kind = 'pair' AND {_INSIDE}
        )
    );
    CREATE MACRO false_positive_rate(snr, teff, feh, threshold := 0.5) AS (
        SELECT max(share) FROM completeness WHERE kind = 'single' AND {_INSIDE}
    );
"""  # noqa: S608 (made of constants)


def add_completeness(db: "duckdb.DuckDBPyConnection") -> None:
    """Add the macros ``completeness``, its mean, and ``false_positive_rate`` beside the view.

    Parameters
    ----------
    db : duckdb.DuckDBPyConnection
        Not yet locked; it has the view ``completeness``.
    """
    db.execute(_MACROS)


class Shares(NamedTuple):
    """Shares above a threshold, with their 95 % intervals; NaN where no cell holds the values.

    Parameters
    ----------
    share, low, high : ndarray of float64
        Of the shape of the values.
    """

    share: FloatArray
    low: FloatArray
    high: FloatArray


class SelectionFunction:
    """Completeness and false-positive rate of a run by cell, as `pairspec validate` measured them.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.

    Raises
    ------
    InputError
        They have not been measured.
    MismatchError
        Their file is damaged.
    """

    def __init__(self, root: Path) -> None:
        path = root / COMPLETENESS.location
        if not path.is_file():
            raise InputError(
                f"{path} is not there: run `pairspec validate completeness --root {root}`"
            )
        table = read_table(path, COMPLETENESS)
        self._kind = np.array(table["kind"].to_pylist(), dtype=str)
        self._column = {
            f.name: table[f.name].to_numpy().astype(np.float64)
            for f in COMPLETENESS.schema
            if f.name != "kind"
        }

    def completeness(
        self,
        q: ArrayLike,
        snr: ArrayLike,
        teff: ArrayLike,
        feh: ArrayLike,
        threshold: float = 0.5,
    ) -> Shares:
        """Return the share of pairs that has a p_b above a threshold.

        Parameters
        ----------
        q, snr, teff, feh : array_like of float
            Mass ratio, S/N in g, Teff in K and [Fe/H] in dex, which broadcast.
        threshold : float
            On p_b; one of `validation.thresholds`.

        Returns
        -------
        Shares
            Of the cell that holds the values; NaN outside of the grid and in cells without a pair.

        Raises
        ------
        InputError
            There is no such threshold.
        """
        return self._look_up("pair", (q, snr, teff, feh), threshold)

    def false_positive_rate(
        self, snr: ArrayLike, teff: ArrayLike, feh: ArrayLike, threshold: float = 0.5
    ) -> Shares:
        """Return the share of stars labelled as single that has a p_b above a threshold.

        Parameters
        ----------
        snr, teff, feh, threshold
            As of `completeness`.

        Returns
        -------
        Shares
            As of `completeness`.

        Raises
        ------
        InputError
            There is no such threshold.
        """
        return self._look_up("single", (None, snr, teff, feh), threshold)

    def _look_up(self, kind: str, values: tuple[ArrayLike | None, ...], threshold: float) -> Shares:
        thresholds = np.unique(self._column["p_b_min"])
        if threshold not in thresholds:
            known = ", ".join(f"{t:g}" for t in thresholds)
            raise InputError(
                f"completeness was measured for p_b above {known}, not {threshold:g}; set "
                "validation.thresholds and run `pairspec validate completeness`"
            )
        arrays = np.broadcast_arrays(
            *(np.asarray(np.nan if v is None else v, np.float64) for v in values)
        )
        q, *others = (a.ravel() for a in arrays)
        found = np.full((3, q.size), np.nan)
        rows = np.flatnonzero((self._kind == kind) & (self._column["p_b_min"] == threshold))
        # Cells are few and do not overlap.
        for row in rows:
            cell = {name: column[row] for name, column in self._column.items()}
            inside = np.ones(q.size, bool)
            for value, (low, high) in zip(others, _ENDS, strict=True):
                inside &= (value >= cell[low]) & (value < cell[high])
            if kind == "pair":
                inside &= (q >= cell["q_low"]) & (
                    (q < cell["q_high"]) | ((q == 1) & (cell["q_high"] == 1))
                )
            found[:, inside] = [[cell[n]] for n in ("share", "share_low", "share_high")]
        return Shares(*(column.reshape(arrays[0].shape) for column in found))


_ENDS = (("snr_low", "snr_high"), ("teff_low_k", "teff_high_k"), ("feh_low", "feh_high"))
