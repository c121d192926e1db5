import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.settings.load import load_settings
from pipeline.validation.given import read_compare
from tests.pipeline.acquire.server import Server

FAST = ("rate_per_s=2000", "backoff_s=0.001", "attempts=2")
ERROR = b"""<?xml version='1.0'?><VOTABLE><RESOURCE type='results'>
<INFO name='QUERY_STATUS' value='ERROR'>no such table</INFO></RESOURCE></VOTABLE>"""
ECLIPSING = ["ID,RAJ2000,DEJ2000,Per,Type", "ZTFJ01,10.1,20.2,0.35,EW", 'ZTFJ02,1,2,3,"EA"']
PLANETS = ["pl_name,hostname,ra,dec,gaia_dr3_id", "a b,a,1.5,2.5,Gaia DR3 12", '"c, d",c,3,4,']


class Service:
    """A TAP service: tables by name; ``asked`` has the queries."""

    def __init__(self, tables: dict[str, list[str]]) -> None:
        self.tables, self.asked = tables, []

    def __call__(self, path: str, query: dict[str, str]) -> bytes | None:
        if path != "/tap/sync":
            return None
        assert (query["request"], query["lang"], query["format"]) == ("doQuery", "ADQL", "csv")
        text = query["query"]
        self.asked.append(text)
        if "TAP_SCHEMA" in text:
            names = [f'"""{name}"""' for name in self.tables]
            return "\n".join(["table_name", *names]).encode()
        lines = self.tables.get(text.partition(" FROM ")[2].partition(" WHERE ")[0].strip('"'))
        if lines is None:
            return ERROR
        count = text.startswith("SELECT count(*) AS n ")
        return "\n".join(["n", str(len(lines) - 1)] if count else lines).encode()


def acquire(server: Server, out: Path, what: str, *options: str):
    addresses = ("vizier_url={0}/tap", "exoplanet_url={0}/tap", "dust_url={0}/sfd")
    values = [*(value.format(server.url) for value in addresses), *FAST]
    sets = [part for value in values for part in ("--set", f"acquire.{value}")]
    return CliRunner().invoke(app, ["acquire", what, "--out", str(out), *options, *sets])


def test_lists_from_the_literature(tmp_path):
    service = Service({"J/ApJS/249/18/table2": ECLIPSING, "pscomppars": PLANETS})
    with Server({}, answer=service) as server:
        for what, lines in (("eclipsing", ECLIPSING), ("planets", PLANETS)):
            done = acquire(server, tmp_path, what)
            assert done.exit_code == 0, done.output
            file = tmp_path / "catalogues" / f"{what}.csv"
            assert file.read_text().splitlines() == lines
        assert service.asked[1].endswith("WHERE \"Type\" IN ('EA', 'EW')")
        n = len(service.asked)
        acquire(server, tmp_path, "planets")
        assert len(service.asked) == n
    inputs = load_settings(tmp_path / "pairspec.toml").inputs
    assert inputs.planets == tmp_path / "catalogues" / "planets.csv"
    assert inputs.eclipsing == tmp_path / "catalogues" / "eclipsing.csv"


def test_the_published_catalogue_is_found_by_its_name(tmp_path):
    stars = ["Source,RA_ICRS,DE_ICRS,Pb", "4000000000000000001,1.5,2.5,0.9"]
    tables = {"J/ApJS/277/15/table3": stars, "J/ApJS/277/15/table4": ["c", *("1" * 90)]}
    with Server({}, answer=Service(tables)) as server:
        done = acquire(server, tmp_path, "jing2025")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "catalogues").iterdir()) == [
        "jing2025_table3.csv", "jing2025_table4.csv",
    ]  # fmt: skip
    settings = load_settings(tmp_path / "pairspec.toml")
    assert settings.inputs.compare == tmp_path / "catalogues" / "jing2025_table3.csv"
    assert settings.validation.compare_binary == "Pb"
    assert read_compare(settings.inputs.compare, settings.validation)["score"].tolist() == [0.9]
    with Server({}, answer=Service({})) as server:
        none = acquire(server, tmp_path / "none", "jing2025")
    assert "VizieR has no table of J/ApJS/277/15" in none.output
    with Server({}, answer=Service({'J/ApJS/277/15/a"x': stars})) as server:
        odd = acquire(server, tmp_path / "odd", "jing2025")
    assert odd.exit_code == 1 and "which is no table's name" in odd.output


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (None, "corrupt|not_wanted"),
        (ECLIPSING[:2], "wrong_length"),
        (["ID,RAJ2000,DEJ2000,Per", "1,2,3,4", "1,2,3,4"], "not_wanted"),
        ([ECLIPSING[0], ECLIPSING[1], "ZTFJ02,1"], "corrupt"),
        (["<html><body>maintenance</body></html>"], "html"),
    ],
)
def test_an_answer_that_is_not_the_table(tmp_path, lines, reason):
    service = Service({} if lines is None else {"J/ApJS/249/18/table2": ECLIPSING})

    def answer(path: str, query: dict[str, str]) -> bytes | None:
        whole = service(path, query)
        return "\n".join(lines).encode() if lines and "count" not in query["query"] else whole

    with Server({}, answer=answer) as server:
        done = acquire(server, tmp_path, "eclipsing")
    assert any(word in done.output for word in reason.split("|")), done.output
    assert not (tmp_path / "catalogues" / "eclipsing.csv").exists()
    assert done.exit_code == 1


def test_the_dust_map(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.acquire.dust._SHAPE", (64, 64))
    files = {}
    for pole, side in (("ngp", 1), ("sgp", -1)):
        image = fits.PrimaryHDU(np.ones((64, 64), dtype=">f4"))
        image.header["LAM_NSGP"] = side
        sink = io.BytesIO()
        image.writeto(sink)
        files[f"/sfd/SFD_dust_4096_{pole}.fits"] = sink.getvalue()
    with Server(files, lambda path, n: "short" if n == 0 else None) as server:
        done = acquire(server, tmp_path / "data", "dust")
    assert done.exit_code == 0, done.output
    moved = (tmp_path / "data").rename(tmp_path / "moved")
    own = load_settings(moved / "pairspec.toml").photometry
    assert own.reddening == "map"
    assert {path.name for path in own.dust_folder.iterdir()} == {
        "SFD_dust_4096_ngp.fits", "SFD_dust_4096_sgp.fits",
    }  # fmt: skip
    files["/sfd/SFD_dust_4096_ngp.fits"] = files["/sfd/SFD_dust_4096_sgp.fits"]
    with Server(files) as server:
        assert "not_wanted" in acquire(server, tmp_path / "other", "dust").output


def test_what_cannot_be_acquired(tmp_path):
    with Server({}) as server:
        assert "there are lamost-catalogue" in acquire(server, tmp_path, "gaia2").output
        assert "not for dust" in acquire(server, tmp_path, "dust", "--limit", "3").output


@pytest.mark.parametrize(
    "url", ["http://archive.org", "ftp://a.org", "https://user:pass@a.org", "https://a.org?token=x"]
)
def test_addresses_that_would_leak_are_refused(tmp_path, url):
    done = CliRunner().invoke(
        app, ["acquire", "dust", "--out", str(tmp_path), "--set", f"acquire.lamost_url={url}"]
    )
    assert done.exit_code == 2
    assert "acquire.lamost_url" in done.output
