"""Sources of Gaia that were acquired, where they were at another epoch."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.tables.names import resolve
from pipeline.tables.source_columns import GAIA, GAIA_REQUIRED

SOURCES = pa.schema([("source_id", pa.int64()), ("ra", pa.float64()), ("dec", pa.float64())])
_GAIA_EPOCH_YR = 2016.0
_MISSING = {"ra": np.nan, "dec": np.nan, "pmra": 0.0, "pmdec": 0.0, "ref_epoch": _GAIA_EPOCH_YR}
"""What counts where a column or a value of it is missing."""
_WANTED = {"source_id", *_MISSING}


def gaia_files(catalogues: Path) -> list[Path]:
    """Return the files of Gaia that were acquired: a table by TAP, or partitions of HATS.

    Parameters
    ----------
    catalogues : pathlib.Path
        Folder of the catalogues.

    Raises
    ------
    InputError
        There is none.
    """
    table = catalogues / "gaia.parquet"
    files = [table] if table.exists() else sorted((catalogues / "gaia").rglob("Npix=*.parquet"))
    if not files:
        raise InputError(
            f"no sources of Gaia in {catalogues}, around which 2MASS is asked for; run pairspec "
            "acquire gaia --tap first"
        )
    return files


def moved_sources(files: list[Path], epoch_yr: float) -> Iterator[pa.RecordBatch]:
    """Yield sources at an epoch, each moved along a great circle by its proper motion.

    Parameters
    ----------
    files : list of pathlib.Path
        Parquet files of Gaia's catalogue.
    epoch_yr : float
        Julian year.
    """
    # astropy's coordinates take a second to import, and few sources need them.
    from astropy import units
    from astropy.coordinates import SkyCoord

    rows = ds.dataset([str(file) for file in files], format="parquet")
    names = resolve(rows.schema.names, GAIA, GAIA_REQUIRED, str(files[0].parent))
    for batch in rows.to_batches([own for name, own in names.items() if name in _WANTED]):
        ra, dec, pmra, pmdec, born = (_values(batch, names, name) for name in _MISSING)
        place = SkyCoord(ra * units.deg, dec * units.deg)
        motion = np.hypot(pmra, pmdec) * (epoch_yr - born) * units.mas
        moved = place.directional_offset_by(np.arctan2(pmra, pmdec) * units.rad, motion)
        columns = [
            batch[names["source_id"]],
            *(pa.array(degrees, from_pandas=True) for degrees in (moved.ra.deg, moved.dec.deg)),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=SOURCES)


def _values(batch: pa.RecordBatch, names: Mapping[str, str], name: str) -> NDArray[np.float64]:
    if name not in names:
        return np.full(batch.num_rows, _MISSING[name])
    column = batch[names[name]].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(column), column, _MISSING[name])
