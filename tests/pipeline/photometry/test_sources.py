import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.core.pieces import Pieces
from pipeline.photometry.matching import MovingMatch
from pipeline.photometry.pairs import Match, match_catalogues, read_pairs
from pipeline.photometry.source_blocks import open_block
from pipeline.photometry.sources import find_catalogue
from pipeline.photometry.target_parts import TargetParts, sort_targets
from pipeline.photometry.targets import TARGETS
from pipeline.simulate.merge import write_hats
from pipeline.tables.source_columns import GAIA, GAIA_REQUIRED, TMASS, TMASS_REQUIRED
from tests.pipeline.tables.kinds import write_table

FIRST = 2**60 + 1
ROWS = 60


@pytest.fixture
def run(make_run, tmp_path):
    return make_run("photometry", tmp_path)


def gaia(**columns):
    rng = np.random.default_rng(4)
    base = {
        "source_id": np.arange(ROWS) + FIRST,
        "ra": rng.uniform(0, 360, ROWS),
        "dec": np.rad2deg(np.arcsin(rng.uniform(-1, 1, ROWS))),
        "phot_g_mean_mag": rng.uniform(10, 18, ROWS),
        "ruwe": rng.uniform(1, 1.4, ROWS),
        "pseudocolour": rng.uniform(1.3, 1.6, ROWS),
    }
    return pa.table(base | columns)


def write(table, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def find(path):
    return find_catalogue(str(path), GAIA, GAIA_REQUIRED)


def blocks(catalogue, folder):
    return catalogue.blocks(folder, 20, TargetParts(folder, 3.0, 3.0))


def rows_of(catalogue, folder):
    columns, tables = list(catalogue.names.values()), []
    for block in blocks(catalogue, folder):
        with open_block(block, columns) as rows:
            tables.append(rows.read(columns))
    return pa.concat_tables(tables).sort_by("source_id").to_pandas()


FLOATS = {
    "double": pa.array((np.arange(ROWS) + FIRST).astype(float)),
    "float": pa.array(np.arange(ROWS), pa.float32()),
    "decimal128": pa.array(range(FIRST, FIRST + ROWS), pa.decimal128(20)),
}


@pytest.mark.parametrize("name", FLOATS)
def test_ids_that_have_lost_digits_are_refused_at_once(tmp_path, name):
    path = write(gaia(source_id=FLOATS[name]), tmp_path / "gaia.parquet")
    with pytest.raises(InputError, match=rf"column source_id of .*gaia\.parquet is {name.upper()}"):
        find(path)


def test_ids_of_a_hats_catalogue_that_have_lost_digits_are_refused_at_once(tmp_path):
    path = write(gaia(source_id=FLOATS["double"]), tmp_path / "gaia.parquet")
    write_hats(path, tmp_path / "hats", "hats")
    with pytest.raises(InputError, match=r"column source_id of .*hats is DOUBLE"):
        find(tmp_path / "hats")


def test_ids_of_another_file_of_the_folder_are_refused_before_the_match(tmp_path):
    write(gaia(), tmp_path / "gaia" / "1.parquet")
    write(gaia(source_id=FLOATS["double"]), tmp_path / "gaia" / "2.parquet")
    with pytest.raises(InputError, match=r"column source_id of .*2\.parquet is DOUBLE"):
        blocks(find(tmp_path / "gaia"), tmp_path / "work")
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("kind", ["csv.gz", "ecsv", "fits", "vot", "parquet"])
def test_a_table_of_any_kind_is_read(tmp_path, kind):
    path = write_table(gaia(), tmp_path, kind)
    found = rows_of(find(path), tmp_path / "work")
    assert found["source_id"].tolist() == [FIRST + n for n in range(ROWS)]
    assert found["ruwe"].tolist() == gaia()["ruwe"].to_pylist()
    assert (tmp_path / "work").exists() == (kind != "parquet")


def test_chunks_of_other_types_are_one_catalogue(tmp_path):
    folder = tmp_path / "row=7" / "[v1] a*b?"
    write(gaia().slice(0, 20), folder / "1.parquet")
    second = gaia(pseudocolour=pa.nulls(ROWS)).slice(20, 20)
    write(second.set_column(4, "ruwe", second["ruwe"].cast(pa.float32())), folder / "2.parquet")
    third = gaia(source_id=pa.array((np.arange(ROWS) + FIRST).astype(str)))
    write(third.drop_columns("ruwe").slice(40), folder / "3.parquet")
    catalogue = find(folder)
    found = rows_of(catalogue, tmp_path / "work")
    assert found["source_id"].tolist() == [FIRST + n for n in range(ROWS)]
    assert found["ruwe"][:20].tolist() == gaia()["ruwe"].to_pylist()[:20]
    np.testing.assert_allclose(found["ruwe"][20:40].tolist(), gaia()["ruwe"][20:40], rtol=1e-6)
    assert found["ruwe"][40:].isna().all()
    assert found["pseudocolour"].isna().tolist() == [20 <= n < 40 for n in range(ROWS)]


def test_a_missing_column_of_another_file_is_named(tmp_path):
    write(gaia(), tmp_path / "gaia" / "1.parquet")
    write(gaia().drop_columns("dec"), tmp_path / "gaia" / "2.parquet")
    with pytest.raises(InputError, match=r"2\.parquet has no column dec"):
        blocks(find(tmp_path / "gaia"), tmp_path / "work")


def test_a_row_that_is_not_on_the_sky_is_left_out_and_counted(tmp_path, run):
    dec = gaia()["dec"].to_numpy().copy()
    ra = gaia()["ra"].to_numpy().copy()
    dec[[3, 4]] = [90.001, -1e300]
    ra[7] = np.nan
    ra[8] -= 360
    path = write(gaia(ra=ra, dec=pa.array(dec, mask=np.arange(ROWS) == 9)), tmp_path / "g.parquet")
    catalogue = find(path)
    known = [n for n in range(ROWS) if n not in (3, 4, 7, 9)]
    year = np.full(len(known), 2016.0)
    places = [known, np.zeros(len(known), int), np.mod(ra, 360)[known], dec[known], year]
    pq.write_table(pa.table(places, names=TARGETS.names).cast(TARGETS), tmp_path / "t.parquet")
    parts = TargetParts(tmp_path / "parts", 3.0, 3.0)
    sort_targets(run, [tmp_path / "t.parquet"], parts, 20)
    rule = MovingMatch(3.0, 3.0, catalogue.names, 2016.0)
    match = Match(("source_id",), parts, rule, tmp_path / "pairs", Pieces(1, 1))
    for _ in range(2):
        read = catalogue.blocks(tmp_path, 20, parts)
        files, counts = match_catalogues(run, read, match, "match", "x")
        assert counts == {"pairs": len(known), "sources": ROWS, "left_out": 4}
        pairs = read_pairs(range(1), files[0])
        assert pairs["source_id"].to_pylist() == [
            FIRST + n for n in pairs["target_row"].to_pylist()
        ]


def test_the_parent_of_hats_catalogues_is_no_catalogue(tmp_path):
    path = write(gaia(), tmp_path / "gaia.parquet")
    for name in ("gaia", "other"):
        write_hats(path, tmp_path / "hats" / name, name)
    with pytest.raises(InputError, match=r"parent folder .*hats/gaia, .*hats/other"):
        find(tmp_path / "hats")


def test_gaia_as_it_is_published_lacks_a_reddening(tmp_path):
    path = write(gaia(), tmp_path / "gaia.parquet")
    aliases = GAIA | {"e_bv": ("e_bv",)}
    with pytest.raises(InputError, match=r"no column e_bv; .*set photometry\.reddening to map"):
        find_catalogue(str(path), aliases, (*GAIA_REQUIRED, "e_bv"))


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="no source catalogue at"):
        find(tmp_path / "none")
    (tmp_path / "page.parquet").write_text("<html>404</html>")
    with pytest.raises(InputError, match="HTML page"):
        find(tmp_path / "page.parquet")
    with pytest.raises(InputError, match="no column designation, ra, dec, k_m"):
        find_catalogue(str(write(pa.table({"x": [1]}), tmp_path / "x.parquet")), TMASS,
                       TMASS_REQUIRED)  # fmt: skip
