"""Tables of results: predictions per spectrum, and the catalogue of spectra and of stars."""

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

_F4, _F8 = pa.float32(), pa.float64()

HEALPIX = "_healpix_29"
"""The column that both catalogues are ordered by."""

_STAR = (
    Column(
        HEALPIX,
        pa.int64(),
        "HEALPix index of order 29 (nested) of the star's position; null without one",
        ucd="pos.healpix",
    ),
    Column(
        "star_id",
        pa.string(),
        "`Gaia <source_id>` by the photometry's match or, without photometry, by the catalogue's "
        "id of a declared release; else `J...` by position",
        ucd="meta.id;meta.main",
    ),
    Column("source_id", pa.int64(), "Gaia source; null for stars by position", ucd="meta.id"),
)

_ASTROMETRY = (
    Column("ref_epoch_yr", _F8, "Epoch of the Gaia position", "yr", "meta.ref;time.epoch", "Gaia"),
    Column(
        "pm_ra_masyr",
        _F8,
        "Proper motion in right ascension, times cos(dec)",
        "mas/yr",
        "pos.pm;pos.eq.ra",
        "Gaia",
    ),
    Column(
        "pm_dec_masyr", _F8, "Proper motion in declination", "mas/yr", "pos.pm;pos.eq.dec", "Gaia"
    ),
    Column("parallax_mas", _F4, "Parallax as Gaia gives it", "mas", "pos.parallax", "Gaia"),
    Column(
        "parallax_err_mas", _F4, "Error of the parallax", "mas", "stat.error;pos.parallax", "Gaia"
    ),
    Column("zero_point_mas", _F4, "Zero point of the parallax, to subtract", "mas", "arith.zp"),
    Column(
        "ruwe",
        _F4,
        "Renormalised unit weight error of the astrometry",
        ucd="stat.fit.goodness",
        source="Gaia",
    ),
)

_BRIGHTNESS = (
    Column("g_mag", _F4, "Observed G", "mag", "phot.mag;em.opt", "Gaia"),
    Column("bp_rp_mag", _F4, "Observed BP - RP", "mag", "phot.color;em.opt.B;em.opt.R", "Gaia"),
    Column("j_mag", _F4, "Observed J", "mag", "phot.mag;em.IR.J", "2MASS"),
    Column("h_mag", _F4, "Observed H", "mag", "phot.mag;em.IR.H", "2MASS"),
    Column("ks_mag", _F4, "Observed Ks", "mag", "phot.mag;em.IR.K", "2MASS"),
    Column("e_bv", _F4, "Reddening E(B-V)", "mag", "phot.color.excess"),
    Column("g_ks_0", _F4, "Intrinsic colour (G-Ks)0", "mag", "phot.color", "photometry"),
    Column("g_ks_0_err", _F4, "Its error", "mag", "stat.error;phot.color", "photometry"),
    Column("m_g", _F4, "Absolute magnitude M_G", "mag", "phot.mag;em.opt", "photometry"),
    Column("m_g_err", _F4, "Its error", "mag", "stat.error;phot.mag", "photometry"),
    Column("distance_pc", _F4, "Distance used for M_G", "pc", "pos.distance", "photometry"),
    Column("distance_err_pc", _F4, "Its error", "pc", "stat.error;pos.distance", "photometry"),
    Column(
        "distance_source",
        pa.string(),
        "`bailer_jones_geometric` or `parallax`; null without a distance",
        ucd="meta.ref",
        source="photometry",
    ),
)

_PARAMETERS = (
    Column("teff_k", _F4, "Effective temperature", "K", "phys.temperature.effective", "LAMOST"),
    Column("teff_err_k", _F4, "Error of teff_k", "K", "stat.error", "LAMOST"),
    Column("logg", _F4, "Surface gravity, log10(cm/s2)", "dex", "phys.gravity", "LAMOST"),
    Column("logg_err", _F4, "Error of logg", "dex", "stat.error", "LAMOST"),
    Column("feh", _F4, "[Fe/H]", "dex", "phys.abund.Z", "LAMOST"),
    Column("feh_err", _F4, "Error of feh", "dex", "stat.error", "LAMOST"),
)

_LABEL = (
    Column(
        "delta_m_g",
        _F4,
        "M_G less the single-star ridge; negative is brighter; of stars of the sample",
        "mag",
        "phot.mag;arith.diff",
        "labels",
    ),
    Column("label", pa.string(), "`single`, `binary`, `excluded`; training sample only"),
    Column("q_fixed_primary", _F4, "Mass ratio if the primary has the star's ridge magnitude"),
    Column("q_fixed_colour", _F4, "Mass ratio if the blend has the star's colour"),
)

_SAMPLE = Column("in_sample", pa.bool_(), "Passes the cuts of the application sample")

_CLASS = Column(
    "obj_class",
    pa.string(),
    "Class by LAMOST's pipeline (STAR, GALAXY, QSO, Unknown)",
    ucd="src.class",
    source="LAMOST",
)

SPECTRA = Table(
    "spectra",
    "catalogue/spectra/",
    "One row per spectrum that has a prediction, with its star; within a part ordered by the "
    "star's place on the sky.",
    (
        *_STAR,
        *_SPECTRUM,
        Column("ra_deg", _F8, "Right ascension of the fibre, J2000", "deg", "pos.eq.ra", "LAMOST"),
        Column("dec_deg", _F8, "Declination of the fibre, J2000", "deg", "pos.eq.dec", "LAMOST"),
        Column("star_ra_deg", _F8, "Right ascension of the star", "deg", "pos.eq.ra;meta.main"),
        Column("star_dec_deg", _F8, "Declination of the star", "deg", "pos.eq.dec;meta.main"),
        Column("mjd_utc", _F8, "Mean epoch of the exposures, UTC", "d", "time.epoch;obs", "LAMOST"),
        _CLASS,
        Column("snr_g", _F4, "Signal-to-noise in g", ucd="stat.snr", source="LAMOST"),
        *_PARAMETERS,
        Column("rv_kms", _F4, "Radial velocity", "km/s", "spect.dopplerVeloc.opt", "LAMOST"),
        Column("rv_err_kms", _F4, "Error of rv_kms", "km/s", "stat.error", "LAMOST"),
        *_ASTROMETRY,
        *_BRIGHTNESS,
        Column("flags", pa.int32(), "Bits of PhotometryFlag", ucd="meta.code.qual"),
        *_LABEL,
        _SAMPLE,
        *_SCORE,
    ),
)

_STAR_COLUMNS = (
    *_STAR,
    Column(
        "designation", pa.string(), "`JHHMMSS.ss+DDMMSS.s`, the position truncated", ucd="meta.id"
    ),
    Column(
        "ra_deg",
        _F8,
        "Right ascension, ICRS, at ref_epoch_yr; of the first spectrum's fibre where that is null",
        "deg",
        "pos.eq.ra;meta.main",
    ),
    Column("dec_deg", _F8, "Declination, likewise", "deg", "pos.eq.dec;meta.main"),
    *_ASTROMETRY,
    *_BRIGHTNESS,
    Column("flags", pa.int32(), "OR of the photometry's bits (PhotometryFlag)"),
    _CLASS,
    *_PARAMETERS,
    Column(
        "rv_kms",
        _F4,
        "Mean radial velocity, weighted by 1/error2; without errors the plain mean",
        "km/s",
        "spect.dopplerVeloc.opt;stat.mean",
    ),
    Column("rv_err_kms", _F4, "Its error by the errors of the spectra", "km/s", "stat.error"),
    Column("n_rv", pa.int32(), "Spectra that have a radial velocity", ucd="meta.number"),
    Column(
        "delta_rv_max_kms",
        _F4,
        "Largest less smallest radial velocity; null for fewer than two",
        "km/s",
        "spect.dopplerVeloc.opt;arith.diff",
    ),
    *_LABEL,
    _SAMPLE,
    Column("p_b", _F4, "Highest p_b of the star's spectra", ucd="stat.probability;stat.max"),
    Column("p_b_best", _F4, "p_b of the spectrum of highest S/N", ucd="stat.probability"),
    Column("p_b_mean", _F4, "Mean p_b of the star's spectra", ucd="stat.probability;stat.mean"),
    Column(
        "p_b_spread",
        _F4,
        "Sample standard deviation of p_b over the spectra; null for one",
        ucd="stat.stdev",
    ),
    Column(
        "p_b_combined",
        _F4,
        "Posterior of all spectra together under the stated binary fraction; null without an "
        "evaluation",
        ucd="stat.probability",
        source="evaluation",
    ),
    Column("n_spectra", pa.int32(), "Spectra that have a p_b", ucd="meta.number;obs"),
    Column("n_spectra_all", pa.int32(), "Spectra with or without p_b", ucd="meta.number;obs"),
    Column("obsid_max", pa.int64(), "Exposure that gave p_b; null where it has none"),
    Column("row_max", pa.int64(), "Row of the store of that spectrum"),
    Column("obsid_best", pa.int64(), "Exposure of highest S/N, of those with a p_b if any"),
    Column("snr_g_best", _F4, "Its signal-to-noise in g", ucd="stat.snr", source="LAMOST"),
    Column(
        "quality",
        pa.int32(),
        "OR of the quality bits of the star's spectra (QualityFlag)",
        ucd="meta.code.qual",
    ),
    Column("model_id", pa.string(), "The network that gave p_b", ucd="meta.id"),
)

STARS = Table(
    "stars",
    "catalogue/stars/dataset/",
    "One row per star, ordered by place on the sky. `catalogue/stars/` is a HATS catalogue: LSDB "
    "opens it, and other programs read the Parquet files below `dataset/`.",
    _STAR_COLUMNS,
)

UNPLACED = Table(
    "unplaced_stars",
    "catalogue/unplaced_stars.parquet",
    "Stars without any position, which no catalogue of the sky can hold; columns as in `stars`.",
    _STAR_COLUMNS,
)
