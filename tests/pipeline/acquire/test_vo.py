"""Spectra by SSA and datalink from a service on loopback."""

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from pipeline.acquire.reasons import FetchError
from pipeline.acquire.vo import read_rows
from pipeline.cli.app import app
from pipeline.lamost.names import archive_path, format_name
from tests.pipeline.acquire.server import Server
from tests.pipeline.acquire.test_lamost import N, name_of, serve
from tests.pipeline.acquire.test_lamost import acquire as acquire_lamost

FAST = ("rate_per_s=2000", "backoff_s=0.001", "attempts=2")


def votable(fields: str, rows: list[list[str]], status: str = "OK") -> bytes:
    cells = "".join("<TR>" + "".join(f"<TD>{cell}</TD>" for cell in row) + "</TR>" for row in rows)
    return (
        '<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f'<RESOURCE type="results"><INFO name="QUERY_STATUS" value="{status}">why</INFO>'
        f"<TABLE>{fields}<DATA><TABLEDATA>{cells}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    ).encode()


def text_field(name: str, utype: str = "") -> str:
    more = f' utype="{utype}"' if utype else ""
    return f'<FIELD name="{name}" datatype="char" arraysize="*"{more}/>'


SSA = text_field("accref", "ssa:Access.Reference") + text_field("did", "ssa:Curation.PublisherDID")
LINKS = "".join(map(text_field, ("ID", "access_url", "semantics", "content_type")))


class Service:
    """Lists, links and files of the archive's spectra; of every second one the file itself."""

    def __init__(self, files: dict[str, bytes], status: str = "OK") -> None:
        self.files = [files[f"/dr10/v2.0/spectrum/fits/{100 + i}"] for i in range(N - 1)]
        self.status, self.url, self.elsewhere, self.asked = status, "", "", {}

    def __call__(self, path: str, query: dict[str, str]) -> bytes | None:
        kind, _, number = path.strip("/").partition("/")
        if kind == "ssa":
            self.asked = query
            return votable(SSA, [self.row(i) for i in range(N)], self.status)
        if kind == "links" and int(number) < N - 1:
            to = f"{self.elsewhere or self.url}/files/{number}"
            return votable(
                LINKS,
                [
                    ["x", f"{self.url}/preview", "#preview", "image/png"],
                    ["x", f"{self.url}/table", "#this", "application/x-votable+xml"],
                    ["x", to, "#progenitor", "application/fits"],
                ],
            )
        return self.files[int(number)] if kind == "files" and int(number) < N - 1 else None

    def row(self, i: int) -> list[str]:
        kind = "links" if i % 2 else "files"
        return [f"{self.url}/{kind}/{i}", f"ivo://org.gavo.dc/~?lamost6/{format_name(name_of(i))}"]


@pytest.fixture
def service(archive):
    answer = Service(archive[0])
    with Server({}, answer=answer) as server:
        answer.url = server.url
        yield answer


def acquire(service, out, *options: str):
    sets = [f"acquire.{value}" for value in (f"ssa_url={service.url}/ssa", *FAST)]
    given = [part for value in sets for part in ("--set", value)]
    return CliRunner().invoke(app, ["acquire", "lamost-vo", "--out", str(out), *options, *given])


def test_spectra_of_a_cone_without_login(service, tmp_path):
    dry = acquire(service, tmp_path, "--cone", "32,20,1.5", "--dry-run")
    assert dry.exit_code == 0
    done = acquire(service, tmp_path, "--cone", "32,20,1.5")
    assert done.exit_code == 0, done.output
    assert (service.asked["POS"], service.asked["SIZE"]) == ("32.0,20.0", "3.0")
    folder = tmp_path / "spectra"
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert held == {str(archive_path(name_of(i))) for i in range(N - 1)}
    assert "not_found" in done.output
    for i in range(N - 1):
        assert (folder / archive_path(name_of(i))).read_bytes() == service.files[i]


def test_a_link_to_another_host_is_refused(service, tmp_path):
    service.elsewhere = "https://example.org"
    done = acquire(service, tmp_path, "--cone", "32,20,1.5")
    assert "other_host" in done.output
    assert len(list((tmp_path / "spectra").rglob("*.fits.gz"))) == N // 2


def test_another_spectrum_than_the_list_names_is_refused(service, tmp_path):
    service.files[2] = service.files[4]
    done = acquire(service, tmp_path, "--cone", "32,20,1.5")
    assert "not_wanted" in done.output


@pytest.mark.parametrize(
    ("status", "options", "message"),
    [
        ("ERROR", ("--cone", "32,20,1.5"), "not_wanted"),
        ("OVERFLOW", ("--cone", "32,20,1.5"), "take a smaller cone"),
        ("OK", ("--where", "true"), "takes --cone"),
        ("OK", ("--cone", "32,20"), "RA,DEC,RADIUS in degrees"),
    ],
)
def test_lists_that_are_of_no_use(service, tmp_path, status, options, message):
    service.status = status
    assert message in acquire(service, tmp_path, *options).output
    assert not (tmp_path / "spectra").exists()


def test_a_folder_holds_spectra_of_one_release(service, archive, tmp_path):
    for first, words in (
        ("vo", f"holds spectra of {service.url}/ssa"),
        ("archive", "of dr10_v2.0"),
    ):
        out = tmp_path / first
        with serve(archive) as server:
            acquire_lamost(server, out, "lamost-catalogue")
            two = [
                lambda out=out: acquire(service, out, "--cone", "32,20,1.5"),
                lambda out=out, server=server: acquire_lamost(
                    server, out, "lamost-spectra", "--limit", "1"
                ),
            ]
            done, refused = [ask() for ask in (two if first == "vo" else two[::-1])]
        assert done.exit_code == 0, done.output
        assert refused.exit_code == 1
        assert words in refused.output and "use another --out" in refused.output


def test_a_limit_is_enough_of_many(service, tmp_path):
    service.status = "OVERFLOW"
    done = acquire(service, tmp_path, "--cone", "32,20,1.5", "--limit", "3")
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "spectra").rglob("*.fits.gz"))) == 3


@pytest.mark.parametrize(("kind", "refused"), [("long", False), ("double", True)])
def test_ids_that_a_service_sends_as_floats_are_refused(tmp_path, kind, refused):
    number = 2**60 + 1
    path = tmp_path / "answer.xml"
    path.write_bytes(votable(f'<FIELD name="source_id" datatype="{kind}"/>', [[str(number)]]))
    schema = pa.schema([("source_id", pa.int64())])
    if refused:
        with pytest.raises(FetchError, match="ids above 2\\^53"):
            read_rows(path, schema)
    else:
        assert read_rows(path, schema)[0]["source_id"].to_pylist() == [number]
