"""Cone search in SQL: a macro over the stars that reads the row groups near a position only."""

import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.dataset as ds

from pipeline.tables.healpix import FULL_ORDER
from schemas.catalogue import HEALPIX

if TYPE_CHECKING:
    import duckdb

MOST_RANGES = 4
"""Ranges of the HEALPix index that cover a cone. More would read no fewer row groups, which are far
larger than a cone, and each takes 2 ms to compare with all partitions."""

_PIXEL = re.compile(r"Norder=(\d+)/Dir=\d+/Npix=(\d+)\.parquet$")

_WHERE = " OR ".join(
    f"{HEALPIX} BETWEEN healpix_from(ra, dec, radius_arcmin, {k}) "
    f"AND healpix_to(ra, dec, radius_arcmin, {k})"
    for k in range(MOST_RANGES)
)
# By half angles: exact for small separations too.
_MACROS = f"""
    CREATE MACRO separation_arcmin(ra1, dec1, ra2, dec2) AS
        120 * degrees(asin(least(1, sqrt(pow(sin(radians(dec2 - dec1) / 2), 2)
            + cos(radians(dec1)) * cos(radians(dec2)) * pow(sin(radians(ra2 - ra1) / 2), 2)))));
    CREATE MACRO cone(ra, dec, radius_arcmin) AS TABLE
        SELECT * FROM (
            SELECT *, separation_arcmin(ra, dec, ra_deg, dec_deg) AS separation_arcmin
            FROM stars WHERE {_WHERE}
        ) WHERE separation_arcmin <= radius_arcmin;
"""  # noqa: S608 (made of constants)


def add_cone(db: "duckdb.DuckDBPyConnection") -> None:
    """Add the macros ``cone`` and ``separation_arcmin`` to a database that has the view ``stars``.

    Parameters
    ----------
    db : duckdb.DuckDBPyConnection
        Not yet locked.
    """
    arguments = ["DOUBLE", "DOUBLE", "DOUBLE", "INTEGER"]
    for number, name in enumerate(("healpix_from", "healpix_to")):
        db.create_function(name, _bound(number), arguments, "BIGINT")  # type: ignore[arg-type]
    db.execute(_MACROS)


def _bound(side: int):  # type: ignore[no-untyped-def]
    def bound(ra: float, dec: float, radius_arcmin: float, number: int) -> int:
        ranges = cone_ranges(ra, dec, radius_arcmin)
        # An empty range where there are fewer.
        return ranges[number][side] if number < len(ranges) else -1 - side

    return bound


@lru_cache(maxsize=64)
def cone_ranges(ra: float, dec: float, radius_arcmin: float) -> tuple[tuple[int, int], ...]:
    """Cover a cone by ranges of the HEALPix index of order 29.

    Parameters
    ----------
    ra, dec : float
        Centre in degrees.
    radius_arcmin : float
        Radius.

    Returns
    -------
    tuple of tuple of int
        At most ``MOST_RANGES`` first and last indices, rising; every position of the cone is in
        one.

    Raises
    ------
    ValueError
        No such place or radius.
    """
    if not (-90 <= dec <= 90 and 0 <= radius_arcmin <= 180 * 60 and abs(ra) <= 720):
        raise ValueError(
            f"cone({ra:g}, {dec:g}, {radius_arcmin:g}): right ascension and declination are in "
            "degrees, the radius in arcmin, from 0 to 10800"
        )
    from astropy.coordinates import Latitude, Longitude
    from cdshealpix.nested import cone_search

    # Pixels of half the radius: side of order k is 3518 / 2**k arcmin.
    order = 0
    while order < FULL_ORDER - 2 and 3518 / 2 ** (order + 1) > max(radius_arcmin, 1e-4) / 2:
        order += 1
    if radius_arcmin > 60 * 60:
        return ((0, 12 * 4**FULL_ORDER - 1),)
    pixels, depths, _ = cone_search(
        Longitude(ra, "deg"),
        Latitude(dec, "deg"),
        Longitude(max(radius_arcmin, 1e-4) / 60, "deg"),
        order,
    )
    ranges = sorted(
        (int(p) << 2 * (FULL_ORDER - int(d)), (int(p) + 1 << 2 * (FULL_ORDER - int(d))) - 1)
        for p, d in zip(pixels, depths, strict=True)
    )
    return tuple(_merged(ranges))


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Close the smallest gaps until few ranges are left."""
    gaps = sorted((after[0] - before[1], i) for i, (before, after) in enumerate(pairwise(ranges)))
    cuts = sorted(i for gap, i in gaps[::-1][: MOST_RANGES - 1] if gap > 1)
    starts, ends = [0, *(i + 1 for i in cuts)], [*cuts, len(ranges) - 1]
    return [(ranges[a][0], ranges[b][1]) for a, b in zip(starts, ends, strict=True)]


def pixel_expression(path: Path) -> ds.Expression:
    """Return what the name of a file says of its rows, so that others are not opened.

    Parameters
    ----------
    path : pathlib.Path
        File of any table.

    Returns
    -------
    pyarrow.dataset.Expression
        The range of the HEALPix index for a partition of HATS; else true.
    """
    found = _PIXEL.search(path.as_posix())
    if found is None:
        return ds.scalar(True)  # noqa: FBT003 (a value)
    order, pixel = (int(text) for text in found.groups())
    shift = 2 * (FULL_ORDER - order)
    index = ds.field(HEALPIX)
    return (index >= pixel << shift) & (index < pixel + 1 << shift)
