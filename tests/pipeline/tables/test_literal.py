import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.tables.literal import parquet_files

READ = "FROM read_parquet($files, hive_partitioning = false)"
NAMES = st.text(st.sampled_from("a1 =[]*?{}!'\"%~$.,#éX"), min_size=1, max_size=12).filter(
    lambda name: name.strip(".") != ""
)


def write(path, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def test_no_folder_is_a_column_and_no_character_a_pattern(tmp_path):
    folder = tmp_path / "row=7" / "[v1] a*b?"
    write(folder / "part-000001.parquet", n=[2])
    write(folder / "part-000000.parquet", n=[1])
    write(tmp_path / "row=7" / "v aXbY" / "part-000000.parquet", n=[99])
    with duckdb.connect() as db:
        found = db.execute(READ, {"files": parquet_files(folder)})
        assert [column[0] for column in found.description] == ["n"]
        assert found.fetchall() == [(1,), (2,)]
        one = db.execute(READ, {"files": parquet_files(folder / "part-000001.parquet")})
        assert one.fetchall() == [(2,)]


@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    max_examples=50,
)
@given(NAMES)
def test_any_name_is_read_as_it_is(tmp_path, name):
    write(tmp_path / name / f"{name}.parquet", n=[name])
    with duckdb.connect() as db:
        found = db.execute(READ, {"files": parquet_files(tmp_path / name)})
        assert found.fetchall() == [(name,)]


def test_nothing_to_read_is_an_error(tmp_path):
    for path in (tmp_path, tmp_path / "none", tmp_path / "none.parquet"):
        with pytest.raises(FileNotFoundError, match="no Parquet file at"):
            parquet_files(path)


def test_a_backslash_is_read_or_refused(tmp_path):
    write(tmp_path / "a\\b" / "x.parquet", n=[1])
    with duckdb.connect() as db:
        assert db.execute(READ, {"files": parquet_files(tmp_path / "a\\b")}).fetchall() == [(1,)]
    write(tmp_path / "a\\[b]" / "x.parquet", n=[1])
    with pytest.raises(ValueError, match="backslash"):
        parquet_files(tmp_path / "a\\[b]")
