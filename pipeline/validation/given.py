"""Tables from elsewhere: their columns by the names that archives give them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.settings.validation import ValidationSettings
from pipeline.tables.table import open_table

SOURCE_ID = ("source_id", "Source", "gaia_source_id", "dr3_source_id", "GaiaDR3", "Gaia")
RA = ("ra", "RAdeg", "RA_ICRS", "RAJ2000", "_RAJ2000", "ra_deg")
DEC = ("dec", "DEdeg", "DE_ICRS", "DEJ2000", "_DEJ2000", "dec_deg", "DECdeg")

ECLIPSING: Mapping[str, tuple[str, ...]] = {
    "name": ("ID", "name", "ZTF"),
    "ra": RA,
    "dec": DEC,
    "period": ("Per", "period", "P"),
    "type": ("Type", "class", "var_type"),
}
PLANETS: Mapping[str, tuple[str, ...]] = {
    "name": ("hostname", "host", "star_name"),
    "gaia": ("gaia_dr3_id",),
    "gaia_any": ("gaia_id", "gaia_dr2_id"),
    "ra": RA,
    "dec": DEC,
    "stars": ("sy_snum",),
}
GAIA_EVIDENCE: Mapping[str, tuple[str, ...]] = {
    "source_id": SOURCE_ID,
    "non_single_star": ("non_single_star", "NSS"),
    "radial_velocity_error": ("radial_velocity_error", "e_RV"),
}
_TEXT, _ID = pa.string(), pa.int64()


def read_eclipsing(path: Path) -> pd.DataFrame:
    """Read eclipsing binaries: ``name, ra, dec, period, type``, one row per binary."""
    required, types = ("ra", "dec", "type"), {"name": _TEXT, "type": _TEXT}
    return _read(path, ECLIPSING, required, types)


def read_planets(path: Path) -> pd.DataFrame:
    """Read planet hosts: ``name, source_id, ra, dec, stars``, one row per host.

    Ids of another release than Gaia's DR3 are not ids here: in columns that do not name it, only
    those count that say so themselves.
    """
    table = _read(path, PLANETS, ("name",), {"name": _TEXT, "gaia": _TEXT, "gaia_any": _TEXT})
    digits = table["gaia"].str.extract(r"^(?:Gaia DR3 )?(\d+)(?:\.0*)?$")[0]
    named = table["gaia_any"].str.extract(r"^Gaia DR3 (\d+)$")[0]
    table["source_id"] = digits.fillna(named).fillna("0").map(int).astype(np.int64)
    hosts = table.drop_duplicates("name", ignore_index=True)
    return hosts.drop(columns=["gaia", "gaia_any"])


def read_gaia_evidence(path: Path) -> pd.DataFrame:
    """Read ``source_id, non_single_star, radial_velocity_error``; NaN where there is none."""
    return _read(path, GAIA_EVIDENCE, ("source_id",), {"source_id": _ID})


def read_compare(path: Path, settings: ValidationSettings) -> pd.DataFrame:
    """Read another catalogue: ``source_id, ra, dec, score``; a score of NaN where there is none.

    Parameters
    ----------
    path : pathlib.Path
        The table.
    settings : ValidationSettings
        The names of its columns.
    """
    aliases = {
        "source_id": (settings.compare_source_id, *SOURCE_ID),
        "ra": (settings.compare_ra, *RA),
        "dec": (settings.compare_dec, *DEC),
    }
    required: tuple[str, ...] = ()
    if settings.compare_binary:
        aliases["score"] = (settings.compare_binary,)
        required = ("score",)
    table = open_table(path, aliases, required, {"source_id": _ID})
    if "source_id" not in table.names:
        required = (*required, "ra", "dec")
    return _read(path, aliases, required, {"source_id": _ID})


def _read(
    path: Path,
    aliases: Mapping[str, tuple[str, ...]],
    required: tuple[str, ...],
    types: Mapping[str, pa.DataType],
) -> pd.DataFrame:
    """Return all columns of the aliases: numbers with NaN, ids with 0, texts with nothing."""
    found = open_table(path, aliases, required, types).read()
    columns = {}
    for name in aliases:
        kind = types.get(name, pa.float64())
        missing: Any = {_TEXT: "", _ID: 0}.get(kind, np.nan)
        column = found[name].cast(kind) if name in found.column_names else None
        filled = pa.nulls(found.num_rows, kind) if column is None else column.combine_chunks()
        columns[name] = pc.fill_null(filled, pa.scalar(missing, kind)).to_pandas()
    return pd.DataFrame(columns)
