"""Who each spectrum's star is in Gaia and 2MASS, and how bright it really is."""

import pyarrow as pa

from schemas.table import Column, Table

_F4, _F8 = pa.float32(), pa.float64()

_PLACE = (
    Column("shard", pa.int32(), "Shard of the store that holds the spectrum"),
    Column("row", pa.int64(), "Row of the store"),
    Column("obsid", pa.int64(), "LAMOST's unique number of the exposure", ucd="meta.id;obs"),
)

_MATCH = (
    Column("source_id", pa.int64(), "Gaia source; null without a match", ucd="meta.id;meta.main"),
    Column(
        "gaia_separation_arcsec",
        _F4,
        "Distance to the Gaia source, moved to the epoch of the observation",
        "arcsec",
        "pos.angDistance",
    ),
    Column("n_candidates", pa.int16(), "Gaia sources within the radius", ucd="meta.number"),
    Column("tmass_designation", pa.string(), "2MASS source; null without one", ucd="meta.id"),
    Column("tmass_separation_arcsec", _F4, "Distance to it", "arcsec", "pos.angDistance"),
    Column("flags", pa.int32(), "Bits of PhotometryFlag", ucd="meta.code.qual"),
)


def _magnitudes() -> tuple[Column, ...]:
    bands = {
        "g": ("G", "em.opt"),
        "bp": ("BP", "em.opt.B"),
        "rp": ("RP", "em.opt.R"),
        "j": ("J", "em.IR.J"),
        "h": ("H", "em.IR.H"),
        "ks": ("Ks", "em.IR.K"),
    }
    columns = []
    for name, (band, ucd) in bands.items():
        columns.append(Column(f"{name}_mag", _F4, f"Observed {band}", "mag", f"phot.mag;{ucd}"))
        columns.append(Column(f"{name}_mag_err", _F4, f"Error of {band}", "mag", "stat.error"))
    return tuple(columns)


_POSITION = (
    Column("gaia_ra_deg", _F8, "Right ascension of the Gaia source", "deg", "pos.eq.ra"),
    Column("gaia_dec_deg", _F8, "Declination of the Gaia source", "deg", "pos.eq.dec"),
    Column(
        "ref_epoch_yr",
        _F8,
        "Epoch of that position; null where Gaia's catalogue does not say",
        "yr",
        "meta.ref;time.epoch",
    ),
    Column(
        "pm_ra_masyr",
        _F8,
        "Proper motion in right ascension, times cos(dec)",
        "mas/yr",
        "pos.pm;pos.eq.ra",
    ),
    Column("pm_dec_masyr", _F8, "Proper motion in declination", "mas/yr", "pos.pm;pos.eq.dec"),
)

_ASTROMETRY = (
    Column("parallax_mas", _F4, "Parallax as Gaia gives it", "mas", "pos.parallax"),
    Column("parallax_err_mas", _F4, "Error of the parallax", "mas", "stat.error;pos.parallax"),
    Column(
        "zero_point_mas",
        _F4,
        "Zero point, to subtract; null outside its validity",
        "mas",
        "arith.zp",
    ),
    Column(
        "ruwe", _F4, "Renormalised unit weight error of the astrometry", ucd="stat.fit.goodness"
    ),
    Column("distance_pc", _F4, "Distance used for M_G", "pc", "pos.distance"),
    Column("distance_err_pc", _F4, "Its error", "pc", "stat.error;pos.distance"),
    Column(
        "distance_source", pa.string(), "`bailer_jones_geometric` or `parallax`; null without one"
    ),
)

_INTRINSIC = (
    Column("e_bv", _F4, "Reddening E(B-V)", "mag", "phot.color.excess"),
    Column("a_g", _F4, "Extinction in G", "mag", "phys.absorption;em.opt"),
    Column("a_ks", _F4, "Extinction in Ks", "mag", "phys.absorption;em.IR.K"),
    Column("g_ks_0", _F4, "Intrinsic colour (G-Ks)0", "mag", "phot.color"),
    Column("g_ks_0_err", _F4, "Its error", "mag", "stat.error;phot.color"),
    Column("m_g", _F4, "Absolute magnitude M_G", "mag", "phot.mag;em.opt"),
    Column("m_g_err", _F4, "Its error", "mag", "stat.error;phot.mag"),
)

PHOTOMETRY = Table(
    "photometry",
    "tables/photometry/",
    "One row a counted spectrum: its Gaia and 2MASS sources, distance and intrinsic brightness.",
    _PLACE + _MATCH + _POSITION + _magnitudes() + _ASTROMETRY + _INTRINSIC,
)
