"""Columns of source catalogues by their names in the releases that are around."""

from collections.abc import Iterable, Mapping, Sequence

GAIA_REQUIRED = ("source_id", "ra", "dec", "phot_g_mean_mag")
GAIA: Mapping[str, tuple[str, ...]] = {
    "source_id": ("source_id",),
    "ra": ("ra",),
    "dec": ("dec",),
    "ref_epoch": ("ref_epoch",),
    "pmra": ("pmra",),
    "pmdec": ("pmdec",),
    "parallax": ("parallax",),
    "parallax_error": ("parallax_error",),
    "ruwe": ("ruwe",),
    "phot_g_mean_mag": ("phot_g_mean_mag",),
    "phot_bp_mean_mag": ("phot_bp_mean_mag",),
    "phot_rp_mean_mag": ("phot_rp_mean_mag",),
    "phot_g_mean_flux_over_error": ("phot_g_mean_flux_over_error",),
    "phot_bp_mean_flux_over_error": ("phot_bp_mean_flux_over_error",),
    "phot_rp_mean_flux_over_error": ("phot_rp_mean_flux_over_error",),
    "nu_eff_used_in_astrometry": ("nu_eff_used_in_astrometry",),
    "pseudocolour": ("pseudocolour",),
    "ecl_lat": ("ecl_lat",),
    "astrometric_params_solved": ("astrometric_params_solved",),
    "r_med_geo": ("r_med_geo",),
    "r_lo_geo": ("r_lo_geo",),
    "r_hi_geo": ("r_hi_geo",),
}

TMASS_REQUIRED = ("designation", "ra", "dec", "k_m")
TMASS: Mapping[str, tuple[str, ...]] = {
    "designation": ("designation", "tmass_designation"),
    "ra": ("ra",),
    "dec": ("dec", "decl"),
    "j_m": ("j_m", "j_mag"),
    "j_msigcom": ("j_msigcom", "j_cmsig", "j_mag_error"),
    "h_m": ("h_m", "h_mag"),
    "h_msigcom": ("h_msigcom", "h_cmsig", "h_mag_error"),
    "k_m": ("k_m", "ks_m", "ks_mag", "k_mag"),
    "k_msigcom": ("k_msigcom", "k_cmsig", "ks_msigcom", "ks_mag_error", "k_mag_error"),
}


class ColumnError(ValueError):
    """A source catalogue lacks a column."""


def resolve(
    available: Iterable[str],
    aliases: Mapping[str, Sequence[str]],
    required: Sequence[str],
    source: str,
) -> dict[str, str]:
    """Find the columns of a catalogue.

    Returns
    -------
    dict of str to str
        Canonical name to name in the catalogue, of those that are there.

    Raises
    ------
    ColumnError
        A required column is missing; the message names it, its aliases and the catalogue.
    """
    names = set(available)
    found = {
        column: next(alias for alias in known if alias in names)
        for column, known in aliases.items()
        if names.intersection(known)
    }
    missing = [" or ".join(aliases[name]) for name in required if name not in found]
    if missing:
        raise ColumnError(
            f"{source} has no column {', '.join(missing)}; it has {', '.join(sorted(names))}"
        )
    return found
