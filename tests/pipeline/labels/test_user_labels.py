import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.labels.user_labels import label_digest, match_labels

BASE = 1 << 60
SPECTRA = pa.table({"obsid": [10, 11, 12, 13], "source_id": [BASE, BASE, BASE + 1, BASE + 2]})


def write(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_labels_by_star_keep_every_digit_of_the_id(tmp_path):
    path = write(tmp_path, f"source_id,label\n{BASE},single\n{BASE + 1},binary\n7,single\n")
    assert match_labels(path, SPECTRA) == ({BASE: "single", BASE + 1: "binary"}, 1)


def test_a_label_by_exposure_counts_for_the_whole_star(tmp_path):
    path = write(tmp_path, "label,obsid\nbinary,11\nexcluded,13\n")
    assert match_labels(path, SPECTRA) == ({BASE: "binary", BASE + 2: "excluded"}, 0)


def test_parquet_and_ids_as_text_are_taken(tmp_path):
    path = tmp_path / "labels.parquet"
    pq.write_table(
        pa.table({"source_id": [str(BASE), f" {BASE + 1}"], "label": ["single"] * 2}), path
    )
    assert match_labels(path, SPECTRA)[0] == {BASE: "single", BASE + 1: "single"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,label\n1,single\n", "must have the column label and one of source_id or obsid"),
        ("source_id,obsid,label\n1,1,single\n", "obsid; it has source_id, obsid, label"),
        ("source_id,class\n1,single\n", "it has source_id, class"),
        ("source_id,label\n1.0,single\n", r"floating-point .* exceed 2\^53"),
        ("source_id,label\n1.15e18,single\n", "floating-point"),
        ("obsid,label\n10,single\n10,binary\n", "several rows of 10; keep one"),
        ("obsid,label\n10,singel\n", "unknown label 'singel'; a label is one of single, binary"),
        ("obsid,label\n10,1\n", "unknown label '1'; a label is one of"),
        ("obsid,label\n10,\n11,single\n", "1 row without label"),
        ("obsid,label\n,single\n11,single\n", "1 row without obsid"),
        ("obsid,label\nx10,single\n", "1 values of obsid are no whole numbers, e.g. 'x10'"),
        ("obsid,label\n77,single\n", "none of its 1 values of obsid is in the sample"),
        ("obsid,label\n10,single\n11,binary\n", "1 stars have spectra of different labels"),
        ("obsid,label\n10,single,3\n", "not a regular table: .*Expected 2 columns, got 3"),
        ("obsid,label\n", "has no rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as error:
        match_labels(path, SPECTRA)
    assert str(path) in str(error.value)


def test_float_ids_of_a_parquet_table_are_refused(tmp_path):
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"source_id": np.array([float(BASE)]), "label": ["single"]}), path)
    with pytest.raises(InputError, match="floating-point"):
        match_labels(path, SPECTRA)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the label table .*none\.csv"):
        label_digest(tmp_path / "none.csv")
