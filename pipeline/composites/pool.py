"""The pool of single dwarfs whose spectra are added up."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.parquet import read_table
from pipeline.core.root import Root
from pipeline.labels.labels import SINGLE
from pipeline.labels.split import split
from pipeline.photometry.assignment import assign_stars
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.labels import LabelSettings
from pipeline.settings.sample import SampleSettings
from pipeline.stars.dwarf_mass import dwarf_mass
from schemas.composites import COMPOSITE_POOL
from schemas.observations import OBSERVATIONS
from schemas.quality import UNCOUNTED
from schemas.sample import LABELS

FloatArray = NDArray[np.float64]

_OBSERVED = ["shard", "row", "snr_g", "teff_k", "logg", "feh", "rv_kms"]


@dataclass(frozen=True)
class Pool:
    """B spectra of single dwarfs; the columns of the table of the same name.

    Parameters
    ----------
    shard, row : ndarray of int64, (B,)
        Place in the store.
    star : ndarray of int64, (B,)
        Gaia source, or a negative number where there is none.
    teff_k, logg, feh, rv_kms : ndarray of float64, (B,)
        As the catalogue gives them.
    mass_msun, m_g : ndarray of float64, (B,)
        Mass (Sun = 1) and absolute G magnitude by the main sequence.
    """

    shard: NDArray[np.int64]
    row: NDArray[np.int64]
    star: NDArray[np.int64]
    teff_k: FloatArray
    logg: FloatArray
    feh: FloatArray
    rv_kms: FloatArray
    mass_msun: FloatArray
    m_g: FloatArray

    def __len__(self) -> int:
        """Count the spectra."""
        return len(self.row)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Pool":
        """Return some of the spectra.

        Parameters
        ----------
        rows : ndarray of int64 or bool
            Which of them.

        Returns
        -------
        Pool
            In the order of ``rows``.
        """
        return Pool(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def read_pool(path: Path, part: str) -> Pool:
    """Read the spectra of one part of the split.

    Parameters
    ----------
    path : pathlib.Path
        File of the table.
    part : str
        Name of the part.

    Returns
    -------
    Pool
        In the order of the table.
    """
    return pool_of(read_table(path, COMPOSITE_POOL, filters=pc.equal(pc.field("split"), part)))


def pool_of(table: pa.Table) -> Pool:
    """Return the spectra of a table, in its order.

    Parameters
    ----------
    table : pyarrow.Table
        As :data:`schemas.composites.COMPOSITE_POOL`.
    """
    columns = {f.name: table[f.name].to_numpy() for f in fields(Pool)}
    whole = ("shard", "row", "star")
    return Pool(**{k: v.astype(np.int64 if k in whole else np.float64) for k, v in columns.items()})


def joined_pools(*pools: Pool) -> Pool:
    """Put pools behind each other.

    Parameters
    ----------
    *pools : Pool
        At least one.
    """
    return Pool(
        **{f.name: np.concatenate([getattr(pool, f.name) for pool in pools]) for f in fields(Pool)}
    )


def find_dwarfs(
    root: Root,
    settings: CompositeSettings,
    sample: SampleSettings,
    labels: LabelSettings,
    *,
    labelled: bool,
    star_radius_arcsec: float,
    trust_ids: bool,
) -> pa.Table:
    """Find the single dwarfs of a survey whose spectra are good enough to be added up.

    Parameters
    ----------
    root : Root
        Where the tables are.
    settings : CompositeSettings
        Limits in S/N, log g and [Fe/H], the isochrone.
    sample : SampleSettings
        Limits in Teff, and in log g where the pool has none of its own.
    labels : LabelSettings
        The split, where there are no labels.
    labelled : bool
        Take the stars that are labelled as single, with their part; else every dwarf, unresolved
        pairs among them.
    star_radius_arcsec, trust_ids : float, bool
        What is one star, where there are no labels: see
        :func:`pipeline.photometry.assignment.assign_stars`.

    Returns
    -------
    pyarrow.Table
        As :data:`schemas.composites.COMPOSITE_POOL`.
    """
    logg_min = sample.logg_min if settings.pool_logg_min is None else settings.pool_logg_min
    wanted = pc.equal(pc.bit_wise_and(pc.field("quality"), int(UNCOUNTED)), 0)
    for name, low, high in (
        ("teff_k", sample.teff_min_k, sample.teff_max_k),
        ("logg", logg_min, np.inf),
        ("snr_g", settings.pool_snr_min, np.inf),
        ("feh", settings.feh_min, np.inf),
    ):
        wanted &= (pc.field(name) > float(low)) & (pc.field(name) < float(high))
    wanted &= pc.is_finite(pc.field("rv_kms"))
    observed = read_table(root.table(OBSERVATIONS), OBSERVATIONS, _OBSERVED, wanted)
    frame = observed.to_pandas()
    stars = _labelled_stars(root) if labelled else _all_stars(root, star_radius_arcsec, trust_ids)
    frame = frame.merge(stars, on="row", how="inner").sort_values("row", ignore_index=True)
    if not labelled:
        frame["split"] = split(frame["star"].to_numpy(), labels)
    dwarfs = dwarf_mass(
        frame["teff_k"].to_numpy(np.float64), frame["feh"].to_numpy(np.float64), settings.log_age
    )
    frame["mass_msun"], frame["m_g"] = dwarfs
    frame = frame[np.isfinite(frame["mass_msun"])]
    arrays = [pa.array(frame[f.name].to_numpy(), f.type) for f in COMPOSITE_POOL.schema]
    return pa.Table.from_arrays(arrays, schema=COMPOSITE_POOL.schema)


def _labelled_stars(root: Root) -> pd.DataFrame:
    single = pc.equal(pc.field("label"), SINGLE)
    table = read_table(root.table(LABELS), LABELS, ["row", "source_id", "split"], single)
    frame: pd.DataFrame = table.rename_columns(["row", "star", "split"]).to_pandas()
    return frame


def _all_stars(root: Root, radius_arcsec: float, trust_ids: bool) -> pd.DataFrame:
    assigned = assign_stars(root.table(OBSERVATIONS), radius_arcsec, trust_ids=trust_ids)
    return pd.DataFrame({"row": assigned.row_B, "star": assigned.star_B})
