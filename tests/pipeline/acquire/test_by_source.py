"""Tables of the Gaia archive for the sources of a run."""

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.photometry.lookup import open_lookup
from pipeline.settings.load import load_settings
from tests.pipeline.acquire.server import Server

N = 1050
FIRST = 4_000_000_000_000_000_000


def answer(path: str, query: dict[str, str]) -> bytes | None:
    """Distances of every third source, and 2MASS names of every second."""
    if path != "/tap/sync":
        return None
    text = query["query"]
    ids = [int(one) for one in re.findall(r"\d{19}", text)]
    assert len(ids) <= 200
    if "gaiaedr3_distance" in text:
        rows = [f"{i},{i % 1000}.5,1.0,2.0" for i in ids if i % 3 == 0]
        return "\n".join(["source_id,r_med_geo,r_lo_geo,r_hi_geo", *rows]).encode() + b"\n"
    rows = [f"{i},{i % 10**8:08d}+1" for i in ids if i % 2 == 0]
    return "\n".join(["source_id,original_ext_source_id", *rows]).encode() + b"\n"


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "run" / "tables" / "photometry"
    folder.mkdir(parents=True)
    ids = [FIRST + i for i in range(N)]
    pq.write_table(pa.table({"source_id": [*ids, None, *ids[:7]]}), folder / "part-000000.parquet")
    return tmp_path


def acquire(server, out, what: str, *options: str):
    values = (f"gaia_tap_url={server.url}/tap", "rate_per_s=2000", "backoff_s=0.001")
    values += ("attempts=2", "batch_rows=4")
    sets = [part for value in values for part in ("--set", f"acquire.{value}")]
    return CliRunner().invoke(app, ["acquire", what, "--out", str(out), *options, *sets])


@pytest.mark.parametrize(
    ("what", "setting", "column", "every"),
    [
        ("bailer-jones", "bailer_jones", "r_med_geo", 3),
        ("tmass-neighbours", "tmass_best_neighbour", "original_ext_source_id", 2),
    ],
)
def test_tables_of_the_runs_own_sources(data, what, setting, column, every):
    with Server({}, answer=answer) as server:
        done = acquire(server, data, what)
        assert done.exit_code == 0, done.output
        asked = len(server.times)
        assert asked == 6
        assert acquire(server, data, what).exit_code == 0
        assert len(server.times) == asked
    folder = getattr(load_settings(data / "pairspec.toml").inputs, setting)
    assert sorted(path.suffix for path in folder.iterdir()) == [".parquet", ".parquet"]
    rows = open_lookup("source_id", folder, (column,)).read().to_pylist()
    wanted = [FIRST + i for i in range(N) if (FIRST + i) % every == 0]
    assert sorted(row["source_id"] for row in rows) == wanted
    if what == "bailer-jones":
        assert {row["source_id"]: row[column] for row in rows}[wanted[1]] == wanted[1] % 1000 + 0.5


def test_a_block_that_fails_is_asked_for_again(data):
    faults = iter(["error"] * 30)
    with Server({}, lambda path, n: next(faults, None), answer=answer) as server:
        done = acquire(server, data, "bailer-jones")
        assert done.exit_code == 1
        assert "server_error" in done.output
        assert not list((data / "catalogues").rglob("*.parquet"))
        server.faults = lambda path, n: None
        assert acquire(server, data, "bailer-jones").exit_code == 0


def test_without_photometry_there_are_no_sources(tmp_path):
    with Server({}, answer=answer) as server:
        done = acquire(server, tmp_path, "bailer-jones")
    assert "run pairspec photometry first" in done.output
