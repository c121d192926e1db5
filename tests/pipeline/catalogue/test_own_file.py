import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.catalogue.own_file import open_own
from pipeline.catalogue.query import connect, save, show
from pipeline.core.errors import InputError
from tests.pipeline.tables.kinds import KINDS, write_table

ID = 2**60 + 1


def read(path):
    own = open_own(path)
    return own if isinstance(own, pa.Table) else own.to_table()


def test_ids_that_are_written_as_decimals_keep_all_their_digits(tmp_path, stars_root):
    root, stars = stars_root
    known = [number for number in stars["source_id"].to_pylist() if number is not None][:20]
    path = tmp_path / "own.csv"
    path.write_text("source_id,x\n" + "".join(f"{number}.0,1.5\n" for number in known))
    assert read(path).schema.field("source_id").type == pa.int64()
    assert read(path)["source_id"].to_pylist() == known
    with connect(root.path, allow_files=True) as tables:
        joined = tables.sql(f"SELECT source_id FROM stars JOIN '{path}' USING (source_id)")
        assert sorted(row for (row,) in joined.fetchall()) == sorted(known)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_are_exact_in_whatever_way_they_are_written(tmp_path_factory, numbers):
    path = tmp_path_factory.getbasetemp() / "whole.csv"
    forms = ("{}", "{}.", "{}.0", "{}.000", "+{}")
    texts = [
        (forms[i % 5] if number >= 0 else forms[i % 4]).format(number)
        for i, number in enumerate(numbers)
    ]
    path.write_text("source_id,x\n" + "".join(f" {text} ,\n" for text in texts))
    assert read(path)["source_id"].to_pylist() == numbers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["source_id", "Source", "obsid", "GaiaDR3", "gaia_dr3_id"])
def test_ids_that_have_lost_digits_are_refused(tmp_path, kind, name):
    table = pa.table({name: [float(ID), None, 7.0], "flux": [1e18, 2.5, 0.5]})
    path = write_table(table, tmp_path, kind)
    message = rf"column {name} of {path} is DOUBLE, e\.g\. 1\.15.*; write them as 64-bit integers"
    with pytest.raises(InputError, match=message):
        open_own(path)


@pytest.mark.parametrize("kind", KINDS)
def test_small_ids_and_large_quantities_are_no_reason_to_refuse(tmp_path, kind):
    table = pa.table({"obsid": [101.0, None, 2.0**53 - 1], "flux": [1e18, 2.5, 0.5]})
    found = read(write_table(table, tmp_path, kind))
    assert found["obsid"].to_pylist()[::2] == [101.0, 2.0**53 - 1]
    assert found["flux"].to_pylist() == [1e18, 2.5, 0.5]


def test_ids_of_single_precision_are_exact_up_to_2_to_the_24(tmp_path):
    path = tmp_path / "own.parquet"
    pq.write_table(pa.table({"obsid": pa.array([2**24 - 1, np.nan], pa.float32())}), path)
    assert read(path).num_rows == 2
    pq.write_table(pa.table({"obsid": pa.array([2**24], pa.float32())}), path)
    with pytest.raises(InputError, match="obsid .* is FLOAT, e.g. 16777216"):
        open_own(path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_of_several_files_the_one_that_has_lost_digits_is_named(tmp_path, kind):
    write_table(pa.table({"source_id": [ID]}), tmp_path, kind, "a")
    write_table(pa.table({"source_id": [float(ID)]}), tmp_path, kind, "b")
    with pytest.raises(InputError, match=f"column source_id of {tmp_path / 'b'}"):
        open_own(tmp_path)


def test_ids_that_would_lose_digits_beside_those_of_another_file_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text(f"source_id\n{2**60}\n")
    (tmp_path / "b.csv").write_text("source_id\n7.5\n")
    with pytest.raises(InputError, match=f"files of {tmp_path} are not of one table: .*{2**60}"):
        open_own(tmp_path)


@pytest.fixture
def folder(tmp_path):
    pq.write_table(pa.table({"path": ["a.fits"]}), tmp_path / "manifest.parquet")
    return tmp_path


@pytest.mark.parametrize("sql", ["FROM '{0}'", "FROM manifest JOIN '{0}' USING (path)"])
def test_a_file_that_is_not_there_is_named(folder, sql):
    file = folder / "mine.csv"
    with pytest.raises(InputError, match=f"^there is no file {file}$"):
        show(folder, sql.format(file), allow_files=True)
    with pytest.raises(InputError, match="--allow-files lets FROM 'file' read others"):
        show(folder, sql.format(file))
    file.write_text("path\na.fits\n")
    assert "a.fits" in show(folder, sql.format(file), allow_files=True)


def test_one_row_is_written_as_one(folder):
    output = folder.parent / f"{folder.name}.csv"
    assert save(folder, "FROM manifest", output) == f"1 row -> {output}"
