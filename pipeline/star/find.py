"""The stars of a catalogue that a user may mean."""

from typing import Any, NamedTuple

from pipeline.catalogue.query import Tables
from pipeline.core.errors import InputError
from pipeline.star.wanted import Name, Number, Position, Wanted
from schemas.catalogue import HEALPIX

RADIUS_ARCSEC = 5.0
"""Default of the search: proper motion moves few stars farther between two epochs."""

_ARCMIN = (1, 10, 100, 1000, 10_800)
"""Radii in which the nearest star is looked for, one after the other."""

_COLUMNS = f"star_id, {HEALPIX} AS healpix, designation, ra_deg, dec_deg, p_b, n_spectra_all"
_LEFT_OUT = (
    "it was ingested but has no prediction, so it is in no catalogue: it is not in the sample, or "
    "its file is not counted; `pairspec infer --all` and `pairspec catalogue` take all counted "
    "spectra"
)


class Match(NamedTuple):
    """One star that fits.

    Parameters
    ----------
    star_id : str
        Its name in the catalogue.
    healpix : int, optional
        Index of its place; None without a position.
    designation : str, optional
        Name by position.
    ra_deg, dec_deg : float, optional
        Its position in degrees.
    p_b : float, optional
        Highest of its spectra.
    n_spectra_all : int
        Number of its spectra.
    separation_arcsec : float, optional
        Distance from the position that was asked for.
    """

    star_id: str
    healpix: int | None
    designation: str | None
    ra_deg: float | None
    dec_deg: float | None
    p_b: float | None
    n_spectra_all: int
    separation_arcsec: float | None = None

    def __str__(self) -> str:
        name = self.star_id if self.designation in (None, self.star_id) else (
            f"{self.star_id} ({self.designation})"
        )  # fmt: skip
        near = "" if self.separation_arcsec is None else f"{self.separation_arcsec:8.2f} arcsec"
        score = "p_b -" if self.p_b is None else f"p_b {self.p_b:.3f}"
        plural = "a" if self.n_spectra_all > 1 else "um"
        return f"{near}  {name}: {score}, {self.n_spectra_all} spectr{plural}".strip()


def find_stars(tables: Tables, wanted: Wanted, radius_arcsec: float = RADIUS_ARCSEC) -> list[Match]:
    """Find stars by what a user calls them, the nearest first.

    Parameters
    ----------
    tables : Tables
        Of a run that has a catalogue.
    wanted : Position, Number or Name
        As from `pipeline.star.wanted.parse_wanted`.
    radius_arcsec : float
        Of a search by position.

    Returns
    -------
    list of Match
        At least one star.

    Raises
    ------
    InputError
        There is none; the message says how far the nearest one is, or where the spectrum is.
    """
    if not 0 < radius_arcsec <= 60 * 10_800:
        raise InputError(f"--radius {radius_arcsec:g}: give it in arcsec, above 0")
    if isinstance(wanted, Position):
        return _near(tables, wanted, radius_arcsec)
    if isinstance(wanted, Number):
        return _by_number(tables, wanted)
    found = _where(tables, "upper(star_id) = upper($v) OR designation = upper($v)", wanted.text)
    if not found and wanted.position is not None:
        return _near(tables, wanted.position, radius_arcsec)
    return found or _fail_by_name(wanted)


def _near(tables: Tables, position: Position, radius_arcsec: float) -> list[Match]:
    found = _cone(tables, position, radius_arcsec / 60)
    if found:
        return found
    left_out = _left_out(
        tables,
        "separation_arcmin($ra, $dec, ra_deg, dec_deg) * 60 <= $radius",
        {"ra": position.ra_deg, "dec": position.dec_deg, "radius": radius_arcsec},
    )
    nearest = next((near for radius in _ARCMIN if (near := _cone(tables, position, radius))), None)
    far = "the catalogue has no stars"
    if nearest is not None:
        distance = nearest[0].separation_arcsec or 0.0
        far = f"the nearest is {nearest[0].star_id} at {_angle(distance)}"
    raise InputError(
        f"no star within {radius_arcsec:g} arcsec of {position}; {left_out or far}; --radius "
        "ARCSEC looks farther"
    )


def _cone(tables: Tables, position: Position, radius_arcmin: float) -> list[Match]:
    place = f"{position.ra_deg!r}, {position.dec_deg!r}, {radius_arcmin!r}"
    answer = tables.sql(
        f"SELECT {_COLUMNS}, separation_arcmin * 60 FROM cone({place}) "  # noqa: S608 (numbers)
        "ORDER BY separation_arcmin, star_id LIMIT 100"
    )
    return [Match(*row) for row in answer.fetchall()]


def _by_number(tables: Tables, wanted: Number) -> list[Match]:
    found = _where(tables, "source_id = $v", wanted.value)
    if found:
        return found
    names = tables.sql(
        "SELECT DISTINCT star_id FROM spectra WHERE obsid = $v", {"v": wanted.value}
    ).fetchall()
    found = [match for (name,) in names for match in _where(tables, "star_id = $v", name)]
    if found:
        return found
    why = _left_out(tables, "obsid = $v", {"v": wanted.value})
    raise InputError(f"no star has the source_id or obsid {wanted}{f'; {why}' if why else ''}")


def _where(tables: Tables, condition: str, value: Any) -> list[Match]:
    answer = tables.sql(
        f"SELECT {_COLUMNS} FROM (FROM stars UNION ALL FROM unplaced_stars) "  # noqa: S608 (constants)
        f"WHERE {condition} ORDER BY star_id",
        {"v": value},
    )
    return [Match(*row) for row in answer.fetchall()]


def _left_out(tables: Tables, condition: str, params: dict[str, Any]) -> str | None:
    """Say which spectra of the survey fit, of those that are not in the catalogue."""
    answer = tables.sql(
        f"SELECT obsid, path FROM observations WHERE {condition} ORDER BY row LIMIT 1",  # noqa: S608 (constants)
        params,
    ).fetchall()
    return f"{answer[0][1]} (obsid {answer[0][0]}) lies there: {_LEFT_OUT}" if answer else None


def _fail_by_name(wanted: Name) -> list[Match]:
    raise InputError(
        f"no star is named {wanted}; names are those of the columns star_id and designation, other "
        'catalogues are not asked: give a source_id, an obsid, or "ra dec" in degrees'
    )


def _angle(arcsec: float) -> str:
    for limit, unit, size in ((120, "arcsec", 1), (7200, "arcmin", 60)):
        if arcsec < limit:
            return f"{arcsec / size:.1f} {unit}"
    return f"{arcsec / 3600:.1f} deg"
