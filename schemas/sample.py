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

CUTS = Table(
    "cuts",
    "tables/cuts/",
    "One row a counted spectrum: why it is in the sample or not.",
    (
        *_SPECTRUM,
        Column("failed", pa.int32(), "Bits of CutFlag: the cuts that it does not pass"),
        Column("missing", pa.int32(), "Bits of CutFlag: those of them whose value is missing"),
    ),
)

CUT_FLOW = Table(
    "cut_flow",
    "tables/cut_flow.parquet",
    "One row a cut, in order, after one of all counted spectra. A star is a Gaia source; "
    "spectra without one are no stars here.",
    (
        Column("step", pa.int16(), "Place in the order; 0 before all cuts"),
        Column("cut", pa.string(), "Name of the cut: a CutFlag; `input` before all cuts"),
        Column("sample", pa.string(), "First sample that it is for: `application` or `training`"),
        Column("condition", pa.string(), "What passes"),
        Column("spectra", pa.int64(), "Spectra that pass this cut and all before it"),
        Column("stars", pa.int64(), "Stars that have such a spectrum"),
        Column("dropped_spectra", pa.int64(), "Spectra that this cut alone would drop"),
        Column("dropped_stars", pa.int64(), "Stars that this cut alone would drop"),
        Column("only_spectra", pa.int64(), "Spectra that fail no other cut of the sample"),
        Column("missing_spectra", pa.int64(), "Spectra without a value, among the dropped"),
        Column("missing_stars", pa.int64(), "Stars with such a spectrum"),
        Column("paper_spectra", pa.int64(), "The paper's count after this cut; null if unknown"),
        Column("paper_stars", pa.int64(), "The paper's count of stars after this cut"),
    ),
)

SAMPLE = Table(
    "sample",
    "tables/sample/",
    "One row per spectrum that passes the cuts of the application sample.",
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
    "One row per spectrum of the training sample; all spectra of a star share label and split.",
    (
        *_SPECTRUM,
        Column("g_ks_0", _F4, "Intrinsic colour (G-Ks)0 of the star", "mag", "phot.color"),
        Column("m_g", _F4, "Absolute magnitude M_G of the star", "mag", "phot.mag;em.opt"),
        Column("feh", _F4, "[Fe/H] of the star: median of its spectra", "dex", "phys.abund.Z"),
        Column("ridge_m_g", _F4, "M_G of the single-star ridge there", "mag", "phot.mag;em.opt"),
        Column(
            "delta_m_g",
            _F4,
            "M_G less the ridge; negative is brighter",
            "mag",
            "phot.mag;arith.diff",
        ),
        Column(
            "delta_m_g_err",
            _F4,
            "Its error: photometry, distance, and the scatter of the ridge beyond them",
            "mag",
            "stat.error",
        ),
        Column("label", pa.string(), "`single`, `binary` or `excluded`"),
        Column(
            "p_label_binary",
            _F4,
            "Probability that the class is binary, by that error; null if excluded",
            ucd="stat.probability",
        ),
        Column("split", pa.string(), "`training`, `validation` or `test`, by star"),
        Column("weight", _F4, "Sampler's weight in the training part, where 1 is a single; else 0"),
        Column("q_fixed_primary", _F4, "Mass ratio if the primary has the star's ridge magnitude"),
        Column("q_fixed_colour", _F4, "Mass ratio if the blend has the star's colour"),
    ),
)

RIDGE = Table(
    "ridge",
    "tables/ridge.parquet",
    "The single-star main sequence: M_G on a grid of colours, one sequence per bin of [Fe/H].",
    (
        Column("feh_low", _F4, "Lower edge of the bin", "dex", "phys.abund.Z;stat.min"),
        Column("feh_high", _F4, "Upper edge of the bin", "dex", "phys.abund.Z;stat.max"),
        Column("feh", pa.float64(), "Median [Fe/H] of its stars", "dex", "phys.abund.Z"),
        Column("n_stars", pa.int32(), "Stars of the bin", ucd="meta.number"),
        Column("n_kept", pa.int32(), "Those of them that were not clipped", ucd="meta.number"),
        Column("sigma_mag", _F4, "Scatter of M_G on the faint side", "mag", "stat.stdev"),
        Column("feh_slope", pa.float64(), "dM_G/d[Fe/H] at a given colour", "mag/dex"),
        Column("g_ks_0", pa.float64(), "Intrinsic colour (G-Ks)0", "mag", "phot.color"),
        Column("m_g", pa.float64(), "M_G of single stars there", "mag", "phot.mag;em.opt"),
        Column("n_near", pa.int32(), "Stars of the bin within the window around this colour"),
    ),
)
