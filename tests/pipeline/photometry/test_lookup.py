import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from pipeline.core.errors import InputError
from pipeline.photometry.lookup import align, look_up, read_values

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
    table = pa.table({"source_id": IDS[[2, 1, 0]], "designation": ["c", "b", "a"]})
    path = tmp_path / f"table.{ending}"
    if ending == "csv":
        csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    name = "original_ext_source_id"
    out = look_up(keys, "source_id", path, [name], tmp_path / "out.parquet", "200MB")
    found = pq.read_table(out)
    assert found.to_pydict() == {"row": [5, 9, 12], name: ["a", "b", "a"]}
    rows = pa.chunked_array([[4, 5, 9]])
    assert read_values(out, rows)[name].to_pylist() == [None, "a", "b"]
    assert read_values(out, rows.slice(0, 0)).num_rows == 0


def test_ids_that_have_lost_digits_are_refused(keys, tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"source_id": IDS.astype(float), "name": ["a", "b", "c"]}), path)
    with pytest.raises(InputError, match=r"DOUBLE: ids above 2\^53 have lost digits"):
        look_up(keys, "source_id", path, ["name"], tmp_path / "out.parquet", "200MB")


def test_a_missing_column_and_a_missing_table_are_named(keys, tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"source_id": IDS}), path)
    with pytest.raises(InputError, match="has no column name; it has source_id"):
        look_up(keys, "source_id", path, ["name"], tmp_path / "out.parquet", "200MB")
    with pytest.raises(InputError, match="no table at"):
        look_up(keys, "source_id", tmp_path / "no", ["name"], tmp_path / "out.parquet", "200MB")


def test_aligned_ids_stay_integers_beside_nulls():
    table = pa.table({"row": [1, 3], "source_id": IDS[:2]})
    found = align(table, "row", pa.chunked_array([[3, 2, 1]]))["source_id"]
    assert found.type == pa.int64()
    assert found.to_pylist() == [int(IDS[1]), None, int(IDS[0])]


def test_names_that_differ_in_case_alone_are_told_apart(keys, tmp_path):
    table = pa.table(
        {"Source": IDS, "rgeo": [10.0, 20.0, 30.0], "b_rgeo": [9.0, 19.0, 29.0],
         "B_rgeo": [12.0, 22.0, 32.0]}
    )  # fmt: skip
    names = ["r_med_geo", "r_lo_geo", "r_hi_geo"]
    for ending in ("parquet", "csv"):
        path = tmp_path / f"vizier.{ending}"
        (csv.write_csv if ending == "csv" else pq.write_table)(table, path)
        out = look_up(keys, "source_id", path, names, tmp_path / "out.parquet", "200MB")
        found = pq.read_table(out).to_pylist()
        assert [tuple(r.values()) for r in found] == [
            (5, 10.0, 9.0, 12.0),
            (9, 20.0, 19.0, 22.0),
            (12, 10.0, 9.0, 12.0),
        ]
    assert not list(tmp_path.glob("*copies*"))


def test_a_folder_is_one_table_and_its_path_is_literal(keys, tmp_path):
    folder = tmp_path / "row=7" / "[v1] a*b?"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"source_id": IDS[:1], "r": [1.0]}), folder / "a.parquet")
    second = pa.table({"SOURCE_ID": pa.array(IDS[1:].astype(str)), "r": pa.nulls(2)})
    pq.write_table(second, folder / "b.parquet")
    work = tmp_path / "row=8" / "[x]*"
    work.mkdir(parents=True)
    keys = keys.rename(work / "keys")
    out = look_up(keys, "source_id", folder, ["r"], work / "out.parquet", "200MB")
    assert pq.read_table(out, partitioning=None).to_pydict() == {
        "row": [5, 9, 12],
        "r": [1.0, None, 1.0],
    }


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_of_several_rows_the_first_that_has_a_value_counts(keys, tmp_path, ending):
    path = tmp_path / f"twice.{ending}"
    for missing in (-9999.0, -999.0, 99.0, np.nan, np.inf, None):
        given = [(0, missing), (0, 0.25), (0, 0.05), (1, 10.5), (0, missing), (1, 9.0)]
        table = pa.table({"source_id": IDS[[i for i, _ in given]], "ebv": [v for _, v in given]})
        (csv.write_csv if ending == "csv" else pq.write_table)(table, path)
        out = look_up(keys, "source_id", path, ["ebv"], tmp_path / "out.parquet", "200MB")
        assert pq.read_table(out)["ebv"].to_pylist() == [0.25, 10.5, 0.25], missing


def test_the_values_of_a_row_stay_together(keys, tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text(
        "source_id,r_med_geo,r_lo_geo,r_hi_geo\n"
        f"{IDS[0]},10,,\n{IDS[0]},30,20,40\n{IDS[0]},,25,\n{IDS[0]},3,2,4\n{IDS[1]},-999,,5\n"
    )
    names = ["r_med_geo", "r_lo_geo", "r_hi_geo"]
    out = look_up(keys, "source_id", path, names, tmp_path / "out.parquet", "200MB")
    found = [tuple(row.values()) for row in pq.read_table(out).to_pylist()]
    assert found == [(5, 30.0, 20.0, 40.0), (9, -999.0, None, 5.0), (12, 30.0, 20.0, 40.0)]


def test_of_several_names_the_first_that_is_not_empty_counts(keys, tmp_path):
    path = tmp_path / "names.parquet"
    pq.write_table(pa.table({"source_id": IDS[[0, 0, 0]], "designation": ["", "b", "a"]}), path)
    name = "original_ext_source_id"
    out = look_up(keys, "source_id", path, [name], tmp_path / "out.parquet", "200MB")
    assert pq.read_table(out)[name].to_pylist() == ["b", "b"]


def test_a_value_that_is_no_number_is_refused(keys, tmp_path):
    path = tmp_path / "text.csv"
    path.write_text(f"source_id,ebv\n{IDS[0]},low\n")
    with pytest.raises(InputError, match="ebv cannot be read as double"):
        look_up(keys, "source_id", path, ["ebv"], tmp_path / "out.parquet", "200MB")
