import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest import duplicates
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


def superseded(headers):
    return duplicates.find_duplicates(headers)["row"].to_pylist()


def test_the_newest_pipeline_counts(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 7, "pipeline_version": "2.9.10"},
        {"obsid": 7, "pipeline_version": "2.9.9"},
        {"obsid": 7, "pipeline_version": None},
        {"obsid": 8},
    )
    found = duplicates.find_duplicates(headers).to_pylist()
    assert found == [
        {"row": row, "path": f"f{row}", "exposure": "OBSID 7", "newest_row": 0, "newest_path": "f0"}
        for row in (1, 2)
    ]


def test_of_one_pipeline_the_later_release_counts_then_the_later_date(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 7, "data_release": "DR9", "created": "2022"},
        {"obsid": 7, "data_release": "DR10", "created": "2021"},
        {"obsid": 9, "created": "2021-01-01"},
        {"obsid": 9, "created": "2021-01-02"},
    )
    assert superseded(headers) == [0, 2]


def test_a_file_without_obsid_belongs_to_the_exposure_of_its_fibre(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 7, "fiberid": 5},
        {"obsid": None, "fiberid": 5, "pipeline_version": "2.6.4"},
        {"obsid": None, "fiberid": 6, "pipeline_version": "2.7.5"},
        {"obsid": None, "fiberid": 6, "pipeline_version": "2.6.4"},
        {"obsid": None, "fiberid": 7},
    )
    found = duplicates.find_duplicates(headers).to_pylist()
    assert [(d["row"], d["exposure"]) for d in found] == [(1, "OBSID 7"), (3, "58000-A-1-6")]


def test_two_exposures_of_one_fibre_in_one_night_stay_apart(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 7, "fiberid": 5},
        {"obsid": 8, "fiberid": 5},
        {"obsid": None, "fiberid": 5},
    )
    assert superseded(headers) == []


def test_refused_files_are_no_duplicates(tmp_path):
    headers = write_headers(tmp_path / "h", {"obsid": 7}, {"obsid": 7, "reason": "truncated"})
    assert superseded(headers) == []


def test_an_overflown_obsid_says_nothing(tmp_path):
    headers = write_headers(tmp_path / "h", {"obsid": -28762}, {"obsid": -28762}, {"obsid": 0})
    assert superseded(headers) == []


def test_a_fibre_that_is_not_known_in_full_says_nothing(tmp_path):
    for number, name in enumerate(("lmjd", "planid", "spid", "fiberid")):
        unknown = {"obsid": -28762, "fiberid": 5, name: None}
        headers = write_headers(
            tmp_path / f"h{number}", unknown, unknown, {"obsid": 7, "fiberid": 5, name: None}
        )
        assert superseded(headers) == []
    unknown = dict.fromkeys(("lmjd", "planid", "spid", "fiberid"))
    assert superseded(write_headers(tmp_path / "h", unknown, unknown)) == []


def test_numbers_that_are_not_lamosts_may_be_negative(tmp_path):
    nowhere = dict.fromkeys(("lmjd", "planid", "spid", "fiberid"))
    own = nowhere | {"layout": "own"}
    desi = nowhere | {"layout": "desi", "planid": "main-dark-1"}
    sdss = {"layout": "sdss", "spid": None}
    headers = write_headers(
        tmp_path / "h",
        *(own | {"obsid": number} for number in (-1, -2, 0, 3, -1, 0)),
        *(desi | {"obsid": number} for number in (-5, -6, 7, -5)),
        desi | {"obsid": -5, "planid": "main-bright-1"},
        *(sdss | {"obsid": number, "fiberid": None} for number in (40550001, 40550002, 40550001)),
    )
    found = duplicates.find_duplicates(headers).to_pylist()
    assert [(d["row"], d["newest_row"], d["exposure"]) for d in found] == [
        (4, 0, "OBSID -1"),
        (5, 2, "OBSID 0"),
        (9, 6, "OBSID -5 of main-dark-1"),
        (13, 11, "OBSID 40550001"),
    ]


def test_versions_compare_as_numbers(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 1, "data_release": "DR9"},
        {"obsid": 1, "data_release": "DR13-Q1"},
        {"obsid": 1, "data_release": "DR13"},
        {"obsid": 2, "pipeline_version": "v2.9.7"},
        {"obsid": 2, "pipeline_version": "2.10"},
    )
    assert superseded(headers) == [0, 2, 3]


_VERSION = st.none() | st.one_of(
    st.from_regex(r"v?[0-9]{1,3}(\.[0-9]{1,3}){0,3}([ab-][0-9]+)?", fullmatch=True),
    st.from_regex(r"[v ]?0{0,3}[0-9]{8,60}", fullmatch=True),
    st.text(st.sampled_from("019.v "), max_size=6),
)


def numbers(version):
    """What versions are compared by: numbers in order; of no version, less than any."""
    return (version is not None, [int(digits) for digits in re.findall("[0-9]+", version or "")])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_VERSION, _VERSION), min_size=2, max_size=6))
def test_numbers_of_any_length_compare_as_pythons(files):
    expected = max(range(len(files)), key=lambda row: (*map(numbers, files[row]), -row))
    with TemporaryDirectory() as folder:
        records = [
            {"obsid": 7, "pipeline_version": version, "data_release": release}
            for version, release in files
        ]
        found = duplicates.find_duplicates(write_headers(Path(folder) / "h", *records))
    assert set(found["newest_row"].to_pylist()) == {expected}


def test_a_version_that_is_a_time_stops_nothing(tmp_path):
    headers = write_headers(
        tmp_path / "h",
        {"obsid": 7, "pipeline_version": "20240131120000"},
        {"obsid": 7, "pipeline_version": "2.9.8"},
        {"obsid": 8, "pipeline_version": "9" * 60},
        {"obsid": 8, "pipeline_version": "1" + "0" * 60},
    )
    assert superseded(headers) == [1, 2]
