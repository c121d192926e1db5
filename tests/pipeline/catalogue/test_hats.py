from itertools import pairwise

import duckdb
import lsdb
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table as AstropyTable

from pipeline.catalogue.hats import count_pixels, describe, plan_partitions, plan_sweeps
from pipeline.core.root import Root
from pipeline.tables.healpix import FINEST_ORDER
from schemas.catalogue import STARS
from tests.pipeline.catalogue.conftest import MOST


def test_partitions_are_the_largest_that_fit(stars_root):
    _, table = stars_root
    index = table["_healpix_29"].to_numpy()
    pixels = plan_partitions(count_pixels(index), MOST)
    rows = [int(((index >= p.first) & (index <= p.last)).sum()) for p in pixels]
    assert sum(rows) == len(index)
    assert max(rows) <= MOST
    assert all(a.last < b.first for a, b in pairwise(pixels))
    for pixel in pixels:
        if pixel.order:
            shift = 2 * (29 - pixel.order + 1)
            parent = (index >> shift) == pixel.first >> shift
            assert parent.sum() > MOST


def test_only_the_finest_pixels_may_have_more():
    index = np.full(50, 7 << 2 * (29 - FINEST_ORDER))
    assert plan_partitions(count_pixels(index), 10) == [(FINEST_ORDER, 7)]
    assert plan_partitions(count_pixels(index[:0]), 10) == []


def test_neighbouring_partitions_are_made_together(stars_root):
    _, table = stars_root
    index = table["_healpix_29"].to_numpy()
    pixels = plan_partitions(count_pixels(index), MOST)
    # Three spectra of each star.
    counts = 3 * count_pixels(index)
    sweeps = plan_sweeps(pixels, counts, 6 * MOST)
    assert [pixel for sweep in sweeps for pixel in sweep] == pixels
    spectra = [
        3 * int(((index >= sweep[0].first) & (index <= sweep[-1].last)).sum()) for sweep in sweeps
    ]
    assert 1 < len(sweeps) < len(pixels)
    assert sum(spectra) == 3 * len(index)
    assert max(spectra) <= 6 * MOST
    assert all(a + b > 6 * MOST - 3 * MOST for a, b in pairwise(spectra))
    assert plan_sweeps(pixels, counts, 1) == [[pixel] for pixel in pixels]
    assert plan_sweeps([], counts, 1) == []


@pytest.mark.filterwarnings("ignore")
def test_every_program_reads_the_same_rows(stars_root):
    root, table = stars_root
    folder = root.table(STARS).parent
    ids, names = table["source_id"].to_pylist(), table["star_id"].to_pylist()
    frame = pd.read_parquet(folder / "dataset").sort_values("_healpix_29")
    assert frame["star_id"].tolist() == names
    assert [None if pd.isna(i) else int(i) for i in frame["source_id"]] == ids
    catalogue = lsdb.open_catalog(str(folder))
    assert catalogue.hc_structure.catalog_info.total_rows == table.num_rows
    assert len(catalogue.columns) == len(STARS.names) - 1  # the index is the last
    computed = catalogue.compute()
    assert sorted(computed["star_id"]) == sorted(names)
    assert computed["source_id"].dtype == pd.ArrowDtype(pa.int64())
    assert sorted(computed["source_id"].dropna().tolist()) == sorted(i for i in ids if i)
    pattern = str(folder / "dataset/**/*.parquet")
    with duckdb.connect() as db:
        sql = "SELECT source_id FROM read_parquet($p, hive_partitioning = false)"
        assert {i for (i,) in db.sql(sql, params={"p": pattern}).fetchall()} == set(ids)
    lazily = polars.scan_parquet(pattern, hive_partitioning=False).select("star_id", "source_id")
    both = lazily.collect()
    assert both.schema["source_id"] == polars.Int64
    assert set(both.rows()) == set(zip(names, ids, strict=True))
    part = next(folder.rglob("Npix=*.parquet"))
    plain = AstropyTable.read(part, format="parquet")
    assert plain["star_id"].tolist() == pq.read_table(part)["star_id"].to_pylist()
    assert plain["_healpix_29"].dtype == np.int64
    # astropy's own reader makes floats of integers beside nulls, and loses digits of ids.
    read = AstropyTable.from_pandas(pd.read_parquet(part))
    expected = pq.read_table(part, partitioning=None)["source_id"].to_pylist()
    assert read["source_id"].dtype == np.int64
    assert read["source_id"].filled(-1).tolist() == [-1 if i is None else i for i in expected]


@pytest.mark.filterwarnings("ignore")
def test_lsdb_searches_and_matches(stars_root):
    root, table = stars_root
    folder = str(root.table(STARS).parent)
    ra, dec = table["ra_deg"][5].as_py(), table["dec_deg"][5].as_py()
    near = lsdb.open_catalog(folder).cone_search(ra, dec, 10).compute()
    assert near["star_id"].tolist() == [table["star_id"][5].as_py()]
    columns = ["star_id", "ra_deg", "dec_deg"]
    one, two = (lsdb.open_catalog(folder, columns=columns) for _ in range(2))
    both = one.crossmatch(two, radius_arcsec=1, suffixes=("_a", "_b")).compute()
    assert len(both) == table.num_rows
    assert (both["star_id_a"] == both["star_id_b"]).all()


def test_row_groups_of_all_files_stand_in_one(stars_root):
    root, table = stars_root
    metadata = pq.read_metadata(root.table(STARS) / "_metadata")
    assert metadata.num_rows == table.num_rows
    assert metadata.num_row_groups > 40
    assert pq.read_schema(root.table(STARS) / "_common_metadata").names == STARS.names


def test_no_stars_are_a_catalogue_too(tmp_path):
    root = Root(tmp_path)
    made = describe(root.table(STARS).parent, [], 10)
    assert {path.name for path in made} >= {"partition_info.csv", "hats.properties"}
    assert all(path.is_file() for path in made)
