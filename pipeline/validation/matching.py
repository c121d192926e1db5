"""Rows of a table from elsewhere to stars of the catalogue: by Gaia id, else by position."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pipeline.photometry.positions import chord, propagate, unit_vectors

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def by_id(source_id_T: IntArray, stars: pd.DataFrame) -> IntArray:
    """Find stars by their Gaia DR3 id.

    Parameters
    ----------
    source_id_T : ndarray of int64
        Ids; 0 where there is none.
    stars : pandas.DataFrame
        Stars of the catalogue.

    Returns
    -------
    ndarray of int64
        Row of `stars`; -1 where there is none.
    """
    own = stars["source_id"].to_numpy()
    order = np.argsort(own, kind="stable")
    place = np.searchsorted(own, source_id_T, sorter=order)
    row = order[np.minimum(place, max(len(own) - 1, 0))] if len(own) else np.zeros_like(place)
    found = (source_id_T != 0) & (own[row] == source_id_T) if len(own) else np.zeros(len(row), bool)
    return np.where(found, row, -1).astype(np.int64)


def by_position(
    ra_deg_T: FloatArray,
    dec_deg_T: FloatArray,
    epoch_yr: float,
    stars: pd.DataFrame,
    radius_arcsec: float,
) -> IntArray:
    """Find the nearest star, moved along its proper motion to the epoch of the table.

    Parameters
    ----------
    ra_deg_T, dec_deg_T : ndarray of float64
        Positions in degrees; NaN where there is none.
    epoch_yr : float
        Their epoch in Julian years.
    stars : pandas.DataFrame
        Stars of the catalogue.
    radius_arcsec : float
        Largest separation.

    Returns
    -------
    ndarray of int64
        Row of `stars`; -1 where there is none within the radius.
    """
    placed = np.flatnonzero(np.isfinite(stars["ra_deg"]) & np.isfinite(stars["dec_deg"]))
    wanted = np.flatnonzero(np.isfinite(ra_deg_T) & (np.abs(dec_deg_T) <= 90))
    found = np.full(len(ra_deg_T), -1, np.int64)
    if not placed.size or not wanted.size:
        return found
    here = stars.iloc[placed]
    columns = ("ra_deg", "dec_deg", "pm_ra_masyr", "pm_dec_masyr")
    ra, dec, pm_ra, pm_dec = (here[name].to_numpy(np.float64) for name in columns)
    # A fibre's position has no epoch, and no motion either.
    years = np.nan_to_num(epoch_yr - here["ref_epoch_yr"].to_numpy(np.float64))
    tree = KDTree(propagate(ra, dec, pm_ra, pm_dec, years))
    answer = tree.query(unit_vectors(ra_deg_T[wanted], dec_deg_T[wanted]))
    distance, nearest = (np.asarray(value) for value in answer)
    near = distance <= chord(np.array(radius_arcsec))
    found[wanted[near]] = placed[nearest[near]]
    return found


def by_id_or_position(
    source_id_T: IntArray,
    ra_deg_T: FloatArray,
    dec_deg_T: FloatArray,
    epoch_yr: float,
    stars: pd.DataFrame,
    radius_arcsec: float,
) -> IntArray:
    """Find stars by id; rows that have no id, and those only, by position.

    Parameters
    ----------
    source_id_T, ra_deg_T, dec_deg_T, epoch_yr, stars, radius_arcsec
        As of `by_id` and `by_position`.

    Returns
    -------
    ndarray of int64
        Row of `stars`, or -1.
    """
    near = by_position(ra_deg_T, dec_deg_T, epoch_yr, stars, radius_arcsec)
    return np.where(source_id_T != 0, by_id(source_id_T, stars), near)


def first_of_each(row_T: IntArray) -> NDArray[np.bool_]:
    """Tell which rows are the first that were matched to their star."""
    first = np.zeros(len(row_T), bool)
    first[np.unique(row_T, return_index=True)[1]] = True
    return first & (row_T >= 0)


def match_note(row_T: IntArray, first_T: NDArray[np.bool_]) -> str:
    """Say what became of the rows of a table: none is lost without a word.

    Parameters
    ----------
    row_T : ndarray of int64
        As from `by_position` and the others.
    first_T : ndarray of bool
        As from `first_of_each`.
    """
    n_matched, n_first = int((row_T >= 0).sum()), int(first_T.sum())
    return (
        f"{len(row_T):,} listed: {len(row_T) - n_matched:,} are none of our stars with a p_b, "
        f"{n_matched - n_first:,} are of a star listed before, {n_first:,} are compared"
    )
