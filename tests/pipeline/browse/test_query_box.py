"""Answers and files of the explorer without a browser."""

import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.browse.export_box import export_selection
from pipeline.browse.query_box import MOST_ROWS, answer
from pipeline.browse.stars import read_stars
from pipeline.core.errors import InputError
from pipeline.core.root import Root


def test_an_answer_keeps_every_digit_and_says_that_there_is_more(finished):
    found = answer(finished.root, "SELECT 1152921504606847013 AS a, NULL AS a, 0.5 AS c")
    assert found.columns == {"a": ["1152921504606847013"], "a_1": ["-"], "c": ["0.5"]}
    assert str(found) == "1 row"
    many = answer(finished.root, "FROM range(5000)")
    assert str(many) == f"the first {MOST_ROWS:,} rows"
    with pytest.raises(InputError, match="only read"):
        answer(finished.root, "COPY stars TO '/tmp/x.csv'")


def test_a_query_that_takes_too_long_is_stopped_and_the_next_one_is_answered(finished):
    """It would hold a thread that the pages of others wait for."""
    slow = (
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 1"
    )
    begin = time.monotonic()
    with pytest.raises(InputError, match="stopped, as it took too long"):
        answer(finished.root, slow, limit_s=0.3)
    assert time.monotonic() - begin < 20
    assert str(answer(finished.root, "SELECT 1", limit_s=20)) == "1 row"


@pytest.mark.parametrize(
    "text", ["p_b > 0.9) OR (p_b < 0.1", "p_b > 0.9 LIMIT 5", "p_b > ", "1; 2"]
)
def test_what_is_no_condition_by_itself_is_refused(finished, text):
    with pytest.raises(InputError):
        read_stars(Root(finished.root)).where(text)


@pytest.mark.parametrize("ending", ["fits", "csv", "parquet"])
def test_the_selection_is_exported_whole(finished, tmp_path, ending):
    condition = "p_b > 0.3 -- a comment"
    n = int(read_stars(Root(finished.root)).where(condition).sum())
    line = export_selection(finished.root, tmp_path, f"some.{ending}", condition)
    assert f"{n:,}" in line and n > 0
    if ending == "parquet":
        p_b = pq.read_table(tmp_path / "some.parquet")["p_b"].to_numpy()
        assert p_b.size == n and np.all(p_b > 0.3)
    assert export_selection(finished.root, tmp_path, f"all.{ending}", "")


@pytest.mark.parametrize("name", ["", "a/b.fits", "../b.csv", "b.txt", "b", ".."])
def test_a_file_goes_into_the_folder_or_nowhere(finished, tmp_path, name):
    with pytest.raises(InputError):
        export_selection(finished.root, tmp_path, name, "")
    assert list(tmp_path.iterdir()) == []
