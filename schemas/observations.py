"""Tables of one row per file: the manifest, what the headers say, and the observations."""

import pyarrow as pa

from schemas.table import Column, Table

_PLACE = (
    Column("shard", pa.int32(), "Shard of the store that holds the spectrum", source="manifest"),
    Column("row", pa.int64(), "Row of the store (0-based, over all shards)", source="manifest"),
    Column(
        "path",
        pa.string(),
        "File, relative to the folder of spectra; with `#ROW` where a file holds several",
        source="manifest",
    ),
    Column("size_bytes", pa.int64(), "Size of the file", unit="byte", source="manifest"),
)

_IDENTITY = (
    Column("obsid", pa.int64(), "LAMOST's unique number of the exposure", ucd="meta.id;obs"),
    Column(
        "lmjd", pa.int32(), "Local modified Julian day of the night", unit="d", ucd="time.epoch"
    ),
    Column("planid", pa.string(), "Plan (plate) of the observation", ucd="meta.id"),
    Column("spid", pa.int16(), "Spectrograph, 1-16", ucd="meta.id;instr"),
    Column("fiberid", pa.int16(), "Fibre of the spectrograph, 1-250", ucd="meta.id;instr"),
    Column("ra_deg", pa.float64(), "Right ascension, FK5 J2000", "deg", "pos.eq.ra;meta.main"),
    Column("dec_deg", pa.float64(), "Declination, FK5 J2000", "deg", "pos.eq.dec;meta.main"),
)

_HEADER = (
    Column("obj_class", pa.string(), "Class by the pipeline (STAR, GALAXY, QSO, Unknown)"),
    Column("subclass", pa.string(), "Subclass by the pipeline, e.g. G3", ucd="src.spType"),
    Column("header_z", pa.float64(), "Redshift in the file's header", ucd="src.redshift"),
    Column("header_z_err", pa.float64(), "Error of header_z", ucd="stat.error;src.redshift"),
    Column("header_snr_u", pa.float32(), "Signal-to-noise in u, header", ucd="stat.snr"),
    Column("header_snr_g", pa.float32(), "Signal-to-noise in g, header", ucd="stat.snr"),
    Column("header_snr_r", pa.float32(), "Signal-to-noise in r, header", ucd="stat.snr"),
    Column("header_snr_i", pa.float32(), "Signal-to-noise in i, header", ucd="stat.snr"),
    Column("header_snr_z", pa.float32(), "Signal-to-noise in z, header", ucd="stat.snr"),
    Column("mjd_utc", pa.float64(), "Mean epoch of the exposures, UTC", "d", "time.epoch;obs"),
    Column("exptime_s", pa.float32(), "Exposure time", "s", "time.duration;obs.exposure"),
    Column("fibermask", pa.int32(), "Bits of FIB_MASK / FIBERMAS; non-zero is no reason to reject"),
    Column("data_release", pa.string(), "Release the file was published in, e.g. DR10"),
    Column("pipeline_version", pa.string(), "Version of LAMOST's 2-D pipeline, e.g. 2.9.8"),
    Column("created", pa.string(), "When the file was made (header DATE)"),
    Column(
        "layout",
        pa.string(),
        "`image` (LAMOST DR1-DR8), `table` (DR9 and later), `sdss`, `desi` or `own`",
    ),
)

_PIXELS = (
    Column("n_pixel", pa.int32(), "Number of pixels of the spectrum", ucd="meta.number"),
    Column(
        "wave_first_angstrom",
        pa.float64(),
        "Vacuum wavelength of the first pixel; later ones follow by 1e-4 dex",
        "Angstrom",
        "em.wl;stat.min",
    ),
    Column("n_ivar_zero", pa.int32(), "Pixels with ivar = 0", ucd="meta.number"),
    Column("n_andmask", pa.int32(), "Pixels with a bit set in ANDMASK", ucd="meta.number"),
    Column("n_ormask", pa.int32(), "Pixels with a bit set in ORMASK", ucd="meta.number"),
)

_QUALITY = (
    Column("quality", pa.int32(), "Bits of QualityFlag", ucd="meta.code.qual"),
    Column(
        "reason", pa.string(), "Why the file was refused: code and message; null if it was read"
    ),
)

_CATALOGUE = (
    Column("snr_u", pa.float32(), "Signal-to-noise in u: catalogue, else header", ucd="stat.snr"),
    Column("snr_g", pa.float32(), "Signal-to-noise in g: catalogue, else header", ucd="stat.snr"),
    Column("snr_r", pa.float32(), "Signal-to-noise in r: catalogue, else header", ucd="stat.snr"),
    Column("snr_i", pa.float32(), "Signal-to-noise in i: catalogue, else header", ucd="stat.snr"),
    Column("snr_z", pa.float32(), "Signal-to-noise in z: catalogue, else header", ucd="stat.snr"),
    Column("teff_k", pa.float32(), "Effective temperature", "K", "phys.temperature.effective"),
    Column("teff_err_k", pa.float32(), "Error of teff_k", "K", "stat.error"),
    Column("logg", pa.float32(), "Surface gravity, log10(cm/s2)", "dex", "phys.gravity"),
    Column("logg_err", pa.float32(), "Error of logg", "dex", "stat.error"),
    Column("feh", pa.float32(), "[Fe/H]", "dex", "phys.abund.Z"),
    Column("feh_err", pa.float32(), "Error of feh", "dex", "stat.error"),
    Column("rv_kms", pa.float32(), "Radial velocity", "km/s", "spect.dopplerVeloc.opt"),
    Column("rv_err_kms", pa.float32(), "Error of rv_kms", "km/s", "stat.error"),
    Column("rv_source", pa.string(), "Origin of rv_kms: catalogue_rv, catalogue_z or header_z"),
    Column("gaia_source_id", pa.int64(), "Gaia id that the catalogue gives, of its own release"),
    Column("uid", pa.string(), "LAMOST's own identifier of the star", ucd="meta.id"),
)

MANIFEST = Table(
    "manifest",
    "manifest.parquet",
    "The frozen list of files: which file is which row of the store. One row group a shard.",
    _PLACE,
)

HEADERS = Table(
    "headers",
    "tables/headers/",
    "What each file says of itself, one row per file, also for refused ones.",
    _PLACE + _IDENTITY + _HEADER + _PIXELS + _QUALITY,
)

OBSERVATIONS = Table(
    "observations",
    "tables/observations/",
    "One row per file: the headers, duplicates resolved, the stellar catalogue joined by exposure.",
    _PLACE + _IDENTITY + _HEADER + _PIXELS + _QUALITY + _CATALOGUE,
)

DUPLICATES = Table(
    "duplicates",
    "tables/duplicates.parquet",
    "Files that a newer pipeline's file of the same exposure supersedes, in order of row.",
    (
        Column("row", pa.int64(), "Row of the store of the superseded file"),
        Column("path", pa.string(), "The superseded file"),
        Column("exposure", pa.string(), "The exposure that both show"),
        Column("newest_row", pa.int64(), "Row of the store of the file that counts"),
        Column("newest_path", pa.string(), "The file that counts"),
    ),
)
