"""The stars of a catalogue in memory: what the pictures and the table show of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.browse.work import LONGEST_S
from pipeline.catalogue.complaint import complain
from pipeline.catalogue.query import connect, select_stars
from pipeline.core.errors import InputError
from pipeline.core.parquet import read_table
from pipeline.core.published import require_published
from pipeline.core.root import Root
from schemas.catalogue import HEALPIX, STARS

Mask = NDArray[np.bool_]
Chosen = NDArray[np.int64]

SHOWN = (
    "ra_deg", "dec_deg", "g_ks_0", "m_g", "delta_m_g", "p_b", "p_b_combined", "n_spectra",
    "snr_g_best",
)  # fmt: skip
"""Columns of numbers in memory: 44 bytes per star, and about 50 with its name."""


@dataclass(frozen=True, eq=False)
class Stars:
    """Stars in the order of the catalogue.

    Parameters
    ----------
    root : Root
        Of the run.
    star_id_S : pyarrow.ChunkedArray of string, (S,)
        Their names.
    healpix_S : ndarray of int64, (S,)
        Index of their place.
    numbers : mapping of str to ndarray, (S,)
        The columns :data:`SHOWN`; NaN where null.
    """

    root: Root
    star_id_S: pa.ChunkedArray
    healpix_S: NDArray[np.int64]
    numbers: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.star_id_S)

    def where(self, condition: str) -> Mask:
        """Return which stars meet a condition.

        Parameters
        ----------
        condition : str
            In SQL on the columns of the stars.

        Returns
        -------
        ndarray of bool, (S,)
            True where it holds.

        Raises
        ------
        InputError
            It is not valid, fails for the value of a star, or does more than to read.
        """
        root = self.root.path
        with connect(root, limit_s=LONGEST_S) as tables, complain(root):
            # What closes our bracket and opens its own would mean another thing beside a box.
            tables.sql(f"SELECT\n{condition}\nAS holds FROM stars LIMIT 0").to_arrow_table()
            names = tables.sql(select_stars("star_id", condition)).to_arrow_table()["star_id"]
        return np.asarray(pc.is_in(self.star_id_S, value_set=names.combine_chunks()))


def best_rows(stars: Stars, chosen_C: Chosen | None, most: int) -> Chosen:
    """Return the positions of the selected stars of highest p_b, the highest first.

    Parameters
    ----------
    stars : Stars
        All stars.
    chosen_C : ndarray of int64, (C,), optional
        Positions of the selected stars; None for all.
    most : int
        At most so many; stars without p_b come last.
    """
    if chosen_C is None:
        return _best_of_all(stars, most)
    score = np.nan_to_num(stars.numbers["p_b"].take(chosen_C), nan=-1.0)
    if chosen_C.size > most:
        part = np.argpartition(score, chosen_C.size - most)[chosen_C.size - most :]
        chosen_C, score = chosen_C[part], score[part]
    return chosen_C[np.lexsort((chosen_C, -score))]


@lru_cache(maxsize=2)
def _best_of_all(stars: Stars, most: int) -> Chosen:
    return best_rows(stars, np.arange(len(stars)), most)


def read_stars(root: Root) -> Stars:
    """Read the stars of a finished catalogue.

    Parameters
    ----------
    root : Root
        Of the run.

    Raises
    ------
    NotReadyError
        The run has no catalogue; the message names the command that makes it.
    InputError
        The catalogue has no star.
    """
    require_published(root.path, "catalogue", "catalogue")
    table = read_table(root.table(STARS), STARS, [HEALPIX, "star_id", *SHOWN])
    if not table.num_rows:
        raise InputError(
            f"the catalogue of {root.path} has no star with a position: nothing to show"
        )
    numbers = {name: _values(table[name]) for name in SHOWN}
    return Stars(root, table["star_id"], _values(table[HEALPIX]), numbers)


def _values(column: pa.ChunkedArray) -> NDArray[Any]:
    if pa.types.is_floating(column.type):
        column = pc.fill_null(column, np.nan)
    values: NDArray[Any] = column.combine_chunks().to_numpy(zero_copy_only=False)
    return values
