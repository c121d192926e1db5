import csv

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalogue.answer import check_output, write_answer
from pipeline.catalogue.query import save
from pipeline.core.atomic import sweep

ID = 2**60 + 1


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "run"
    (root / "tables").mkdir(parents=True)
    table = pa.table({"row": [1, 2], "path": ["a", None], "size_bytes": pa.array([ID, None])})
    pq.write_table(table, root / "manifest.parquet")
    return root


def test_both_kinds_of_file_hold_the_answer(root, tmp_path):
    sql = "SELECT *, row::VARCHAR || ', \"x\"' AS text FROM manifest"
    assert save(root, sql, tmp_path / "a.parquet") == f"2 rows -> {tmp_path / 'a.parquet'}"
    table = pq.read_table(tmp_path / "a.parquet")
    assert table["size_bytes"].to_pylist() == [ID, None]
    save(root, sql, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["row", "path", "size_bytes", "text"],
        ["1", "a", str(ID), '1, "x"'],
        ["2", "", "", '2, "x"'],
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"run", "a.csv", "a.parquet"}


def test_what_csv_has_no_form_for_is_text(root, tmp_path):
    odd = """SELECT [1, 2] AS a, {'b': 1} AS s, INTERVAL 1 DAY AS i, '\\x01'::BLOB AS x,
                    'é' AS "q""r" """
    save(root, odd, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        header, row = list(csv.reader(file))
    assert header == ["a", "s", "i", "x", 'q"r']
    assert row == ["[1, 2]", "{'b': 1}", "1 day", "\\x01", "é"]


def test_a_large_answer_is_written_whole(root, tmp_path):
    sql = "SELECT range AS n, 'x' AS t FROM range(250_000)"
    for name in ("a.csv", "a.parquet"):
        assert save(root, sql, tmp_path / name).startswith("250,000 rows")
    assert pq.read_table(tmp_path / "a.parquet")["n"].to_pylist() == list(range(250_000))
    assert (tmp_path / "a.csv").read_text().count("\n") == 250_001


def test_a_stage_that_starts_leaves_an_answer_in_the_making_alone(root):
    with duckdb.connect() as db:
        db.create_function(
            "swept", lambda row: sweep(root), ["BIGINT"], "BIGINT", side_effects=True
        )
        for name in ("a.csv", "a.parquet"):
            answer = db.sql("SELECT swept(range) AS pieces FROM range(3)")
            assert write_answer(answer, root / name) == 3
    assert (root / "a.csv").read_text() == "pieces\n0\n0\n0\n"
    assert pq.read_table(root / "a.parquet")["pieces"].to_pylist() == [0, 0, 0]


def test_no_rows_are_an_answer_too(root, tmp_path):
    for name in ("a.csv", "a.parquet"):
        assert save(root, "FROM manifest WHERE false", tmp_path / name).startswith("0 rows")
    assert (tmp_path / "a.csv").read_text() == "row,path,size_bytes\n"
    assert pq.read_table(tmp_path / "a.parquet").column_names == ["row", "path", "size_bytes"]


def test_a_failed_query_leaves_the_old_answer(root, tmp_path):
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(ValueError, match="Could not convert"):
        save(root, "SELECT path::INT FROM manifest", tmp_path / "a.csv")
    with pytest.raises(ValueError, match="two columns are named a"):
        save(root, "SELECT 1 AS a, 2 AS a", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"run", "a.csv"}


@pytest.mark.parametrize(
    "name",
    [
        "run/manifest.parquet",
        "run/tables/ridge.parquet",
        "run/tables/x.csv",
        "run/../run/tables/x.csv",
        "link/x.csv",
        "alias.parquet",
        "other/tables/x.csv",
    ],
)
def test_nothing_of_a_run_is_replaced(root, tmp_path, name):
    (tmp_path / "link").symlink_to(root / "tables")
    (tmp_path / "alias.parquet").symlink_to(root / "manifest.parquet")
    (tmp_path / "other" / "ledger").mkdir(parents=True)
    (tmp_path / "other" / "tables").mkdir()
    before = (root / "manifest.parquet").read_bytes()
    with pytest.raises(ValueError, match="would write into the run at"):
        save(root, "SELECT 1 AS a", tmp_path / name)
    assert (root / "manifest.parquet").read_bytes() == before
    assert list((root / "tables").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.txt", r"must end in \.csv or \.parquet"),
        ("none/a.csv", "no folder"),
        ("folder.csv", "no folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_said(root, tmp_path, name, message):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match=message):
        save(root, "SELECT 1 AS a", tmp_path / name)


def test_an_answer_may_lie_beside_the_folders_of_a_run(root, tmp_path):
    assert check_output(root, root / "best.csv") == (root / "best.csv").resolve()
    assert check_output(root, tmp_path / "best.csv") == (tmp_path / "best.csv").resolve()
