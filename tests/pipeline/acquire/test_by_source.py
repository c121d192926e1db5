"""Tables of the Gaia archive for the sources of a run."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.photometry.lookup import open_lookup
from pipeline.settings.load import load_settings
from tests.pipeline.acquire.tap_server import TapServer

N = 1050
FIRST = 4_000_000_000_000_000_000
IDS = [FIRST + i for i in range(N + 50)]


@pytest.fixture(scope="module")
def tables():
    """Distances of every third source, and 2MASS names of every second."""
    thirds, halves = IDS[::3], IDS[::2]
    distances = {"r_med_geo": [i % 1000 + 0.5 for i in thirds]}
    distances |= {name: [1.0] * len(thirds) for name in ("r_lo_geo", "r_hi_geo")}
    names = {"original_ext_source_id": [f"{i % 10**8:08d}+1" for i in halves]}
    return {
        "external.gaiaedr3_distance": pa.table({"source_id": thirds, **distances}),
        "gaiadr3.tmass_psc_xsc_best_neighbour": pa.table({"source_id": halves, **names}),
    }


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "run" / "tables" / "photometry"
    folder.mkdir(parents=True)
    ids = IDS[:N]
    pq.write_table(pa.table({"source_id": [*ids, None, *ids[:7]]}), folder / "part-000000.parquet")
    return tmp_path


def acquire(server, out, what: str, *options: str):
    values = (f"gaia_tap_url={server.url}", "rate_per_s=2000", "backoff_s=0.001")
    values += ("attempts=2", "upload_rows=200")
    sets = [part for value in values for part in ("--set", f"acquire.{value}")]
    return CliRunner().invoke(app, ["acquire", what, "--out", str(out), *options, *sets])


@pytest.mark.parametrize(
    ("what", "setting", "column", "every"),
    [
        ("bailer-jones", "bailer_jones", "r_med_geo", 3),
        ("tmass-neighbours", "tmass_best_neighbour", "original_ext_source_id", 2),
    ],
)
def test_tables_of_the_runs_own_sources(data, tables, what, setting, column, every):
    with TapServer(tables) as server:
        done = acquire(server, data, what)
        assert done.exit_code == 0, done.output
        assert sorted(server.uploads) == [50, 200, 200, 200, 200, 200]
        assert acquire(server, data, what).exit_code == 0
        assert len(server.uploads) == 6
    file = getattr(load_settings(data / "pairspec.toml").inputs, setting)
    rows = open_lookup("source_id", file, (column,)).read().to_pylist()
    assert [row["source_id"] for row in rows] == IDS[:N:every]
    if what == "bailer-jones":
        assert rows[1][column] == IDS[3] % 1000 + 0.5
    [without] = (data / "ledger").rglob("without.parquet")
    unmatched = set(IDS[:N]) - set(IDS[::every])
    assert set(pq.read_table(without)["source_id"].to_pylist()) == unmatched


def test_a_block_that_fails_is_asked_for_again(data, tables):
    with TapServer(tables, lambda number: "error") as server:
        done = acquire(server, data, "bailer-jones")
        assert done.exit_code == 1
        assert "server_error" in done.output
        assert not list((data / "catalogues").rglob("*.parquet"))
        server.faults = lambda number: None
        assert acquire(server, data, "bailer-jones").exit_code == 0


def test_without_photometry_there_are_no_sources(tmp_path, tables):
    with TapServer(tables) as server:
        done = acquire(server, tmp_path, "bailer-jones")
    assert "run pairspec photometry first" in done.output
