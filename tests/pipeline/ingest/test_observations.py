import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.atomic import write_parquet
from pipeline.core.root import Root
from pipeline.ingest.matches import COLUMNS, matches_path, read_matches, write_matches
from pipeline.ingest.observations import combine
from schemas.observations import HEADERS
from schemas.quality import QualityFlag

GAIA = 2**62 + 12345  # no float64 holds it


def headers(*rows):
    base = {"shard": 0, "size_bytes": 9, "lmjd": 58000, "planid": "A", "spid": 1, "quality": 0}
    records = [{"row": i, "path": f"f{i}", "fiberid": i} | base | r for i, r in enumerate(rows)]
    table = pa.Table.from_pylist(records, schema=HEADERS.schema)
    return table.to_pandas(types_mapper=pd.ArrowDtype)


@pytest.fixture
def catalogue(tmp_path):
    rows = [
        {"obsid": 10, "fiberid": 70, "teff_k": 5000.0, "rv_kms": 12.0, "z": 1e-4, "snr_g": 33.0,
         "gaia_source_id": GAIA, "uid": "G1", "obj_class": "STAR"},
        {"obsid": 11, "fiberid": 71, "teff_k": 6000.0, "z": 1e-4},
        {"obsid": 12, "fiberid": 2, "teff_k": 4000.0},
    ]  # fmt: skip
    texts = dict.fromkeys(["planid", "uid", "obj_class"], pa.string())
    whole = dict.fromkeys(["obsid", "lmjd", "spid", "fiberid", "gaia_source_id"], pa.int64())
    names = ["obsid", "lmjd", "planid", "spid", "fiberid", *COLUMNS]
    schema = pa.schema([(name, (whole | texts).get(name, pa.float64())) for name in names])
    night = {"lmjd": 58000, "planid": "A", "spid": 1}
    path = tmp_path / "c.parquet"
    pq.write_table(pa.Table.from_pylist([night | row for row in rows], schema=schema), path)
    return path


@pytest.fixture
def observe(tmp_path, catalogue):
    def run(files, *, matched=True, superseded=frozenset()):
        if matched:
            root = Root(tmp_path / "run")
            table = pa.Table.from_pandas(files, HEADERS.schema, preserve_index=False)
            write_parquet(root.part(HEADERS, 0), table)
            write_matches(root, catalogue)
        found = read_matches(matches_path(catalogue) if matched else None, files["row"])
        return combine(files, found, superseded).to_pylist()

    return run


def test_the_catalogue_is_joined_by_obsid_and_wins_over_the_header(observe):
    files = headers(
        {"obsid": 10, "header_snr_g": 5.0, "header_z": 3e-4},
        {"obsid": 11, "header_snr_g": 6.0, "header_z": 3e-4},
        {"obsid": 99, "header_snr_g": 7.0, "header_z": 3e-4},
        {"obsid": 98},
    )
    rows = observe(files)
    assert [row["teff_k"] for row in rows] == [5000, 6000, None, None]
    assert [row["snr_g"] for row in rows] == [33, 6, 7, None]
    assert [row["rv_source"] for row in rows] == ["catalogue_rv", "catalogue_z", "header_z", None]
    assert [row["rv_kms"] for row in rows] == [
        12.0, pytest.approx(29.979, abs=1e-3), pytest.approx(89.938, abs=1e-3), None,
    ]  # fmt: skip
    assert rows[0]["gaia_source_id"] == GAIA


def test_the_class_is_that_of_the_file_else_that_of_the_catalogue(observe):
    files = headers({"obsid": 10, "obj_class": "GALAXY"}, {"obsid": 10}, {"obsid": 11}, {})
    assert [row["obj_class"] for row in observe(files)] == ["GALAXY", "STAR", None, None]


def test_a_file_without_obsid_gets_it_from_its_night_plan_and_fibre(observe):
    files = headers({"obsid": 10}, {"obsid": None, "fiberid": 1}, {"obsid": None, "fiberid": 2})
    rows = observe(files)
    assert [row["obsid"] for row in rows] == [10, None, 12]
    assert rows[2]["teff_k"] == 4000
    bits = [QualityFlag(row["quality"]) for row in rows]
    assert QualityFlag.NO_OBSID in bits[1]
    assert QualityFlag.NO_OBSID not in bits[2]


def test_quality_says_what_is_missing(observe):
    files = headers(
        {"obsid": 10},
        {"obsid": 98},
        {"obsid": None, "reason": "empty: no bytes", "quality": int(QualityFlag.REFUSED)},
    )
    bits = [QualityFlag(row["quality"]) for row in observe(files, superseded=frozenset({1}))]
    assert bits[0] == QualityFlag(0)
    assert bits[1] == QualityFlag.SUPERSEDED | QualityFlag.NO_CATALOGUE | QualityFlag.NO_VELOCITY
    assert bits[2] == QualityFlag.REFUSED


def test_without_a_catalogue_the_headers_stand_alone(observe):
    rows = observe(headers({"obsid": 5, "header_snr_g": 7.0, "header_z": 0.0}), matched=False)
    assert (rows[0]["obsid"], rows[0]["snr_g"], rows[0]["rv_kms"]) == (5, 7.0, 0.0)
    assert QualityFlag(rows[0]["quality"]) == QualityFlag.NO_CATALOGUE
