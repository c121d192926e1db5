"""The stars whose spectra composites are made of."""

import pyarrow as pa

from schemas.table import Column, Table

_F4 = pa.float32()

COMPOSITE_POOL = Table(
    "composite_pool",
    "tables/composite_pool.parquet",
    "One row per spectrum of a single dwarf that composites may be made of, in order of row.",
    (
        Column("shard", pa.int32(), "Shard of the store that holds the spectrum"),
        Column("row", pa.int64(), "Row of the store"),
        Column("star", pa.int64(), "Gaia source; else -1 less the row of its first spectrum"),
        Column("split", pa.string(), "`training`, `validation` or `test`, by star"),
        Column("snr_g", _F4, "Signal-to-noise in g", ucd="stat.snr"),
        Column("teff_k", _F4, "Effective temperature", "K", "phys.temperature.effective"),
        Column("logg", _F4, "Surface gravity, log10(cm/s2)", "dex", "phys.gravity"),
        Column("feh", _F4, "[Fe/H]", "dex", "phys.abund.Z"),
        Column("rv_kms", _F4, "Radial velocity", "km/s", "spect.dopplerVeloc.opt"),
        Column("mass_msun", _F4, "Mass on the main sequence at Teff and [Fe/H]", "Msun"),
        Column("m_g", _F4, "Absolute magnitude M_G there", "mag", "phot.mag;em.opt"),
    ),
)
