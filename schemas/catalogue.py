"""Tables of results: predictions a spectrum, and the catalogue of spectra and of stars."""

import pyarrow as pa

from schemas.table import Column, Table

_SPECTRUM = (
    Column("shard", pa.int32(), "Shard of the store that holds the spectrum"),
    Column("row", pa.int64(), "Row of the store"),
    Column("obsid", pa.int64(), "LAMOST's unique number of the exposure", ucd="meta.id;obs"),
)

_SCORE = (
    Column(
        "p_b", pa.float32(), "Probability that the spectrum is a pair's", ucd="stat.probability"
    ),
    Column("logit", pa.float32(), "log(p_b / (1 - p_b)); the mean of an ensemble's members"),
    Column(
        "logit_spread",
        pa.float32(),
        "Sample standard deviation of logit over the members of an ensemble; null for one network",
        ucd="stat.stdev",
    ),
    Column("bad_fraction", pa.float32(), "Bad pixels in the used range", ucd="stat.value"),
    Column("quality", pa.int32(), "Bits of QualityFlag", ucd="meta.code.qual"),
    Column(
        "model_id",
        pa.string(),
        "First 12 hex digits of the SHA-256 of the weights, or of an ensemble's sorted digests",
    ),
    Column("mode", pa.string(), "How the network really ran: device, arithmetic, fused or eager"),
)

PREDICTIONS = Table(
    "predictions",
    "predictions/",
    "One row per spectrum of the sample, or with --all a counted one: the network's answer, or the "
    "flag that says why there is none.",
    (
        *_SPECTRUM,
        Column(
            "source_id", pa.int64(), "Gaia source by the photometry; null without", ucd="meta.id"
        ),
        *_SCORE,
    ),
)

_POSITION = (
    Column("ra_deg", pa.float64(), "Right ascension, J2000", "deg", "pos.eq.ra;meta.main"),
    Column("dec_deg", pa.float64(), "Declination, J2000", "deg", "pos.eq.dec;meta.main"),
)

SPECTRA = Table(
    "spectra",
    "catalogue/spectra/",
    "One row per spectrum that has a prediction, with its star.",
    (
        Column("star_id", pa.string(), "The star, as in the table of stars", ucd="meta.id;src"),
        Column("source_id", pa.int64(), "Gaia source, null for stars by position", ucd="meta.id"),
        *_SPECTRUM,
        *_POSITION,
        Column("mjd_utc", pa.float64(), "Mean epoch of the exposures, UTC", "d", "time.epoch;obs"),
        Column("snr_g", pa.float32(), "Signal-to-noise in g", ucd="stat.snr"),
        Column("teff_k", pa.float32(), "Effective temperature", "K", "phys.temperature.effective"),
        Column("logg", pa.float32(), "Surface gravity, log10(cm/s2)", "dex", "phys.gravity"),
        Column("feh", pa.float32(), "[Fe/H]", "dex", "phys.abund.Z"),
        Column("rv_kms", pa.float32(), "Radial velocity", "km/s", "spect.dopplerVeloc.opt"),
        *_SCORE,
    ),
)

STARS = Table(
    "stars",
    "catalogue/stars/",
    "One row per star: the highest binary probability of its spectra, ordered by star_id.",
    (
        Column(
            "star_id",
            pa.string(),
            "`Gaia <source_id>` by the photometry's match or, without photometry, by the "
            "catalogue's id of a declared release; else `J...` by position",
            ucd="meta.id;meta.main",
        ),
        Column("source_id", pa.int64(), "Gaia source, null for stars by position", ucd="meta.id"),
        *_POSITION,
        Column("p_b", pa.float32(), "Highest p_b of the star's spectra", ucd="stat.probability"),
        Column("p_b_mean", pa.float32(), "Mean p_b of the star's spectra", ucd="stat.mean"),
        Column("n_spectra", pa.int32(), "Spectra that have a p_b", ucd="meta.number;obs"),
        Column("n_spectra_all", pa.int32(), "Spectra counted, with or without p_b"),
        Column("obsid_max", pa.int64(), "Exposure that gave p_b; null where it has none"),
        Column("row_max", pa.int64(), "Row of the store of that spectrum"),
        Column("quality", pa.int32(), "OR of the quality bits of the star's spectra"),
        Column("model_id", pa.string(), "The network that gave p_b"),
    ),
)
