import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.lamost.multi_epoch import read_multi_epoch, split_list

numbers = st.decimals(-9000, 9000, places=2).map(str)


@given(st.lists(numbers, min_size=1, max_size=9), st.sampled_from(",-"))
def test_lists_round_trip(items, separator):
    assert [float(item) for item in split_list(separator.join(items))] == [
        float(item) for item in items
    ]


@pytest.mark.parametrize("text", ["1,,2", "a", "1---2", "1-", ",", "1 2", "--"])
def test_what_is_no_list_is_refused(text):
    with pytest.raises(ValueError, match="no list"):
        split_list(text)


@pytest.mark.parametrize("separator", ["-", ","])
@pytest.mark.parametrize("delimiter", ["|", ","])
def test_one_row_an_epoch(separator, delimiter, tmp_path):
    def listed(*items: str) -> str:
        return f'"{separator.join(items)}"'

    rows = [
        ["uid", "obs_number", "obsid_list", "midmjm_list", "rv_list"],
        [
            "G1",
            "3",
            listed("11", "12", "13"),
            listed("100", "101", "102"),
            listed("-5.5", "-9999.0", "7"),
        ],
        ["G2", "1", listed("21"), listed("200"), listed("-1.25")],
    ]
    path = tmp_path / "mec.csv"
    path.write_text("".join(delimiter.join(row) + "\n" for row in rows))
    table = read_multi_epoch(path).to_pydict()
    assert table["uid"] == ["G1", "G1", "G1", "G2"]
    assert table["epoch"] == [0, 1, 2, 0]
    assert table["obsid"] == [11, 12, 13, 21]
    assert table["midmjm"] == [100, 101, 102, 200]
    assert table["rv_kms"] == [-5.5, None, 7, -1.25]


@pytest.mark.parametrize("number", ["2", "4", "", "x"])
def test_lists_must_be_as_long_as_the_catalogue_says(number, tmp_path):
    path = tmp_path / "mec.csv"
    path.write_text(
        f"uid|obs_number|obsid_list|midmjm_list|rv_list\nG1|{number}|1-2-3|4-5-6|1.0--2.0-3.0\n"
    )
    with pytest.raises(ValueError, match="star G1"):
        read_multi_epoch(path)


def test_other_tables_are_refused(tmp_path):
    (tmp_path / "c").write_text("obsid,rv\n1,2\n")
    with pytest.raises(ValueError, match="no column uid"):
        read_multi_epoch(tmp_path / "c")
