import gzip
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline.acquire.lamost_spectra import check_spectrum
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.selection import numbered_path, read_obsids
from pipeline.cli.app import app
from pipeline.core.errors import InputError
from pipeline.lamost.names import ExposureName, archive_path
from pipeline.settings.load import load_settings
from pipeline.stages import run_stage
from tests.pipeline.acquire.server import Server

TOKEN = "t0ken+of/somebody"
FAST = ("rate_per_s=2000", "backoff_s=0.001", "attempts=2", "read_timeout_s=5")
N = 12
HEAD = "obsid|lmjd|mjd|planid|spid|fiberid|snrg|ra|dec|teff|logg|feh|rv|rv_err|z|z_err"


def name_of(i: int) -> ExposureName:
    return ExposureName(58000 + i // 6, f"HD1234N{i // 6}", 1 + i % 16, 1 + i)


def row_of(i: int) -> str:
    name = name_of(i)
    return (
        f"{100 + i}|{name.lmjd}|{name.lmjd - 1}|{name.planid}|{name.spid}|{name.fiberid}|"
        f"{10 + 5 * i}|{30 + i}|20|{4000 + 200 * i}|{'-9999' if i == 7 else '4.5'}|0|1|2|0|1e-5"
    )


def serve(archive, faults=lambda path, attempt: None, token=TOKEN) -> Server:
    files, catalogue = archive

    def answer(path: str, query: dict[str, str]) -> bytes | None:
        wanted = query.get("name") == "dr10_v2.0_LRS_stellar.csv.gz"
        return catalogue if path == "/dr10/v2.0/catdl" and wanted else None

    return Server(dict(files), faults, token, answer=answer)


def acquire(server, out: Path, what: str, *options: str, token: str = TOKEN):
    values = [f"acquire.lamost_url={server.url}", *(f"acquire.{value}" for value in FAST)]
    sets = [part for value in values for part in ("--set", value)]
    return CliRunner().invoke(
        app, ["acquire", what, "--out", str(out), *options, *sets], env={"LAMOST_TOKEN": token}
    )


def fetched(out: Path) -> set[str]:
    folder = out / "spectra"
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_from_nothing_to_the_table_of_observations(archive, tmp_path, client):
    out = tmp_path / "data"
    with serve(archive) as server:
        assert acquire(server, out, "lamost-catalogue").exit_code == 0
        selected = "snrg > 20 AND teff BETWEEN 3800 AND 6500 AND logg > 4"
        dry = acquire(server, out, "lamost-spectra", "--where", selected, "--dry-run")
        assert [line.split()[-1] for line in dry.output.splitlines()[1:3]] == ["8", "8"]
        assert len(server.times) == 1
        done = acquire(server, out, "lamost-spectra", "--where", selected)
        assert done.exit_code == 0, done.output
    # One of them is not there, and the catalogue has no log g of another.
    wanted = [i for i in range(3, N) if i != 7]
    assert fetched(out) == {str(archive_path(name_of(i))) for i in wanted if i != N - 1}
    assert f"-> {out / 'pairspec.toml'}" in done.output
    [results] = (out / "ledger" / "lamost-spectra").rglob("results.parquet")
    rows = {row["key"]: row for row in pq.read_table(results).to_pylist()}
    assert set(rows) == {str(100 + i) for i in wanted}
    assert rows["111"]["reason"] == "not_found"
    settings = load_settings(out / "pairspec.toml")
    report = run_stage("ingest", settings, client)
    assert report.counts["spectra"] == len(wanted) - 1
    table = pq.read_table(settings.root / "tables" / "observations").to_pydict()
    assert set(table["obsid"]) == {100 + i for i in wanted if i != N - 1}
    assert set(table["teff_k"]) == {4000.0 + 200 * i for i in wanted if i != N - 1}


def test_a_second_run_asks_for_nothing(archive, tmp_path):
    with serve(archive) as server:
        for _ in range(2):
            acquire(server, tmp_path, "lamost-catalogue")
            acquire(server, tmp_path, "lamost-spectra", "--where", "true")
            first = getattr(server, "first", len(server.times))
            server.first = first
        assert len(server.times) == first == 1 + N


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--cone", "32,20,1.5"), {101, 102, 103}),
        (("--limit", "2"), {100, 101}),
        (("--where", "snr_g > 40 AND teff_k < 5600"), {107}),
        (("--where", "snrg > 20", "--cone", "32,20,1.5"), {103}),
    ],
)
def test_spectra_are_selected(archive, tmp_path, options, expected):
    with serve(archive) as server:
        acquire(server, tmp_path, "lamost-catalogue")
        done = acquire(server, tmp_path, "lamost-spectra", *options)
    assert done.exit_code == 0, done.output
    assert fetched(tmp_path) == {str(archive_path(name_of(obsid - 100))) for obsid in expected}


def test_a_list_needs_no_catalogue_and_keeps_what_the_catalogue_lacks(archive, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text("102\n104\n102\n999\n")
    with serve(archive) as server:
        without = acquire(server, tmp_path / "a", "lamost-spectra", "--obsids", str(listed))
        acquire(server, tmp_path / "b", "lamost-catalogue")
        acquire(server, tmp_path / "b", "lamost-spectra", "--obsids", str(listed))
    assert "not_found" in without.output
    assert fetched(tmp_path / "a") == {str(numbered_path(102)), str(numbered_path(104))}
    assert fetched(tmp_path / "b") == {str(archive_path(name_of(i))) for i in (2, 4)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "say which spectra"),
        (("--where", "snr > 20"), "snr"),
        (("--where", "1) UNION SELECT (1"), "--where"),
        (("--cone", "1,2"), "RA,DEC,RADIUS in degrees"),
        (("--cone", "1,91,1"), "RA,DEC,RADIUS in degrees"),
        (("--obsids", "nowhere"), "cannot read --obsids"),
    ],
)
def test_a_selection_that_cannot_be_understood(archive, tmp_path, options, message):
    with serve(archive) as server:
        acquire(server, tmp_path, "lamost-catalogue")
        done = acquire(server, tmp_path, "lamost-spectra", *options)
    assert done.exit_code == 1
    assert message in done.output
    assert not list((tmp_path / "ledger").rglob("*.jsonl"))[1:]


def test_obsids_of_a_list(tmp_path):
    path = tmp_path / "list"
    path.write_text("7\n\n7\n8\n")
    assert read_obsids(path)["obsid"].to_pylist() == [7, 8]
    path.write_text("obsid,snr\n12,1\n13,2\n12,3\n")
    assert sorted(read_obsids(path)["obsid"].to_pylist()) == [12, 13]
    path.write_text("7\nseven\n")
    with pytest.raises(InputError, match="line 2: b'seven' is no obsid"):
        read_obsids(path)


def test_what_is_not_the_spectrum_that_was_asked_for(write_spectrum, tmp_path):
    path = write_spectrum(tmp_path / "a.fits.gz", obsid=5)
    check_spectrum(path, "5")
    with pytest.raises(FetchError) as found:
        check_spectrum(path, "6")
    assert found.value.reason is Reason.NOT_WANTED
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FetchError) as found:
        check_spectrum(path, "5")
    assert found.value.reason is Reason.CORRUPT


def test_two_exposures_of_one_name_do_not_become_one_file(archive, tmp_path):
    files, catalogue = archive
    text = (
        gzip.decompress(catalogue)
        .decode()
        .replace("101|58000|57999|HD1234N0|2|2|", "101|58000|57999|HD1234N0|1|1|")
    )
    with serve((files, gzip.compress(text.encode()))) as server:
        acquire(server, tmp_path, "lamost-catalogue")
        acquire(server, tmp_path, "lamost-spectra", "--limit", "2")
    assert fetched(tmp_path) == {str(numbered_path(100)), str(numbered_path(101))}


def test_a_folder_holds_one_release(archive, tmp_path):
    obsids = tmp_path / "list.txt"
    obsids.write_text("103\n")
    with serve(archive) as server:
        done = acquire(server, tmp_path / "data", "lamost-spectra", "--obsids", str(obsids))
        assert done.exit_code == 0, done.output
        other = ("--set", "acquire.release=dr11_v1.0")
        refused = acquire(
            server, tmp_path / "data", "lamost-spectra", "--obsids", str(obsids), *other
        )
    assert refused.exit_code == 1
    assert "holds spectra of dr10_v2.0, and these would be of dr11_v1.0" in refused.output


def test_a_catalogue_that_is_none(archive, tmp_path):
    files, _ = archive
    with serve((files, gzip.compress(b"obsid,ra\n1,2\n"))) as server:
        done = acquire(server, tmp_path, "lamost-catalogue")
        assert "not_wanted" in done.output
        assert not (tmp_path / "catalogues" / "dr10_v2.0_LRS_stellar.csv.gz").exists()
        spectra = acquire(server, tmp_path, "lamost-spectra", "--where", "true")
    assert "run pairspec acquire lamost-catalogue" in spectra.output


def test_a_new_user_is_told_of_the_token_and_leaves_no_mark_by_trying(archive, tmp_path):
    with serve(archive) as server:
        nothing = acquire(server, tmp_path, "lamost-spectra", "--where", "true")
        assert "run pairspec acquire lamost-catalogue" in nothing.output
        refused = acquire(server, tmp_path, "lamost-catalogue", token="")
        assert refused.exit_code == 1
        assert "HTTP status 401" in refused.output
        assert "set LAMOST_TOKEN to the token of your account" in refused.output
        done = acquire(server, tmp_path, "lamost-catalogue", "--again")
        assert done.exit_code == 0, done.output
        # Spectra of which none came do not tie the folder to their release.
        acquire(server, tmp_path, "lamost-spectra", "--limit", "1", token="")
        other = ("--limit", "1", "--set", "acquire.lamost_url=http://127.0.0.1:9")
        other += ("--obsids", str(tmp_path / "list"), "--set", "acquire.release=dr11_v1.0")
        (tmp_path / "list").write_text("103\n")
        assert "use another --out" not in acquire(server, tmp_path, "lamost-spectra", *other).output


def test_the_token_is_nowhere(archive, tmp_path):
    faults = {
        f"/dr10/v2.0/spectrum/fits/{100 + i}": fault
        for i, fault in enumerate(["forbidden", "html", "cut", "loop", "elsewhere", "error"])
    }
    shown = []
    with serve(archive, lambda path, attempt: faults.get(path)) as server:
        shown += [
            acquire(server, tmp_path, *what, "--debug", token=token).output
            for token in (TOKEN, TOKEN[:-1])
            for what in (
                ("lamost-catalogue",),
                ("lamost-spectra", "--where", "true", "--again"),
                ("lamost-spectra", "--where", "true", "--again", "--to-store"),
            )
        ]
    assert "no_permission" in shown[1]
    shown += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    shown.append(Path(f"/proc/{os.getpid()}/cmdline").read_text())
    for form in (TOKEN[:-1], "t0ken%2Bof%2Fsomebod"):
        assert not [text for text in shown if form in text]


def test_settings_that_somebody_has_changed_are_left_alone(archive, tmp_path):
    with serve(archive) as server:
        acquire(server, tmp_path, "lamost-catalogue")
        path = tmp_path / "pairspec.toml"
        assert load_settings(path).inputs.spectra is None
        acquire(server, tmp_path, "lamost-spectra", "--limit", "1")
        assert load_settings(path).inputs.spectra == tmp_path / "spectra"
        path.write_text(path.read_text().replace('"run"', '"other"'))
        done = acquire(server, tmp_path, "lamost-spectra", "--limit", "1")
    assert load_settings(path).root == tmp_path / "other"
    assert load_settings(tmp_path / "pairspec.acquired.toml").root == tmp_path / "run"
    assert "left alone" in done.output
