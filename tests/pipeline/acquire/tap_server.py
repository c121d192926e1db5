"""A TAP service on loopback that runs the ADQL it is sent, uploads and jobs included, on DuckDB."""

import email
import io
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from astropy.io.votable import from_table, parse
from astropy.io.votable.tree import Info
from astropy.table import MaskedColumn, Table

from tests.pipeline.acquire.server import Loopback

# The geometry of ADQL 2.0, section 2.4, in degrees.
_GEOMETRY = """
CREATE MACRO POINT(frame, ra, dec) AS {'ra': ra, 'dec': dec};
CREATE MACRO CIRCLE(frame, ra, dec, radius) AS {'ra': ra, 'dec': dec, 'radius': radius};
CREATE MACRO adql_distance(a, b) AS 2 * degrees(asin(least(1, sqrt(
    pow(sin(radians(a.dec - b.dec) / 2), 2)
    + cos(radians(a.dec)) * cos(radians(b.dec)) * pow(sin(radians(a.ra - b.ra) / 2), 2)))));
CREATE MACRO adql_contains(a, b) AS (adql_distance(a, b) <= b.radius)::INT;
CREATE SCHEMA TAP_UPLOAD;
CREATE SCHEMA TAP_SCHEMA;
CREATE TABLE TAP_SCHEMA.columns (table_name VARCHAR, column_name VARCHAR);
"""


class TapServer(Loopback):
    """Answers queries on tables; ``faults`` says how it fails on which query.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        By the name that stands in queries.
    faults : callable
        From the number of a query with an upload (from 0) to the name of a fault, or None.
    sync_rows, job_rows : int, optional
        An answer at once, and that of a job, has no more rows.
    """

    def __init__(
        self,
        tables: dict[str, pa.Table],
        faults: Callable[[int], str | None] = lambda number: None,
        sync_rows: int = 2000,
        job_rows: int | None = None,
    ) -> None:
        self.faults, self.sync_rows, self.job_rows = faults, sync_rows, job_rows
        self.uploads: list[int] = []
        """Rows of each upload that was joined."""
        self.queries: list[str] = []
        self.jobs: dict[str, list[object]] = {}
        """Answer and number of looks at each job that was not deleted."""
        self.n_jobs = 0
        self.n_asked = 0
        self.lock = threading.Lock()
        self._db = duckdb.connect()
        self._db.execute(_GEOMETRY)
        for name, table in tables.items():
            self._db.register("given", table)
            schema, _, _ = name.rpartition(".")
            if schema:
                self._db.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            quoted = name if schema else f'"{name}"'
            self._db.execute(f"CREATE TABLE {quoted} AS SELECT * FROM given")
            rows = [(name, column) for column in table.column_names]
            self._db.executemany("INSERT INTO TAP_SCHEMA.columns VALUES (?, ?)", rows)
        self.serve(_handler(self))

    @property
    def url(self) -> str:
        return f"http://{self.address}/tap"

    def run(self, query: str, upload: bytes | None) -> pa.Table:
        """Run a query, with an uploaded VOTable as ``TAP_UPLOAD.mine``."""
        text = query.replace("CONTAINS(", "adql_contains(").replace("DISTANCE(", "adql_distance(")
        with self.lock:
            self.queries.append(query)
            if upload is not None:
                mine = parse(io.BytesIO(upload)).get_first_table().to_table()
                self._db.register("mine", pa.table({n: np.array(mine[n]) for n in mine.colnames}))
                self._db.execute("CREATE OR REPLACE TABLE TAP_UPLOAD.mine AS SELECT * FROM mine")
                self.uploads.append(len(mine))
            return self._db.sql(text).to_arrow_table()


def votable(rows: pa.Table, most: int | None) -> bytes:
    """Return rows as a VOTable as of TAP 1.1, cut at so many."""
    cut = most is not None and rows.num_rows > most
    rows = rows.slice(0, most) if cut else rows
    table = Table()
    for name in rows.column_names:
        column = rows[name].combine_chunks()
        is_text = pa.types.is_string(column.type)
        filled = column.fill_null("" if is_text else 0).to_pylist()
        dtype = str if is_text else column.type.to_pandas_dtype()
        mask = column.is_null().to_numpy(zero_copy_only=False)
        table[name] = MaskedColumn(np.array(filled, dtype), mask=mask)
    document = from_table(table)
    [resource] = document.resources
    resource.type = "results"
    resource.infos.append(Info(name="QUERY_STATUS", value="OVERFLOW" if cut else "OK"))
    sink = io.BytesIO()
    document.to_xml(sink)
    return sink.getvalue()


def _handler(server: TapServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/tap/").split("/")
            if path == ["sync"]:
                query = parse_qs(parts.query)["query"][0]
                sink = io.BytesIO()
                pa_csv.write_csv(server.run(query, None), sink)
                return self._send(200, sink.getvalue())
            if path[0] != "async" or path[1] not in server.jobs:
                return self._send(404, b"not here")
            job = server.jobs[path[1]]
            if path[2:] == ["results", "result"]:
                return self._send(200, job[0])
            job[1] += 1
            waits = job[0] == b"never" or job[1] < 2
            phase = "EXECUTING" if waits else "COMPLETED" if job[0] else "ERROR"
            if path[2:] == ["phase"]:
                return self._send(200, phase.encode())
            if path[2:] == ["error"]:
                return self._send(200, b"out of time")
            return self._send(200, _summary(self.path.partition("?")[0], path[1], phase))

        def do_DELETE(self) -> None:
            server.jobs.pop(urlsplit(self.path).path.rpartition("/")[2], None)
            self._send(303, b"", {"Location": "/tap/async"})

        def do_POST(self) -> None:
            fields, files = self._form()
            path = urlsplit(self.path).path.removeprefix("/tap/").split("/")
            if path[0] == "async" and len(path) > 1:
                return self._send(303, b"", {"Location": f"/tap/async/{path[1]}"})
            with server.lock:
                fault = server.faults(server.n_asked)
                server.n_asked += 1
            if fault == "error":
                return self._send(500, b"oh")
            if fault == "refused":
                xml = {"Content-Type": "application/x-votable+xml"}
                return self._send(400, b"<INFO>no upload is allowed</INFO>", xml)
            if fault == "html":
                return self._send(200, b"<!DOCTYPE html><html>maintenance</html>")
            name, _, where = fields["UPLOAD"].partition(",param:")
            rows = server.run(fields["QUERY"], files[where]) if name == "mine" else None
            if path == ["sync"]:
                return self._send(200, votable(rows, server.sync_rows), cut=fault == "cut")
            server.n_jobs += 1
            number = str(server.n_jobs)
            failed = {"job": b"", "stuck": b"never"}
            server.jobs[number] = [failed.get(fault or "", votable(rows, server.job_rows)), 0]
            return self._send(303, b"", {"Location": f"{server.url}/async/{number}"})

        def _form(self) -> tuple[dict[str, str], dict[str, bytes]]:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers["Content-Type"]
            if kind.startswith("application/x-www-form-urlencoded"):
                return {k: v[0] for k, v in parse_qs(body.decode()).items()}, {}
            message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
            fields, files = {}, {}
            for part in message.get_payload():
                name = part.get_param("name", header="Content-Disposition")
                content = part.get_payload(decode=True)
                if part.get_filename() is None:
                    fields[name] = content.decode()
                else:
                    files[name] = content
            return fields, files

        def _send(
            self, status: int, body: bytes, headers: dict[str, str] | None = None, *, cut=False
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut or self.close_connection

    return Handler


def _summary(url: str, job: str, phase: str) -> bytes:
    """Return the description of a job (IVOA UWS 1.1, section 3)."""
    return (
        '<?xml version="1.0"?><uws:job xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1">'
        f"<uws:jobId>{job}</uws:jobId><uws:phase>{phase}</uws:phase>"
        f'<uws:results><uws:result id="result" xlink:href="{url}/results/result"/></uws:results>'
        "</uws:job>"
    ).encode()
