"""Every counted spectrum gets the identifier of its star."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.errors import MismatchError
from pipeline.core.parquet import read_table
from pipeline.photometry.grouping import assign_sources, position_groups
from pipeline.photometry.naming import designations
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.quality import UNCOUNTED


@dataclass(frozen=True)
class Assignment:
    """The stars of B counted spectra: 32 bytes per spectrum.

    Parameters
    ----------
    row_B : ndarray of int64, (B,)
        Rows of the store, which rise.
    star_B : ndarray of int64, (B,)
        Gaia source; -1 - row of the first member of its group where the star is known by its
        position.
    ra_deg_B, dec_deg_B : ndarray of float64, (B,)
        Position; NaN where it is unknown.
    """

    row_B: NDArray[np.int64]
    star_B: NDArray[np.int64]
    ra_deg_B: NDArray[np.float64]
    dec_deg_B: NDArray[np.float64]

    def table(self, first: int, last: int) -> pa.Table:
        """Return the stars of some of the spectra.

        Parameters
        ----------
        first, last : int
            Rows of the store, the last one excluded.

        Returns
        -------
        pyarrow.Table
            ``row``, ``star_id`` and ``source_id`` (null for stars by position), ordered by row.
        """
        table = self.short_table(first, last)
        return table.set_column(1, "star_id", star_ids(table["source_id"], table["star_id"]))

    def short_table(self, first: int, last: int) -> pa.Table:
        """Return the same, but with ``star_id`` null where `star_ids` makes it of the source."""
        here = slice(*np.searchsorted(self.row_B, [first, last]))
        star = self.star_B[here]
        unmatched = star < 0
        named, member = np.unique(star[unmatched], return_inverse=True)
        names = np.full(star.size, -1)
        names[unmatched] = member
        return pa.table(
            {
                "row": self.row_B[here],
                "star_id": self._names(-1 - named).take(pa.array(names, mask=~unmatched)),
                "source_id": pa.array(star, mask=unmatched),
            }
        )

    def numbers(self) -> tuple[int, NDArray[np.int32]]:
        """Return how many stars there are, and a number from 0 for the star of each spectrum."""
        order = np.argsort(self.star_B)
        rising = self.star_B[order]
        rising[1:] = rising[1:] != rising[:-1]
        rising[:1] = 0
        np.cumsum(rising, out=rising)
        number_B = np.empty(order.size, np.int32)
        number_B[order] = rising
        return int(rising.max(initial=-1)) + 1, number_B

    def _names(self, first_row: NDArray[np.int64]) -> pa.Array:
        """Names of groups by the rows of their first members."""
        rows = pa.array(first_row).cast(pa.string())
        alone = pc.binary_join_element_wise("spectrum", rows, " ")
        index = np.searchsorted(self.row_B, first_row)
        return pc.coalesce(designations(self.ra_deg_B[index], self.dec_deg_B[index]), alone)


def star_ids(source_id: pa.ChunkedArray, names: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ``Gaia <source_id>``, or the name of the position where there is no source.

    Parameters
    ----------
    source_id : pyarrow.ChunkedArray of int64
        Sources; null for stars by position.
    names : pyarrow.ChunkedArray of string
        Names of those.
    """
    gaia = pc.binary_join_element_wise("Gaia", source_id.cast(pa.string()), " ")
    return pc.coalesce(gaia, names)


def assign_stars(
    observations: Path, radius_arcsec: float, *, trust_ids: bool, photometry: Path | None = None
) -> Assignment:
    """Group the counted spectra of the whole survey into stars.

    Needs the positions of all spectra at once: 80 bytes per spectrum while it works.

    Parameters
    ----------
    observations : pathlib.Path
        Folder of the observations table.
    radius_arcsec : float
        Spectra closer than this are one star, where no source id says otherwise.
    trust_ids : bool
        Use the catalogue's Gaia ids, whose release the settings declare. Not read where there
        is photometry.
    photometry : pathlib.Path, optional
        Folder of the photometry table, whose match by position at the epoch of the observation
        is better evidence than any declared id.

    Returns
    -------
    Assignment
        The star of each counted spectrum.

    Raises
    ------
    MismatchError
        The photometry does not hold each counted spectrum once.
    """
    row, ra, dec, source = _observed(observations, trust_ids=trust_ids and photometry is None)
    if photometry is not None:
        source = _matched_sources(photometry, row)
    group = position_groups(ra, dec, radius_arcsec)
    star = assign_sources(group, source)
    unmatched = np.flatnonzero(star == 0)
    star[unmatched] = -1 - row[group[unmatched]]
    return Assignment(row, star, ra, dec)


def _observed(
    observations: Path, *, trust_ids: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Rows, positions and declared sources of the counted spectra, in order of row."""
    counted = pc.equal(pc.bit_wise_and(pc.field("quality"), int(UNCOUNTED)), 0)
    columns = ["row", "ra_deg", "dec_deg", *(["gaia_source_id"] if trust_ids else [])]
    found = _by_row(read_table(observations, OBSERVATIONS, columns, counted))
    row = found["row"].to_numpy()
    ra, dec = (
        found[name].to_numpy().astype(np.float64, copy=False) for name in ("ra_deg", "dec_deg")
    )
    if not trust_ids:
        return row, ra, dec, np.zeros(row.size, np.int64)
    return row, ra, dec, pc.fill_null(found["gaia_source_id"], 0).to_numpy()


def _matched_sources(photometry: Path, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Source ids of the rows by the photometry, 0 without a match."""
    table = _by_row(read_table(photometry, PHOTOMETRY, ["row", "source_id"]))
    if not np.array_equal(table["row"].to_numpy(), row):
        raise MismatchError(
            f"{photometry} has {table.num_rows} rows, which are not the {row.size} counted "
            "observations: run `pairspec photometry` again"
        )
    return np.asarray(pc.fill_null(table["source_id"], 0).to_numpy())


def _by_row(table: pa.Table) -> pa.Table:
    row = table["row"].to_numpy()
    return table if np.all(row[1:] > row[:-1]) else table.sort_by("row")
