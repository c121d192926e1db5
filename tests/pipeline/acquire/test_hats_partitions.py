"""The part of a HATS catalogue that the observations touch."""

import re

import lsdb
import numpy as np
import pandas as pd
import pytest
from hats.pixel_math import HealpixPixel
from typer.testing import CliRunner

from pipeline.acquire.columns import RemoteFile
from pipeline.acquire.connection import Connection
from pipeline.acquire.pace import Pace
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.request import size_text
from pipeline.acquire.secret import Secret
from pipeline.acquire.touched import touched_partitions, touched_pixels
from pipeline.cli.app import app
from pipeline.settings.acquire import AcquireSettings
from pipeline.settings.load import load_settings
from tests.pipeline.acquire.folder_server import FolderServer
from tests.pipeline.acquire.test_lamost import N, serve
from tests.pipeline.acquire.test_lamost import acquire as acquire_lamost

FAST = ("rate_per_s=2000", "backoff_s=0.001", "attempts=3")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Sources over all the sky, and some beside each observation of the archive."""
    rng, n = np.random.default_rng(1), 6000
    near = np.repeat(30.0 + np.arange(N), 3)
    ra = np.concatenate([near + rng.normal(0, 5e-3, near.size), rng.uniform(0, 360, n)])
    dec = np.concatenate(
        [20 + rng.normal(0, 5e-3, near.size), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))]
    )
    frame = pd.DataFrame(
        {
            "ra": ra,
            "dec": dec,
            "source_id": np.arange(ra.size) + 10**17,
            "phot_g_mean_mag": rng.uniform(10, 18, ra.size),
            "parallax": rng.normal(3, 1, ra.size),
            "unused": [rng.bytes(4000) for _ in range(ra.size)],
        }
    )
    folder = tmp_path_factory.mktemp("served")
    catalogue = lsdb.from_dataframe(
        frame, catalog_name="gaia", ra_column="ra", dec_column="dec", partition_rows=40,
        margin_threshold=None,
    )  # fmt: skip
    catalogue.write_catalog(folder / "gaia", catalog_name="gaia", progress_bar=False)
    return folder, frame


@pytest.fixture
def data(archive, tmp_path):
    with serve(archive) as server:
        acquire_lamost(server, tmp_path, "lamost-catalogue")
    return tmp_path


def acquire(server, out, *options: str, name="gaia"):
    values = (f"gaia_url={server.url}/{name}", *FAST)
    sets = [part for value in values for part in ("--set", f"acquire.{value}")]
    return CliRunner().invoke(app, ["acquire", "gaia", "--out", str(out), *options, *sets])


def test_only_what_is_touched_and_used_is_transferred(served, data):
    folder, frame = served
    whole = sum(path.stat().st_size for path in folder.rglob("Npix=*.parquet"))
    with FolderServer(folder) as server:
        dry = acquire(server, data, "--dry-run")
        assert not [name for name in server.sent if "Npix=" in name], dry.output
        done = acquire(server, data)
        assert done.exit_code == 0, done.output
        sent = sum(n for name, n in server.sent.items() if "Npix=" in name)
        assert re.search(rf"transferred +{size_text(sent)} of about \d+\.\d MB", done.output)
        before = dict(server.sent)
        assert acquire(server, data).exit_code == 0
        again = {name for name in server.sent if server.sent[name] != before[name]}
        assert not [name for name in again if "Npix=" in name]
    print(f"{sent} of {whole} bytes")
    assert sent < whole / 4
    inputs = load_settings(data / "pairspec.toml").inputs
    assert inputs.gaia == str(data / "catalogues" / "gaia")
    copy = lsdb.open_catalog(inputs.gaia, margin_cache=None).compute()
    assert "unused" not in copy.columns
    assert len(copy) < len(frame) / 2
    near = frame[np.isin(frame["source_id"], 10**17 + np.arange(3 * N))]
    columns = ["source_id", "ra", "dec", "phot_g_mean_mag", "parallax"]
    held = copy[copy["source_id"].isin(near["source_id"])].sort_values("source_id")
    pd.testing.assert_frame_equal(
        pd.DataFrame(held[columns]).reset_index(drop=True),
        near[columns].reset_index(drop=True),
        check_dtype=False,
    )


def test_a_selection_touches_less(served, data):
    with FolderServer(served[0]) as server:
        one = acquire(server, data, "--limit", "1")
    assert "partitions                       1 of" in one.output


def test_partitions_of_another_catalogue_are_not_taken_for_those_of_this_one(
    served, data, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("two")
    for name in ("gaia", "other"):
        (folder / name).symlink_to(served[0] / "gaia")
    with FolderServer(folder) as server:
        for name in ("gaia", "other"):
            assert acquire(server, data, "--limit", "1", name=name).exit_code == 0
        sent = {name.partition("/")[0] for name in server.sent if "Npix=" in name}
    assert sent == {"gaia", "other"}


def test_a_server_that_fails_for_a_while_and_for_good(served, data):
    parts = sorted(path.name for path in served[0].rglob("Npix=*.parquet"))
    with FolderServer(served[0]) as server:
        server.failing = dict.fromkeys(parts, 1)
        assert acquire(server, data, "--limit", "1").exit_code == 0
        server.failing = dict.fromkeys(parts, 10**6)
        done = acquire(server, data, "--limit", "12")
    assert done.exit_code == 1
    assert "server_error" in done.output


def test_a_server_that_ignores_ranges_is_told_apart(served, data):
    settings = AcquireSettings(rate_per_s=2000)
    connection = Connection(settings, Secret(), Pace(settings.rate_per_s))
    with FolderServer(served[0]) as server:
        server.ranges = False
        url = f"{server.url}/gaia/collection.properties"
        with pytest.raises(FetchError, match="the server sends no parts of files"):
            RemoteFile(connection, settings, url, private=False)
        done = acquire(server, data, "--limit", "1")
    assert done.exit_code == 1 and "cannot be opened as a HATS catalogue" in done.output


def test_another_range_than_was_asked_for_is_no_part_of_the_file(tmp_path):
    path = tmp_path / "noise.bin"
    path.write_bytes(np.random.default_rng(1).bytes(200_000))
    settings = AcquireSettings(rate_per_s=2000)
    with FolderServer(tmp_path) as server:
        connection = Connection(settings, Secret(), Pace(settings.rate_per_s))
        url = f"{server.url}/{path.name}"
        file = RemoteFile(connection, settings, url, private=False)
        file.seek(1000)
        assert file.read(3000) == path.read_bytes()[1000:4000]
        server.shifted = 8
        file.seek(1000)
        with pytest.raises(OSError, match="992-3991/200000 in answer to bytes=1000-3999"):
            file.read(3000)
    assert file.failed is not None
    assert file.failed.reason is Reason.WRONG_LENGTH


def test_a_catalogue_that_is_none(served, data, tmp_path):
    with FolderServer(tmp_path / "nothing") as server:
        done = acquire(server, data)
    assert "cannot be opened as a HATS catalogue" in done.output
    assert done.exit_code == 1


def test_partitions_of_every_order_that_positions_touch():
    pixels = touched_pixels([(np.array([10.0, np.nan]), np.array([45.0, 3.0]))])
    assert len(pixels) >= 20
    at_10 = int(pixels[len(pixels) // 2])
    coarse = HealpixPixel(3, at_10 >> 14)
    fine = HealpixPixel(12, at_10 << 4)
    far = HealpixPixel(3, (at_10 >> 14) + 100)
    assert touched_partitions([coarse, fine, far], pixels) == [coarse, fine]
