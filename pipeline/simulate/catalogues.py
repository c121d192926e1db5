"""Catalogues that come with a survey, in the columns of the real ones."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.photometry.distance import FIVE, SIX, zero_points
from pipeline.settings.simulate import SurveySettings
from pipeline.simulate.naming import tmass_designation
from pipeline.simulate.photometry import ObservedSources, ecliptic_latitude, effective_wavenumber
from pipeline.stars.isochrone import BANDS

LRS_STELLAR = (
    "obsid", "uid", "gp_id", "designation", "obsdate", "lmjd", "mjd", "planid", "spid", "fiberid",
    "ra_obs", "dec_obs", "snru", "snrg", "snrr", "snri", "snrz", "class", "subclass", "z", "z_err",
    "ps_id", "mag_ps_g", "mag_ps_r", "mag_ps_i", "mag_ps_z", "mag_ps_y", "gaia_source_id",
    "gaia_g_mean_mag", "fibertype", "offsets", "offsets_v", "ra", "dec", "teff", "teff_err",
    "logg", "logg_err", "feh", "feh_err", "rv", "rv_err", "alpha_m", "alpha_m_err", "vsini_lasp",
)  # fmt: skip
"""Columns of ``dr10_v2.0_LRS_stellar``."""

NEIGHBOUR_ID = np.int64(1) << np.int64(19)
"""Added to a star's number for the unrelated source beside it."""

TMASS_EPOCH, GAIA_EPOCH = 1999.5, 2016.0


def multi_epoch_table(
    uid: NDArray[np.str_],
    obsid: NDArray[np.int64],
    midmjm: NDArray[np.int64],
    rv_kms: NDArray[np.float64],
) -> pa.Table:
    """Stars with more than one epoch in the columns of ``LRS_mec``; lists joined by commas.

    Parameters
    ----------
    uid : ndarray of str, (B,)
        Star of each spectrum.
    obsid : ndarray of int64, (B,)
        Number of each spectrum.
    midmjm : ndarray of int64, (B,)
        Local modified Julian minute of the middle of each exposure.
    rv_kms : ndarray of float64, (B,)
        Measured velocity.

    Returns
    -------
    pyarrow.Table
        One row per star, ordered by ``uid``.
    """
    rows: dict[str, list[Any]] = {
        name: [] for name in ("uid", "obs_number", "obsid_list", "midmjm_list", "rv_list")
    }
    for one in np.unique(uid):
        own = np.flatnonzero(uid == one)
        if len(own) < 2:
            continue
        own = own[np.argsort(midmjm[own])]
        rows["uid"].append(str(one))
        rows["obs_number"].append(len(own))
        rows["obsid_list"].append(",".join(str(x) for x in obsid[own]))
        rows["midmjm_list"].append(",".join(str(x) for x in midmjm[own]))
        rows["rv_list"].append(",".join(f"{x:.2f}" for x in rv_kms[own]))
    types = (pa.string(), pa.int64(), pa.string(), pa.string(), pa.string())
    return pa.table(
        {name: pa.array(rows[name], kind) for name, kind in zip(rows, types, strict=True)}
    )


def gaia_table(
    rng: np.random.Generator,
    source_id: NDArray[np.int64],
    ra_deg: NDArray[np.float64],
    dec_deg: NDArray[np.float64],
    sources: ObservedSources,
    e_bv: NDArray[np.float64],
    settings: SurveySettings,
) -> pa.Table:
    """Build the Gaia-like catalogue of the field: the stars and unrelated sources beside them.

    Positions are of epoch 2016.0. Solutions are five-parameter (31) or six-parameter (95); the
    first have ``nu_eff_used_in_astrometry`` and no ``pseudocolour``, the second the reverse.
    Parallaxes carry the zero point of Lindegren et al. 2021 (A&A 649, A4).

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    source_id : ndarray of int64, (S,)
        Sources of the field's stars.
    ra_deg, dec_deg : ndarray of float64, (S,)
        Their positions at epoch 2016.0.
    sources : ObservedSources
        Magnitudes and astrometry of the stars.
    e_bv : ndarray of float64, (S,)
        Reddening in magnitudes.
    settings : SurveySettings
        Fraction of stars with a neighbour, zero point where that of Lindegren is not defined.

    Returns
    -------
    pyarrow.Table
        The stars, then the neighbours, in columns of ``gaia_source``.
    """
    n = len(source_id)
    g, bp, rp = (sources.mag_SK[:, BANDS.index(b)] for b in ("g_mag", "bp_mag", "rp_mag"))
    errors = [sources.mag_error_SK[:, BANDS.index(b)] for b in ("g_mag", "bp_mag", "rp_mag")]
    six = rng.random(n) < 0.06
    nu_eff = effective_wavenumber(bp - rp)
    beside = np.flatnonzero(rng.random(n) < settings.neighbour_fraction)
    k = len(beside)
    angle, radius = 2 * np.pi * rng.random(k), 15 / 3600 * np.sqrt(rng.random(k))
    fainter = rng.uniform(0.5, 5.0, k)
    colour = rng.uniform(0.5, 2.5, k)
    near_dec = dec_deg[beside] + radius * np.sin(angle)
    near_ra = ra_deg[beside] + radius * np.cos(angle) / np.cos(np.deg2rad(dec_deg[beside]))
    near_error = np.minimum(sources.parallax_error_mas[beside] * 10 ** (0.2 * fainter), 2.0)

    near_parallax = rng.exponential(0.4, k) + near_error * rng.normal(size=k)

    def both(own: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([own, other])

    all_six = both(six, np.zeros(k, dtype=bool))
    all_nu = both(nu_eff, effective_wavenumber(colour))
    ra, dec = np.mod(both(ra_deg, near_ra), 360), both(dec_deg, near_dec)
    mag_error = [both(e, np.minimum(e[beside] * 10 ** (0.3 * fainter), 0.3)) for e in errors]
    all_g = both(g, g[beside] + fainter)
    all_bp = both(bp, g[beside] + fainter + 0.5 * colour)
    all_rp = both(rp, g[beside] + fainter - 0.5 * colour)
    ecl_lat, solved = ecliptic_latitude(ra, dec), np.where(all_six, SIX, FIVE)
    zero = zero_points(all_g, all_nu, all_nu, ecl_lat, solved)
    zero = np.where(np.isfinite(zero), zero, settings.parallax_offset_mas)
    columns = {
        "source_id": both(source_id, source_id[beside] + NEIGHBOUR_ID),
        "ra": ra,
        "dec": dec,
        "ref_epoch": np.full(n + k, GAIA_EPOCH),
        "pmra": both(sources.pmra_masyr, rng.normal(0, 4, k)),
        "pmdec": both(sources.pmdec_masyr, rng.normal(0, 4, k)),
        "parallax": both(sources.parallax_mas, near_parallax) + zero,
        "parallax_error": both(sources.parallax_error_mas, near_error),
        "phot_g_mean_mag": all_g,
        "phot_bp_mean_mag": all_bp,
        "phot_rp_mean_mag": all_rp,
        "phot_g_mean_flux_over_error": 1.0857 / mag_error[0],
        "phot_bp_mean_flux_over_error": 1.0857 / mag_error[1],
        "phot_rp_mean_flux_over_error": 1.0857 / mag_error[2],
        "bp_rp": all_bp - all_rp,
        "nu_eff_used_in_astrometry": np.where(all_six, np.nan, all_nu),
        "pseudocolour": np.where(all_six, all_nu, np.nan),
        "ecl_lat": ecl_lat,
        "astrometric_params_solved": solved.astype(np.int16),
        "ruwe": both(sources.ruwe, np.clip(rng.normal(1.0, 0.06, k), 0.8, None)),
        "e_bv": both(e_bv, e_bv[beside]),
    }  # fmt: skip
    table = pa.table(columns)
    for name in ("nu_eff_used_in_astrometry", "pseudocolour"):
        nulls = pa.array(columns[name], from_pandas=True)
        table = table.set_column(table.schema.get_field_index(name), name, nulls)
    return table


def tmass_tables(
    rng: np.random.Generator,
    source_id: NDArray[np.int64],
    ra_deg: NDArray[np.float64],
    dec_deg: NDArray[np.float64],
    sources: ObservedSources,
) -> tuple[pa.Table, pa.Table]:
    """2MASS-like sources at their own epoch, and Gaia's table of best neighbours.

    A few stars have no 2MASS source, as in reality.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    source_id : ndarray of int64, (S,)
        Gaia sources of the field's stars.
    ra_deg, dec_deg : ndarray of float64, (S,)
        Their positions at epoch 2016.0.
    sources : ObservedSources
        Magnitudes and proper motions.

    Returns
    -------
    sources : pyarrow.Table
        Positions at epoch 1999.5 and magnitudes.
    neighbours : pyarrow.Table
        In columns of ``tmass_psc_xsc_best_neighbour``.
    """
    seen = np.flatnonzero(rng.random(len(source_id)) < 0.985)
    years = TMASS_EPOCH - GAIA_EPOCH
    scatter = rng.normal(0, 0.08 / 3600, (2, len(seen)))
    dec = dec_deg[seen] + sources.pmdec_masyr[seen] * years / 3.6e6 + scatter[0]
    motion = sources.pmra_masyr[seen] * years / 3.6e6 + scatter[1]
    ra = np.mod(ra_deg[seen] + motion / np.cos(np.deg2rad(dec)), 360)
    names = [tmass_designation(a, d) for a, d in zip(ra.tolist(), dec.tolist(), strict=True)]
    columns: dict[str, Any] = {"designation": names, "ra": ra, "dec": dec}
    for short, band in (("j", "j_mag"), ("h", "h_mag"), ("k", "ks_mag")):
        columns[f"{short}_m"] = sources.mag_SK[seen, BANDS.index(band)]
        columns[f"{short}_msigcom"] = sources.mag_error_SK[seen, BANDS.index(band)]
    columns["ph_qual"] = ["AAA"] * len(seen)
    distance = np.hypot((ra - ra_deg[seen]) * np.cos(np.deg2rad(dec)), dec - dec_deg[seen]) * 3600
    neighbours = pa.table(
        {
            "source_id": source_id[seen],
            "original_ext_source_id": names,
            "angular_distance": np.where(distance > 10, 0.1, distance).astype(np.float32),
            "xm_flag": np.full(len(seen), 8, dtype=np.int16),
            "number_of_neighbours": np.ones(len(seen), dtype=np.int16),
            "number_of_mates": np.zeros(len(seen), dtype=np.int16),
        }
    )
    return pa.table(columns), neighbours
