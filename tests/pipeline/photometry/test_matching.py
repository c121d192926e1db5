import cdshealpix
import lsdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hats.pixel_math.healpix_shim import radec2pix

from pipeline.core.errors import InputError
from pipeline.photometry.hats_import import import_parquet
from pipeline.photometry.matching import MovingMatch
from pipeline.photometry.pairs import Match, match_catalogues, read_pairs
from pipeline.photometry.positions import degrees, propagate, separation_arcsec, unit_vectors
from pipeline.photometry.targets import POSITION, TARGETS

NAMES = {name: name for name in ("source_id", "ra", "dec", "pmra", "pmdec", "ref_epoch")}

# LSDB compiles its alignment of partitions once a process.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("lsdb")]

RADIUS, SPAN_YR = 3.0, 9.0
REACH = RADIUS + 11 * (SPAN_YR + 2)
ALGORITHM = MovingMatch(RADIUS, REACH, NAMES, 2016.0)


def border_places(rng, n):
    """Places within 30 arcsec of corners of coarse pixels, of the poles, and of RA = 0."""
    lon, lat = cdshealpix.vertices(rng.choice(12 * 4**2, 8, replace=False), 2)
    ra = np.concatenate([lon.deg.ravel(), [0.0, 0.0, 0.0]])
    dec = np.concatenate([lat.deg.ravel(), [90.0, -90.0, 0.0]])
    corner = rng.integers(len(ra), size=n)
    radius = 30 * np.sqrt(rng.random(n)) * 1000
    angle = 2 * np.pi * rng.random(n)
    motion = radius * np.cos(angle), radius * np.sin(angle)
    return degrees(propagate(ra[corner], dec[corner], *motion, np.ones(n)))


@pytest.fixture
def run(make_run, tmp_path):
    return make_run("photometry", tmp_path)


@pytest.fixture(scope="module")
def sky():
    """Sources that crowd at borders, up to 10 arcsec/yr fast, and observations of half of them."""
    rng = np.random.default_rng(5)
    ra, dec = border_places(rng, 800)
    n = len(ra)
    speed = np.where(rng.random(n) < 0.7, 10_000 * rng.random(n), 50 * rng.random(n))
    turn = 2 * np.pi * rng.random(n)
    sources = {
        "source_id": np.arange(n) + 2**60,
        "ra": ra,
        "dec": dec,
        "pmra": np.where(rng.random(n) < 0.1, np.nan, speed * np.cos(turn)),
        "pmdec": speed * np.sin(turn),
        "ref_epoch": np.where(rng.random(n) < 0.5, 2016.0, 2015.5),
        "phot_g_mean_mag": 15 + rng.random(n),
    }
    seen = rng.choice(n, n // 2)
    year = 2016 + SPAN_YR * rng.uniform(-1, 1, len(seen))
    place = propagate(
        *(sources[name][seen] for name in ("ra", "dec", "pmra", "pmdec")),
        year - sources["ref_epoch"][seen],
    )
    ra, dec = degrees(place)
    dec = np.clip(dec + rng.normal(0, 1 / 3600, len(dec)), -90, 90)
    row = np.arange(len(ra))
    return sources, pa.table([row, row // 100, ra, dec, year], names=TARGETS.names).cast(TARGETS)


def import_targets(run, targets, folder, rows=100_000, reach=REACH):
    pq.write_table(targets, folder / "targets.parquet")
    return import_parquet(
        run, [folder / "targets.parquet"], folder / f"targets-{rows}", TARGETS.names, POSITION,
        partition_rows=rows, margin_arcsec=reach,
    )  # fmt: skip


def import_sources(run, sources, folder, rows):
    """Write the sources as two files of several row groups, as large catalogues come."""
    table = pa.table(sources)
    half = table.num_rows // 2
    files = [folder / "a.parquet", folder / "b.parquet"]
    for path, part in zip(files, (table.slice(0, half), table.slice(half)), strict=True):
        pq.write_table(part, path, row_group_size=100)
    return import_parquet(
        run, files, folder / f"sources-{rows}", table.column_names, ("ra", "dec"),
        partition_rows=rows,
    )  # fmt: skip


def all_pairs(run, sources, targets, folder, algorithm=ALGORITHM):
    opened = (lsdb.open_catalog(path) for path in (sources, targets))
    files = match_catalogues(run, Match(*opened, algorithm, folder / "pairs"), "match", "x")
    tables = [read_pairs(shard, paths) for shard, paths in sorted(files.items())]
    return pa.concat_tables(tables), files


def brute_force(sources, targets):
    """Every source moved to the epoch of every observation."""
    seen = {name: targets[name].to_numpy() for name in TARGETS.names}
    place = unit_vectors(seen["target_ra_deg"], seen["target_dec_deg"])
    found = {}
    for t, year in enumerate(seen["target_epoch_yr"]):
        moved = propagate(
            *(sources[name] for name in ("ra", "dec", "pmra", "pmdec")),
            year - sources["ref_epoch"],
        )
        separation = separation_arcsec(moved, place[t])
        for s in np.flatnonzero(separation <= RADIUS):
            found[int(seen["target_row"][t]), int(sources["source_id"][s])] = separation[s]
    return found


@pytest.mark.parametrize("rows", [(40, 150), (150, 40)])
def test_pairs_at_borders_are_those_of_brute_force(run, sky, tmp_path, rows):
    """Partitions of any relative size; nearly every pair lies near a border."""
    sources, targets = sky
    left = import_sources(run, sources, tmp_path, rows[0])
    right = import_targets(run, targets, tmp_path, rows[1])
    pairs, _ = all_pairs(run, left, right, tmp_path / "pairs")
    assert pairs["source_id"].type == pa.int64()
    found = dict(
        zip(
            zip(pairs["target_row"].to_pylist(), pairs["source_id"].to_pylist(), strict=True),
            pairs["separation_arcsec"].to_pylist(),
            strict=True,
        )
    )
    expected = brute_force(sources, targets)
    assert len(expected) > 400
    assert found.keys() == expected.keys()
    assert pairs.num_rows == len(expected)
    np.testing.assert_allclose([found[k] for k in expected], list(expected.values()), atol=1e-6)


def test_many_pairs_really_cross_borders(sky):
    """What the test above is worth: pairs whose sides are in different coarse pixels."""
    sources, targets = sky
    home = radec2pix(3, sources["ra"], sources["dec"])
    away = radec2pix(3, *(targets[name].to_numpy() for name in POSITION))
    number = {int(s): k for k, s in enumerate(sources["source_id"])}
    pairs = brute_force(sources, targets)
    crossing = sum(home[number[s]] != away[t] for t, s in pairs)
    assert crossing > 100


def test_every_source_and_target_is_partitioned_once(run, sky, tmp_path):
    sources, targets = sky
    left = lsdb.open_catalog(import_sources(run, sources, tmp_path, 50)).compute()
    assert sorted(left["source_id"]) == sources["source_id"].tolist()
    assert str(left["source_id"].dtype).startswith("int64")
    right = lsdb.open_catalog(import_targets(run, targets, tmp_path, 100))
    assert sorted(right.compute()["target_row"]) == list(range(targets.num_rows))


def test_a_second_match_reads_what_the_first_wrote(run, sky, tmp_path):
    sources, targets = sky
    left = import_sources(run, sources, tmp_path, 500)
    right = import_targets(run, targets, tmp_path)
    first, files = all_pairs(run, left, right, tmp_path / "pairs")
    stamps = {p: p.stat().st_mtime_ns for paths in files.values() for p in paths}
    again, _ = all_pairs(run, left, right, tmp_path / "pairs")
    pd.testing.assert_frame_equal(again.to_pandas(), first.to_pandas())
    assert stamps == {p: p.stat().st_mtime_ns for p in stamps}


def test_too_narrow_margins_and_too_fast_sources_are_refused(run, sky, tmp_path):
    sources, targets = sky
    left = import_sources(run, sources, tmp_path, 500)
    narrow = import_targets(run, targets, tmp_path, reach=10.0)
    with pytest.raises(ValueError, match=r"margin of 10.0 arcsec is less than"):
        all_pairs(run, left, narrow, tmp_path / "pairs")
    slow = MovingMatch(RADIUS, 10.0, NAMES, 2016.0)
    with pytest.raises(InputError, match="raise photometry.max_motion_arcsec_yr"):
        all_pairs(run, left, narrow, tmp_path / "pairs", slow)
    with pytest.raises(InputError, match="too wide for partitions of 1 rows"):
        import_targets(run, targets, tmp_path, rows=1, reach=3600.0)
