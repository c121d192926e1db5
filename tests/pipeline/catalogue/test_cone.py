from itertools import pairwise

import numpy as np
import pyarrow.dataset as ds
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.catalogue.cone import MOST_RANGES, cone_ranges, pixel_expression
from pipeline.catalogue.hats import Pixel
from pipeline.catalogue.query import connect, show
from pipeline.core.errors import InputError
from pipeline.core.parquet import table_files
from schemas.catalogue import STARS


@given(
    ra=st.floats(-360, 720),
    dec=st.floats(-90, 90),
    radius=st.floats(0, 10_800) | st.floats(0, 5),
    seed=st.integers(0, 99),
)
@settings(max_examples=150)
def test_every_place_of_a_cone_is_in_a_range(ra, dec, radius, seed):
    from hats.pixel_math.spatial_index import compute_spatial_index

    ranges = cone_ranges(ra, dec, radius)
    assert 1 <= len(ranges) <= MOST_RANGES
    assert all(a <= b for a, b in ranges)
    assert all(b < c for (_, b), (c, _) in pairwise(ranges))
    rng = np.random.default_rng(seed)
    centre = SkyCoord(ra % 360, dec, unit="deg")
    towards, away = rng.uniform(0, 360, 50), rng.uniform(0, 0.9999, 50) * radius / 60
    inside = centre.directional_offset_by(towards * centre.ra.unit, away * centre.ra.unit)
    index = compute_spatial_index(inside.ra.deg, inside.dec.deg)
    assert all(any(a <= i <= b for a, b in ranges) for i in index.tolist())


@pytest.mark.parametrize(
    ("ra", "dec", "radius"), [(10, 20, 600), (0.01, 0, 900), (200, 89.9, 900), (359.9, -90, 1200)]
)
def test_a_cone_holds_what_astropy_finds(stars_root, ra, dec, radius):
    root, table = stars_root
    place = SkyCoord(table["ra_deg"].to_numpy(), table["dec_deg"].to_numpy(), unit="deg")
    separation = place.separation(SkyCoord(ra, dec, unit="deg")).arcmin
    near = separation < radius
    with connect(root.path) as tables:
        sql = f"SELECT star_id, separation_arcmin FROM cone({ra}, {dec}, {radius})"
        found = dict(tables.sql(sql).fetchall())
    expected = dict(zip(np.array(table["star_id"])[near], separation[near], strict=True))
    assert found == pytest.approx(expected, abs=1e-6) and len(found) > 3


def test_the_names_of_files_say_what_they_hold(stars_root):
    root, table = stars_root
    parts = table_files(root.table(STARS))
    assert len(parts) > 15
    for part in parts:
        rows = ds.dataset(part, format="parquet")
        assert rows.count_rows(filter=~pixel_expression(part)) == 0
    assert sum(ds.dataset(p, format="parquet").count_rows() for p in parts) == table.num_rows
    pixel = Pixel(3, 10_001)
    assert pixel.path(root.path).as_posix().endswith("Norder=3/Dir=10000/Npix=10001.parquet")


def test_a_cone_opens_the_files_that_it_needs(stars_root, tmp_path):
    """Partitions elsewhere may be damaged: they are not read."""
    import shutil

    root, table = stars_root
    shutil.copytree(root.path, tmp_path / "run")
    ra, dec = table["ra_deg"][0].as_py(), table["dec_deg"][0].as_py()
    home = pixel_of(table["_healpix_29"][0].as_py(), table_files(tmp_path / "run" / STARS.location))
    first = table_files(tmp_path / "run" / STARS.location)[0]
    for part in table_files(tmp_path / "run" / STARS.location):
        if part not in (home, first):
            part.write_bytes(b"damaged")
    with connect(tmp_path / "run") as tables:
        sql = f"SELECT star_id FROM cone({ra}, {dec}, 1)"
        assert tables.sql(sql).fetchall() == [(table["star_id"][0].as_py(),)]


def pixel_of(index, parts):
    for part in parts:
        if ds.dataset(part, format="parquet").count_rows(filter=ds.field("_healpix_29") == index):
            return part
    raise AssertionError


@pytest.mark.parametrize("arguments", ["10, 91, 1", "10, 20, -1", "'a', 20, 1", "10, 20"])
def test_what_is_no_cone_is_said(stars_root, arguments):
    root, _ = stars_root
    with pytest.raises(InputError, match="cone|Could not convert"):
        show(root.path, f"FROM cone({arguments})")


def test_a_cone_of_nothing_is_empty(stars_root):
    root, _ = stars_root
    with connect(root.path) as tables:
        assert tables.sql("FROM cone(NULL, 20, 1)").fetchall() == []
