"""Columns of the tables that photometry takes, by their names in the archives and in VizieR."""

from collections.abc import Mapping

import pyarrow as pa

SOURCE_ID = ("source_id", "Source", "gaia_source_id", "dr3_source_id")

_GEOMETRIC: Mapping[str, tuple[str, ...]] = {
    "r_med_geo": ("r_med_geo", "rgeo"),
    "r_lo_geo": ("r_lo_geo", "b_rgeo"),
    "r_hi_geo": ("r_hi_geo", "B_rgeo"),
}
"""Distances of Bailer-Jones et al. 2021."""

GAIA_REQUIRED = ("source_id", "ra", "dec", "phot_g_mean_mag")
GAIA: Mapping[str, tuple[str, ...]] = {
    "source_id": SOURCE_ID,
    # Not RAJ2000: VizieR moves it to the epoch 2000, while the sources are taken to be of 2016.
    "ra": ("ra", "RA_ICRS"),
    "dec": ("dec", "DE_ICRS"),
    "ref_epoch": ("ref_epoch",),
    "pmra": ("pmra",),
    "pmdec": ("pmdec", "pmDE"),
    "parallax": ("parallax", "Plx"),
    "parallax_error": ("parallax_error", "e_Plx"),
    "ruwe": ("ruwe",),
    "phot_g_mean_mag": ("phot_g_mean_mag", "Gmag"),
    "phot_bp_mean_mag": ("phot_bp_mean_mag", "BPmag"),
    "phot_rp_mean_mag": ("phot_rp_mean_mag", "RPmag"),
    "phot_g_mean_flux_over_error": ("phot_g_mean_flux_over_error", "RFG"),
    "phot_bp_mean_flux_over_error": ("phot_bp_mean_flux_over_error", "RFBP"),
    "phot_rp_mean_flux_over_error": ("phot_rp_mean_flux_over_error", "RFRP"),
    "nu_eff_used_in_astrometry": ("nu_eff_used_in_astrometry", "nueff"),
    "pseudocolour": ("pseudocolour", "pscol"),
    "ecl_lat": ("ecl_lat", "ELAT"),
    "astrometric_params_solved": ("astrometric_params_solved", "Solved"),
    **_GEOMETRIC,
}

OPTIONAL: Mapping[str, tuple[str, ...]] = {"e_bv": ("e_bv",)}
"""Taken along where a catalogue of Gaia has it: simulated ones do."""

TMASS_REQUIRED = ("designation", "ra", "dec", "k_m")
TMASS: Mapping[str, tuple[str, ...]] = {
    "designation": ("designation", "tmass_designation", "2MASS", "_2MASS"),
    "ra": ("ra", "RAJ2000", "_RAJ2000"),
    "dec": ("dec", "decl", "DEJ2000", "_DEJ2000"),
    "j_m": ("j_m", "j_mag", "Jmag"),
    "j_msigcom": ("j_msigcom", "e_Jmag", "j_cmsig", "Jcmsig", "j_mag_error"),
    "h_m": ("h_m", "h_mag", "Hmag"),
    "h_msigcom": ("h_msigcom", "e_Hmag", "h_cmsig", "Hcmsig", "h_mag_error"),
    "k_m": ("k_m", "ks_m", "ks_mag", "k_mag", "Kmag", "Ksmag"),
    "k_msigcom": (
        "k_msigcom", "e_Kmag", "e_Ksmag", "k_cmsig", "Kcmsig", "ks_msigcom", "ks_mag_error",
        "k_mag_error",
    ),
}  # fmt: skip

LOOKED_UP: Mapping[str, tuple[str, ...]] = {
    "source_id": SOURCE_ID,
    "obsid": ("obsid", "obs_id", "combined_obsid"),
    "original_ext_source_id": ("original_ext_source_id", *TMASS["designation"]),
    **_GEOMETRIC,
}
"""Columns of tables that are joined by an id; others have no second name."""

TYPES: Mapping[str, pa.DataType] = {
    "source_id": pa.int64(),
    "obsid": pa.int64(),
    "designation": pa.string(),
    "original_ext_source_id": pa.string(),
    **dict.fromkeys(_GEOMETRIC, pa.float64()),
}
"""What columns are that are no plain numbers, and those numbers that are joined by an id."""

HINTS: Mapping[str, str] = {
    "e_bv": (
        "it is for the reddening: set photometry.reddening to map, to lamost_column (a column of "
        "inputs.catalogue), or to gaia_column with its name in photometry.reddening_column"
    ),
}
"""What to do where a column is missing."""
