"""Every counted spectrum gets the identifier of its star."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline.core.errors import MismatchError
from pipeline.photometry.grouping import assign_sources, designation, position_groups
from schemas.quality import UNCOUNTED

_COLUMNS = ["row", "obsid", "ra_deg", "dec_deg", "gaia_source_id"]


def assign_stars(
    observations: Path, radius_arcsec: float, *, trust_ids: bool, photometry: Path | None = None
) -> pa.Table:
    """Group the counted spectra of the whole survey into stars.

    Needs the positions of all spectra at once: 40 bytes per spectrum, besides the names.

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
    pyarrow.Table
        ``row``, ``star_id`` and ``source_id`` (null for stars by position), ordered by row.

    Raises
    ------
    MismatchError
        The photometry does not hold each counted spectrum once.
    """
    counted = pc.equal(pc.bit_wise_and(pc.field("quality"), int(UNCOUNTED)), 0)
    table = ds.dataset(observations, format="parquet").to_table(columns=_COLUMNS, filter=counted)
    table = table.sort_by("row")
    row = table["row"].to_numpy()
    ra, dec = (table[name].to_numpy().astype(float) for name in ("ra_deg", "dec_deg"))
    source = np.zeros(row.size, np.int64)
    if photometry is not None:
        source = _matched_sources(photometry, row)
    elif trust_ids:
        source = pc.fill_null(table["gaia_source_id"], 0).to_numpy()
    group = position_groups(ra, dec, radius_arcsec)
    source = assign_sources(group, source)
    return pa.table(
        {
            "row": row,
            "star_id": _names(group, source, row, ra, dec),
            "source_id": pa.array(source, mask=source == 0),
        }
    )


def _matched_sources(photometry: Path, row: Any) -> Any:
    """Source ids of the rows by the photometry, 0 without a match."""
    table = ds.dataset(photometry, format="parquet").to_table(columns=["row", "source_id"])
    table = table.sort_by("row")
    if not np.array_equal(table["row"].to_numpy(), row):
        raise MismatchError(
            f"{photometry} has {table.num_rows} rows, which are not the {row.size} counted "
            "observations: run `pairspec photometry` again"
        )
    return pc.fill_null(table["source_id"], 0).to_numpy()


def _names(group: Any, source: Any, row: Any, ra: Any, dec: Any) -> pa.Array:
    # One name a group, that of its first member.
    nameless = source == 0
    first, member = np.unique(group[nameless], return_inverse=True)
    by_position = [
        designation(ra[i], dec[i]) if np.isfinite(ra[i] + dec[i]) else f"spectrum {row[i]}"
        for i in first
    ]
    gaia = pc.binary_join_element_wise("Gaia", pa.array(source).cast(pa.string()), " ")
    positions = pa.array(by_position, pa.string()).take(pa.array(member))
    return pc.replace_with_mask(gaia, pa.array(nameless), positions)
