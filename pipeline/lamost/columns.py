"""Columns of the stellar catalogues: canonical names, aliases, and what counts as missing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import pyarrow as pa

PREFIX = "combined_"
"""Put before every name in the catalogue of repeat observations."""
MISSING_KEY = b"pairspec.missing_columns"
"""Schema metadata: JSON list of the canonical columns that the file does not have."""


class Rule(Enum):
    """Which values of a column, beside -9999, -999, NaN and what is too large, mean nothing."""

    PLAIN = "nothing else"
    MAGNITUDE = "99"
    POSITIVE = "zero and below"


@dataclass(frozen=True, slots=True)
class CatalogueColumn:
    """One canonical column."""

    name: str
    dtype: pa.DataType
    aliases: tuple[str, ...]
    """Names in the catalogues, lower case; the canonical name is always one of them."""
    rule: Rule = Rule.PLAIN


def _integers(names: str, rule: Rule = Rule.PLAIN) -> list[CatalogueColumn]:
    return [_column(entry, pa.int64(), rule) for entry in names.split()]


def _texts(names: str) -> list[CatalogueColumn]:
    return [_column(entry, pa.string()) for entry in names.split()]


def _floats(names: str, rule: Rule = Rule.PLAIN) -> list[CatalogueColumn]:
    return [_column(entry, pa.float64(), rule) for entry in names.split()]


def _column(entry: str, dtype: pa.DataType, rule: Rule = Rule.PLAIN) -> CatalogueColumn:
    """Make a column from ``name=alias=alias``."""
    name, *aliases = entry.split("=")
    return CatalogueColumn(name, dtype, (name, *aliases), rule)


COLUMNS: tuple[CatalogueColumn, ...] = (
    *_integers("obsid=obs_id"),
    *_texts("uid gp_id=gpid designation=desig obsdate=obs_date"),
    *_integers("lmjd mjd"),
    *_texts("planid=plan_id"),
    *_integers("spid=sp_id fiberid=fiber_id"),
    *_floats("ra_obs=obs_ra dec_obs=obs_dec"),
    *_floats("snr_u=snru=sn_u snr_g=snrg=sn_g snr_r=snrr=sn_r snr_i=snri=sn_i snr_z=snrz=sn_z"),
    *_texts("obj_class=class subclass=sub_class"),
    *_floats("z=redshift"),
    *_floats("z_err=zerr", Rule.POSITIVE),
    *_integers("ps_id"),
    *_floats("mag_ps_g mag_ps_r mag_ps_i mag_ps_z mag_ps_y", Rule.MAGNITUDE),
    *_integers("gaia_source_id", Rule.POSITIVE),
    *_floats("gaia_g_mag=gaia_g_mean_mag", Rule.MAGNITUDE),
    *_texts("fibertype=fib_type"),
    *_integers("fibermask=fib_mask"),
    *_texts("offset=offsets"),
    *_floats("offset_arcsec=offsets_v=offset_v"),
    *_floats("ra=ra_deg dec=dec_deg teff_k=teff"),
    *_floats("teff_err_k=teff_err=teff_error", Rule.POSITIVE),
    *_floats("logg=log_g"),
    *_floats("logg_err=logg_error", Rule.POSITIVE),
    *_floats("feh=fe_h"),
    *_floats("feh_err=feh_error", Rule.POSITIVE),
    *_floats("rv_kms=rv"),
    *_floats("rv_err_kms=rv_err=rv_error", Rule.POSITIVE),
    *_floats("alpha_m=alpha_fe"),
    *_floats("alpha_m_err=alpha_fe_err", Rule.POSITIVE),
    *_floats("vsini_kms=vsini_lasp=vsini"),
)
REQUIRED = ("obsid",)

ERROR_OF = {
    "z_err": "z",
    "teff_err_k": "teff_k",
    "logg_err": "logg",
    "feh_err": "feh",
    "rv_err_kms": "rv_kms",
    "alpha_m_err": "alpha_m",
}
"""An error without its value was put there by somebody else, and is not taken."""


@dataclass(frozen=True, slots=True)
class CatalogueColumns:
    """Which column of a file stands for which canonical one."""

    found: dict[str, int]
    """Position in the file, by canonical name."""
    missing: tuple[str, ...]
    """Canonical columns that the file does not have."""

    def schema(self) -> pa.Schema:
        """Return the canonical table's schema, whose metadata say what the file lacks."""
        fields = [pa.field(column.name, column.dtype) for column in COLUMNS]
        return pa.schema(fields, {MISSING_KEY: json.dumps(self.missing).encode()})


def resolve_columns(names: Sequence[str], source: str) -> CatalogueColumns:
    """Find the canonical columns among a file's names.

    A name is compared without case, blanks and the prefix ``combined_``. Of several columns that
    fit, the one whose name is the earlier alias wins, then the one that stands first.

    Parameters
    ----------
    names : sequence of str
        The file's columns.
    source : str
        The file, for the message.

    Raises
    ------
    ValueError
        If a required column is not there.
    """
    positions: dict[str, int] = {}
    for position, name in enumerate(names):
        positions.setdefault(name.strip().lower().removeprefix(PREFIX), position)
    found: dict[str, int] = {}
    for column in COLUMNS:
        fitting = [positions[alias] for alias in column.aliases if alias in positions]
        orphan = column.name in ERROR_OF and ERROR_OF[column.name] not in found
        if fitting and not orphan:
            found[column.name] = fitting[0]
    for column in COLUMNS:
        if column.name in REQUIRED and column.name not in found:
            raise ValueError(
                f"{source}: no column {column.name!r} (tried {', '.join(column.aliases)}, also "
                f"with {PREFIX!r} before it); the file has {', '.join(names)}. "
                "Rename the column, or name another file."
            )
    missing = tuple(column.name for column in COLUMNS if column.name not in found)
    return CatalogueColumns(found, missing)
