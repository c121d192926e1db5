import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.duplicates import find_duplicates, version_key
from schemas.observations import HEADERS


def write_headers(folder, *files):
    folder.mkdir()
    base = {"lmjd": 58000, "planid": "A", "spid": 1, "pipeline_version": "2.9.8"}
    records = [
        base | {"row": row, "path": f"f{row}", "fiberid": row + 1} | file
        for row, file in enumerate(files)
    ]
    for number in (0, 1):
        part = pa.Table.from_pylist(records[number::2], schema=HEADERS.schema)
        pq.write_table(part, folder / f"part-{number}.parquet")
    return folder


def test_the_newest_pipeline_counts(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 7, "pipeline_version": "2.9.10"},
        {"obsid": 7, "pipeline_version": "2.9.9"},
        {"obsid": 7, "pipeline_version": None},
        {"obsid": 8},
    )
    found = find_duplicates(headers)
    assert found.superseded == {1, 2}
    assert found.notes == ("OBSID 7: f0 counts, superseded: f1, f2",)


def test_of_one_pipeline_the_later_release_counts_then_the_later_date(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 7, "data_release": "DR9", "created": "2022"},
        {"obsid": 7, "data_release": "DR10", "created": "2021"},
        {"obsid": 9, "created": "2021-01-01"},
        {"obsid": 9, "created": "2021-01-02"},
    )
    assert find_duplicates(headers).superseded == {0, 2}


def test_a_file_without_obsid_belongs_to_the_exposure_of_its_fibre(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 7, "fiberid": 5},
        {"obsid": None, "fiberid": 5, "pipeline_version": "2.6.4"},
        {"obsid": None, "fiberid": 6, "pipeline_version": "2.7.5"},
        {"obsid": None, "fiberid": 6, "pipeline_version": "2.6.4"},
        {"obsid": None, "fiberid": 7},
    )
    found = find_duplicates(headers)
    assert found.superseded == {1, 3}
    assert [note.split(":")[0] for note in found.notes] == ["58000-A-1-6", "OBSID 7"]


def test_two_exposures_of_one_fibre_in_one_night_stay_apart(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 7, "fiberid": 5},
        {"obsid": 8, "fiberid": 5},
        {"obsid": None, "fiberid": 5},
    )
    assert find_duplicates(headers).superseded == frozenset()


def test_refused_files_are_no_duplicates(tmp_path):
    headers = write_headers(tmp_path / "h", {"obsid": 7}, {"obsid": 7, "reason": "truncated"})
    assert find_duplicates(headers).superseded == frozenset()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2.9.8", (2, 9, 8)),
        ("v2.9.10", (2, 9, 10)),
        ("DR13-Q1", (13, 1)),
        ("DR9", (9,)),
        (None, ()),
    ],
)
def test_versions_compare_as_numbers(text, key):
    assert version_key(text) == key
