import cdshealpix
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hats.pixel_math.healpix_shim import radec2pix

from pipeline.core.errors import InputError
from pipeline.core.pieces import Pieces
from pipeline.photometry.matching import MovingMatch
from pipeline.photometry.pairs import Match, match_catalogues, read_pairs
from pipeline.photometry.positions import degrees, propagate, separation_arcsec, unit_vectors
from pipeline.photometry.source_blocks import SourceBlock, blocks_of, open_block
from pipeline.photometry.target_parts import TargetParts, sort_targets
from pipeline.photometry.targets import POSITION, TARGETS

NAMES = {name: name for name in ("source_id", "ra", "dec", "pmra", "pmdec", "ref_epoch")}

RADIUS, SPAN_YR = 3.0, 9.0
REACH = RADIUS + 11 * (SPAN_YR + 2)
ALGORITHM = MovingMatch(RADIUS, REACH, NAMES, 2016.0)
PIECES = Pieces(4, 3)
"""Of the targets of `sky`: 400 in shards of 100."""


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


def write_targets(targets, folder):
    """Write the targets as files in no order of place, as a survey has them."""
    files = [folder / f"targets-{k}.parquet" for k in range(3)]
    for k, path in enumerate(files):
        pq.write_table(targets.take(np.arange(k, targets.num_rows, 3)), path)
    return files


def sorted_targets(run, files, folder, rows, reach=REACH):
    parts = TargetParts(folder / "parts", RADIUS, reach)
    sort_targets(run, files, parts, rows)
    return parts


def blocks(sources, folder, rows):
    """Write the sources as two files of several row groups, as large catalogues come."""
    table = pa.table(sources)
    half = table.num_rows // 2
    files = [folder / "a.parquet", folder / "b.parquet"]
    for path, part in zip(files, (table.slice(0, half), table.slice(half)), strict=True):
        pq.write_table(part, path, row_group_size=100)
    return blocks_of(files, rows)


def all_pairs(run, sky, folder, *, block_rows=150, part_rows=150, algorithm=ALGORITHM):
    sources, targets = sky
    read = blocks(sources, folder, block_rows)
    files = write_targets(targets, folder)
    parts = sorted_targets(run, files, folder, part_rows, algorithm.reach_arcsec)
    match = Match(tuple(sources), parts, algorithm, folder / "pairs", PIECES)
    found, counts = match_catalogues(run, read, match, "match", "x")
    tables = [read_pairs(PIECES.shards(unit), paths) for unit, paths in sorted(found.items())]
    pairs = pa.concat_tables(tables)
    assert counts == {"pairs": pairs.num_rows, "sources": len(sources["ra"]), "left_out": 0}
    return pairs, found


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


@pytest.mark.parametrize("rows", [(40, 150), (1000, 40), (300, 1000)])
def test_pairs_at_borders_are_those_of_brute_force(run, sky, tmp_path, rows):
    """Blocks and parts of any relative size; nearly every pair lies near a border."""
    sources, targets = sky
    pairs, _ = all_pairs(run, sky, tmp_path, block_rows=rows[0], part_rows=rows[1])
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


def test_every_target_is_in_one_part(run, sky, tmp_path):
    _, targets = sky
    parts = sorted_targets(run, write_targets(targets, tmp_path), tmp_path, 100)
    tables = [pq.read_table(parts.path(number)) for number in range(len(parts.near()))]
    assert len(tables) > 3
    assert all(table.num_rows <= 100 for table in tables)
    assert pa.concat_tables(tables).sort_by("target_row").equals(targets)


def test_a_part_that_is_gone_is_made_again(run, sky, tmp_path):
    files = write_targets(sky[1], tmp_path)
    parts = sorted_targets(run, files, tmp_path, 100)
    kept = parts.path(1).read_bytes()
    parts.path(1).unlink()
    sorted_targets(run, files, tmp_path, 100)
    assert parts.path(1).read_bytes() == kept


def test_a_second_match_reads_what_the_first_wrote(run, sky, tmp_path):
    first, files = all_pairs(run, sky, tmp_path)
    stamps = {p: p.stat().st_mtime_ns for paths in files.values() for p in paths}
    again, _ = all_pairs(run, sky, tmp_path)
    assert again.to_pandas().equals(first.to_pandas())
    assert stamps == {p: p.stat().st_mtime_ns for p in stamps}


def test_too_fast_sources_are_refused(run, sky, tmp_path):
    slow = MovingMatch(RADIUS, 10.0, NAMES, 2016.0)
    with pytest.raises(InputError, match="raise photometry.max_motion_arcsec_yr"):
        all_pairs(run, sky, tmp_path, algorithm=slow)


def test_a_broken_source_file_is_named(run, sky, tmp_path):
    all_pairs(run, sky, tmp_path)
    path = tmp_path / "b.parquet"
    content = bytearray(path.read_bytes())
    content[4:4000] = bytes(3996)
    path.write_bytes(content)
    block = SourceBlock(((str(path), None),))
    with (
        pytest.raises(InputError, match=r"b\.parquet cannot be read"),
        open_block(block, ["ra"]) as rows,
    ):
        rows.read(["ra"])
