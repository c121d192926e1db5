"""The public LAMOST files, beside their inventory."""

import csv
from functools import partial

import pyarrow.parquet as pq
import pytest

from pipeline.settings.load import load_settings
from pipeline.stages import run_stage
from schemas.quality import QualityFlag

run = partial(run_stage, "ingest")


@pytest.fixture(scope="module")
def observations(real_data, client, tmp_path_factory):
    root = tmp_path_factory.mktemp("real")
    settings = load_settings(
        None,
        ["ingest.shard_rows=512", "ingest.chunk_rows=128"],
        root=root,
        inputs={
            "spectra": real_data / "spectra",
            "catalogue": real_data / "tables" / "dr10_stellar_subset.csv",
        },
    )
    run(settings, client)
    return pq.read_table(root / "tables" / "observations").to_pylist()


@pytest.fixture(scope="module")
def inventory(real_data):
    with (real_data / "inventory.csv").open() as file:
        return {row["path"].removeprefix("spectra/"): row for row in csv.DictReader(file)}


def test_every_file_is_one_row_with_the_inventory_s_identity(observations, inventory):
    assert len(observations) == len(inventory) == 1336
    for row in observations:
        entry = inventory[row["path"]]
        obsid = int(float(entry["obsid"])) if entry["obsid"] else None
        assert row["obsid"] == obsid
        assert row["reason"] is None
        for name in ("n_pixel", "n_ivar_zero", "n_andmask", "n_ormask", "lmjd", "spid", "fiberid"):
            assert row[name] == int(entry[name]), (row["path"], name)
        assert row["planid"] == entry["planid"]
        assert row["layout"] == entry["layout"]
        assert row["wave_first_angstrom"] == pytest.approx(float(entry["wave_first"]), abs=1e-3)


def test_the_two_exposures_of_two_releases_are_marked(observations):
    superseded = [row for row in observations if row["quality"] & QualityFlag.SUPERSEDED]
    assert sorted(row["obsid"] for row in superseded) == [101001, 101005]
    assert all(not row["path"].startswith("DR9") for row in superseded)


def test_the_catalogue_of_831_stars_is_joined(observations):
    with_teff = [row for row in observations if row["teff_k"] is not None]
    assert len(with_teff) == 831
    assert {row["data_release"] for row in with_teff} == {"DR10"}
