import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from pipeline.photometry.lookup import LookupTableError, align, look_up, read_values

IDS = np.array([2**60 + 1, 2**60 + 2, 2**60 + 3], dtype=np.int64)


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    for part, rows in enumerate(([5, 9], [12])):
        table = pa.table({"row": rows, "shard": [part] * len(rows), "source_id": IDS[: len(rows)]})
        pq.write_table(table, folder / f"part-{part:06d}.parquet")
    return folder


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_values_are_found_by_ids_that_differ_in_the_last_digit(keys, tmp_path, ending):
    table = pa.table({"source_id": IDS[[2, 1, 0]], "name": ["c", "b", "a"]})
    path = tmp_path / f"table.{ending}"
    if ending == "csv":
        csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    out = look_up(keys, "source_id", path, ["name"], tmp_path / "out.parquet", "200MB")
    found = pq.read_table(out)
    assert found.to_pydict() == {"row": [5, 9, 12], "name": ["a", "b", "a"]}
    rows = pa.chunked_array([[4, 5, 9]])
    assert read_values(out, rows)["name"].to_pylist() == [None, "a", "b"]
    assert read_values(out, rows.slice(0, 0)).num_rows == 0


def test_ids_that_have_lost_digits_are_refused(keys, tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"source_id": IDS.astype(float), "name": ["a", "b", "c"]}), path)
    with pytest.raises(LookupTableError, match=r"DOUBLE: ids above 2\^53 have lost digits"):
        look_up(keys, "source_id", path, ["name"], tmp_path / "out.parquet", "200MB")


def test_a_missing_column_and_a_missing_table_are_named(keys, tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"source_id": IDS}), path)
    with pytest.raises(LookupTableError, match="has no column name; it has source_id"):
        look_up(keys, "source_id", path, ["name"], tmp_path / "out.parquet", "200MB")
    with pytest.raises(LookupTableError, match="no table at"):
        look_up(keys, "source_id", tmp_path / "no", ["name"], tmp_path / "out.parquet", "200MB")


def test_aligned_ids_stay_integers_beside_nulls():
    table = pa.table({"row": [1, 3], "source_id": IDS[:2]})
    found = align(table, "row", pa.chunked_array([[3, 2, 1]]))["source_id"]
    assert found.type == pa.int64()
    assert found.to_pylist() == [int(IDS[1]), None, int(IDS[0])]
