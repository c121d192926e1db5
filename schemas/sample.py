"""Which spectra belong to the sample, and which of them train the network as what."""

import pyarrow as pa

from schemas.table import Column, Table

_F4 = pa.float32()

_SPECTRUM = (
    Column("shard", pa.int32(), "Shard of the store that holds the spectrum"),
    Column("row", pa.int64(), "Row of the store"),
    Column("obsid", pa.int64(), "LAMOST's unique number of the exposure", ucd="meta.id;obs"),
    Column("source_id", pa.int64(), "Gaia source", ucd="meta.id;meta.main"),
)

SAMPLE = Table(
    "sample",
    "tables/sample/",
    "One row a spectrum that passes the cuts of the application sample.",
    (
        *_SPECTRUM,
        Column("snr_g", _F4, "Signal-to-noise in g", ucd="stat.snr"),
        Column("teff_k", _F4, "Effective temperature", "K", "phys.temperature.effective"),
        Column("logg", _F4, "Surface gravity, log10(cm/s2)", "dex", "phys.gravity"),
        Column("feh", _F4, "[Fe/H]", "dex", "phys.abund.Z"),
        Column("g_ks_0", _F4, "Intrinsic colour (G-Ks)0", "mag", "phot.color"),
        Column("m_g", _F4, "Absolute magnitude M_G", "mag", "phot.mag;em.opt"),
        Column("m_g_err", _F4, "Its error", "mag", "stat.error;phot.mag"),
        Column("parallax_mas", _F4, "Parallax less its zero point", "mas", "pos.parallax"),
        Column("flags", pa.int32(), "Bits of PhotometryFlag", ucd="meta.code.qual"),
        Column("training", pa.bool_(), "Passes the further cuts of the training sample too"),
    ),
)

LABELS = Table(
    "labels",
    "tables/labels/",
    "One row a spectrum of the training sample; all spectra of a star share label and split.",
    (
        *_SPECTRUM,
        Column("g_ks_0", _F4, "Intrinsic colour (G-Ks)0 of the star", "mag", "phot.color"),
        Column("m_g", _F4, "Absolute magnitude M_G of the star", "mag", "phot.mag;em.opt"),
        Column("feh", _F4, "[Fe/H] of the star: median of its spectra", "dex", "phys.abund.Z"),
        Column("ridge_m_g", _F4, "M_G of the single-star ridge there", "mag", "phot.mag;em.opt"),
        Column("delta_m_g", _F4, "M_G less the ridge; negative is brighter", "mag", "arith.diff"),
        Column("label", pa.string(), "`single`, `binary` or `excluded`"),
        Column("split", pa.string(), "`training`, `validation` or `test`, by star"),
        Column("weight", _F4, "Sampler's weight in the training part, where 1 is a single; else 0"),
        Column("q_fixed_primary", _F4, "Mass ratio if the primary has the star's ridge magnitude"),
        Column("q_fixed_colour", _F4, "Mass ratio if the blend has the star's colour"),
    ),
)
