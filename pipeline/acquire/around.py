"""Gaia and 2MASS without HATS: the sources around our positions, joined by a TAP service."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from pipeline.acquire.moved import SOURCES, gaia_files, moved_sources
from pipeline.acquire.positions import PLACES, places
from pipeline.acquire.request import CATALOGUES, Outcomes, Request
from pipeline.acquire.tap import fetch_names, quoted_name
from pipeline.acquire.tap_join import Join, acquire_join
from pipeline.acquire.uploads import NUMBER, TABLE
from pipeline.core.digest import digest_of
from pipeline.core.errors import InputError
from pipeline.tables.names import resolve
from pipeline.tables.source_columns import (
    GAIA,
    GAIA_REQUIRED,
    OPTIONAL,
    TMASS,
    TMASS_REQUIRED,
    TYPES,
)

_SLACK_ARCSEC = 1.0
"""Positions of another frame, and roundings of the service, lose no source."""
_SPAN_YR = 17.0
"""From Gaia's epoch 2016 back to positions of 2000, or to an observation of 2033."""
_ARCSEC = 1 / 3600
_MOTION = ("pmra", "pmdec")


def gaia_around(request: Request) -> Outcomes:
    """Fetch the sources of Gaia that may be those of the observations.

    Parameters
    ----------
    request : Request
        Which observations; of its ``photometry``: the radius, and how fast a star may move.
    """
    own, settings = request.photometry, request.settings
    near = own.radius_arcsec + _SLACK_ARCSEC
    found, names = _columns(
        request, settings.gaia_tap_url, settings.gaia_table, {**GAIA, **OPTIONAL}, GAIA_REQUIRED
    )
    if names is None:
        return found
    reach, condition = near, ""
    if set(_MOTION) <= set(names):
        # As far as each source's own motion may have brought it, and no further.
        reach = near + own.max_motion_arcsec_yr * _SPAN_YR
        ra, dec, pmra, pmdec = (f"t.{quoted_name(names[n])}" for n in ("ra", "dec", *_MOTION))
        apart = f"3600*DISTANCE(POINT('ICRS', {ra}, {dec}), POINT('ICRS', u.ra, u.dec))"
        years = _SPAN_YR / 1000
        condition = (
            f" WHERE {apart} <= {near} OR "
            f"{apart} <= {near} + {years}*SQRT({pmra}*{pmra}+{pmdec}*{pmdec})"
        )
    query = _query(settings.gaia_table, names, reach) + condition
    join = Join("gaia", settings.gaia_tap_url, query, _schema(names), ("ra", "dec"))
    return acquire_join(request, join, places(request), PLACES)


def tmass_around(request: Request) -> Outcomes:
    """Fetch the sources of 2MASS that may be those of the sources of Gaia in ``OUT/catalogues``.

    Parameters
    ----------
    request : Request
        Where to; of its ``photometry``: the radius, and the epoch of 2MASS.

    Raises
    ------
    InputError
        There are no sources of Gaia.
    """
    own, settings = request.photometry, request.settings
    found, names = _columns(
        request, settings.tmass_tap_url, settings.tmass_table, TMASS, TMASS_REQUIRED
    )
    if names is None:
        return found
    query = _query(settings.tmass_table, names, own.tmass_radius_arcsec + _SLACK_ARCSEC)
    join = Join("tmass", settings.tmass_tap_url, query, _schema(names), ("ra", "dec"))
    files = gaia_files(request.out / CATALOGUES)
    return acquire_join(request, join, moved_sources(files, own.tmass_epoch_yr), SOURCES)


def _columns(
    request: Request,
    service: str,
    table: str,
    aliases: Mapping[str, Sequence[str]],
    required: Sequence[str],
) -> tuple[Outcomes, dict[str, str] | None]:
    """Find the columns of a service's table; None where the service does not say."""
    query = (
        "SELECT column_name FROM TAP_SCHEMA.columns "  # noqa: S608 (name checked by the settings)
        f"WHERE table_name = '{table}' OR table_name = '\"{table}\"'"
    )
    kept = f"columns-{digest_of(service, table)}"
    found, available = fetch_names(request, kept, service, query)
    if request.dry_run or found.n_missing:
        found.lines.append("  note: the list of the table's columns comes first")
        return found, resolve(available, aliases, required, table) if available else None
    if not available:
        raise InputError(
            f"{service} has no table {table}; name another one by acquire.gaia_table or "
            "acquire.tmass_table"
        )
    return found, resolve(available, aliases, required, f"{table} at {service}")


def _query(table: str, names: Mapping[str, str], reach_arcsec: float) -> str:
    taken = ", ".join(f"t.{quoted_name(own)} AS {name}" for name, own in names.items())
    ra, dec = (f"t.{quoted_name(names[name])}" for name in ("ra", "dec"))
    return (
        f"SELECT u.{NUMBER}, {taken} FROM TAP_UPLOAD.{TABLE} AS u "  # noqa: S608 (of a request)
        f"JOIN {quoted_name(table)} AS t ON 1=CONTAINS(POINT('ICRS', {ra}, {dec}), "
        f"CIRCLE('ICRS', u.ra, u.dec, {reach_arcsec * _ARCSEC:.9f}))"
    )


def _schema(names: Mapping[str, str]) -> pa.Schema:
    return pa.schema([(name, TYPES.get(name, pa.float64())) for name in names])
