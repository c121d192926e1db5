import warnings

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table as AstropyTable
from astropy.utils.exceptions import AstropyUserWarning

from pipeline.core.atomic import write_parquet
from pipeline.store.manifest import freeze
from schemas.observations import MANIFEST
from schemas.photometry import PHOTOMETRY
from schemas.registry import TABLES

IDS = [2**60 + 1, 2**60 + 3, 2**63 - 1, None]
TEXTS = ["a", "longest é", "", None]


def part(table, *, nulls):
    """Rows of a table whose integers need all of their digits, the last row null or not."""
    rows = 4 if nulls else 3
    arrays = []
    for field in table.schema:
        values = [1, 2, 3, None]
        if pa.types.is_int64(field.type):
            values = IDS
        elif pa.types.is_string(field.type):
            values = TEXTS
        elif pa.types.is_boolean(field.type):
            values = [True, False, True, False]
        arrays.append(pa.array(values[:rows], field.type))
    return pa.Table.from_arrays(arrays, schema=table.schema)


@pytest.fixture(params=TABLES, ids=[table.name for table in TABLES])
def table(request):
    return request.param


def test_pandas_reads_every_digit(tmp_path, table):
    made = part(table, nulls=True)
    write_parquet(tmp_path / "part.parquet", made)
    for frame in (
        pd.read_parquet(tmp_path / "part.parquet"),
        pd.read_parquet(tmp_path),
        pd.read_parquet(tmp_path / "part.parquet", dtype_backend="pyarrow"),
    ):
        assert list(frame.columns) == table.names
        for field in table.schema:
            if pa.types.is_integer(field.type):
                found = [None if pd.isna(v) else int(v) for v in frame[field.name]]
                assert found == made[field.name].to_pylist()
    if "obsid" in table.names:
        frame = pd.read_parquet(tmp_path / "part.parquet", columns=["obsid"])
        assert frame["obsid"].dtype == "Int64"


def test_astropy_reads_every_part(tmp_path, table):
    made = part(table, nulls=False)
    write_parquet(tmp_path / "part.parquet", made)
    write_parquet(tmp_path / "nulls.parquet", part(table, nulls=True))
    write_parquet(tmp_path / "none.parquet", table.schema.empty_table())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = AstropyTable.read(tmp_path / "part.parquet")
        beside_nulls = AstropyTable.read(tmp_path / "nulls.parquet")
        assert len(AstropyTable.read(tmp_path / "none.parquet")) == 0
    assert found.colnames == table.names
    for field in table.schema:
        if pa.types.is_integer(field.type) or pa.types.is_string(field.type):
            assert found[field.name].tolist() == made[field.name].to_pylist()
        if pa.types.is_string(field.type):
            assert beside_nulls[field.name].tolist() == [*TEXTS[:3], "None"]


def test_astropy_reads_ids_beside_nulls_through_pandas(tmp_path):
    write_parquet(tmp_path / "part.parquet", part(PHOTOMETRY, nulls=True))
    found = AstropyTable.from_pandas(pd.read_parquet(tmp_path / "part.parquet"))
    assert found["source_id"].dtype == np.int64
    assert found["source_id"].tolist() == IDS


def test_other_readers_see_the_same_values(tmp_path, table):
    made = part(table, nulls=True)
    write_parquet(tmp_path / "part.parquet", made)
    pq.write_table(made.replace_schema_metadata(), tmp_path / "bare.parquet")
    noted, bare = (pq.ParquetFile(tmp_path / f"{name}.parquet") for name in ("part", "bare"))
    assert noted.read().replace_schema_metadata().equals(bare.read())
    assert noted.schema_arrow.equals(table.schema)
    noted.close()
    bare.close()
    with duckdb.connect() as db:
        path = str(tmp_path / "part.parquet")
        found = db.execute("FROM read_parquet($path)", {"path": path}).fetchall()
    assert found == [tuple(row.values()) for row in made.to_pylist()]


def test_the_manifest_is_read_too(tmp_path):
    files = [("a.fits", 1), ("plan/long name.fits", 2), ("b.fits", 3)]
    freeze(tmp_path / "manifest.parquet", lambda: files, 2)
    # Written shard by shard, it cannot know the length of its paths beforehand.
    with pytest.warns(AstropyUserWarning, match="Using longest string"):
        found = AstropyTable.read(tmp_path / "manifest.parquet")
    assert found.colnames == MANIFEST.names
    assert found["path"].tolist() == [name for name, _ in files]
    assert pd.read_parquet(tmp_path / "manifest.parquet")["row"].dtype == "Int64"


def test_other_tables_are_written_as_they_are(tmp_path):
    write_parquet(tmp_path / "other.parquet", pa.table({"text": ["a"]}))
    assert pq.read_schema(tmp_path / "other.parquet").metadata is None
