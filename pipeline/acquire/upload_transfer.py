"""One block of a join at a TAP service: uploaded, joined there, its answer kept as Parquet."""

import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import requests

from pipeline.acquire.connection import Connection
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.tap import MAX_ROWS
from pipeline.acquire.transfer import Kind, Wanted, copy_body
from pipeline.acquire.uploads import NUMBER, TABLE, as_votable
from pipeline.acquire.vo import read_rows
from pipeline.core.atomic import PARTIAL, write_parquet
from pipeline.core.damage import file_size, sha256_of
from pipeline.settings.acquire import AcquireSettings

_WAITING = {"PENDING", "QUEUED", "EXECUTING", "UNKNOWN", "HELD", "SUSPENDED"}
_POLL_S, _POLL_MAX_S = 0.5, 30.0
_WORDS = 300
_MAX_BYTES = 1 << 32


class UploadTransfer:
    """Uploads blocks of rows to a TAP service, which joins them with a table of its own.

    Few rows are answered at once (``sync``), more by a job (``async``, IVOA Universal Worker
    Service), and so are those whose answer at once was cut.

    Parameters
    ----------
    connection : Connection
        Sends the requests.
    settings : AcquireSettings
        How many rows are answered at once, and how long to wait for a job.
    uploads : pathlib.Path
        The blocks, one row group each; the key of a file is the number of its block.
    query : str
        ADQL that joins ``TAP_UPLOAD.mine``.
    schema : pyarrow.Schema
        Columns of the answer.
    """

    def __init__(
        self,
        connection: Connection,
        settings: AcquireSettings,
        uploads: Path,
        query: str,
        schema: pa.Schema,
    ) -> None:
        self._connection, self._settings = connection, settings
        self._uploads, self._query, self._schema = uploads, query, schema

    def fetch(self, wanted: Wanted, kind: Kind) -> tuple[int, str]:  # noqa: ARG002 (checked here)
        """Have a block joined; return size and SHA-256 of the answer as Parquet.

        Parameters
        ----------
        wanted : Wanted
            Which block.
        kind : Kind
            Name of the list.

        Raises
        ------
        FetchError
            This attempt has failed.
        """
        asked = pq.ParquetFile(self._uploads).read_row_group(int(wanted.key))
        service = wanted.url.partition("#")[0]
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        answer = wanted.path.with_name(f"{wanted.path.name}.xml{PARTIAL}")
        try:
            rows, cut = pa.Table.from_batches([], self._schema), True
            if asked.num_rows <= self._settings.sync_rows:
                rows, cut = self._at_once(service, asked, answer)
            if cut:
                rows, cut = self._by_job(service, asked, answer)
        finally:
            answer.unlink(missing_ok=True)
        if cut:
            detail = f"the answer is cut at {rows.num_rows} rows; lower acquire.upload_rows"
            raise FetchError(Reason.NOT_WANTED, detail)
        known = pc.all(pc.is_in(rows[NUMBER], asked[NUMBER].combine_chunks())).as_py()
        if known is False:
            raise FetchError(Reason.CORRUPT, "rows that were not asked for")
        write_parquet(wanted.path, rows)
        return file_size(wanted.path), sha256_of(wanted.path)

    def _at_once(self, service: str, asked: pa.Table, answer: Path) -> tuple[pa.Table, bool]:
        fields, files = self._form(asked)
        with self._connection.post(f"{service}/sync", fields, files) as response:
            self._receive(response, answer)
        return read_rows(answer, self._schema)

    def _by_job(self, service: str, asked: pa.Table, answer: Path) -> tuple[pa.Table, bool]:
        fields, files = self._form(asked)
        with self._connection.post(
            f"{service}/async", {**fields, "PHASE": "RUN"}, files
        ) as response:
            job = response.url
        if "/async/" not in job:
            raise FetchError(Reason.NOT_WANTED, "the service begins no jobs (async)")
        try:
            self._wait(job)
            result = f"{job}/results/result"
            with self._connection.get(result, {}, private=False) as response:
                self._receive(response, answer)
        finally:
            self._connection.delete(job)
        return read_rows(answer, self._schema)

    def _form(self, asked: pa.Table) -> tuple[dict[str, str], dict[str, tuple[str, bytes, str]]]:
        fields = {
            "REQUEST": "doQuery", "LANG": "ADQL", "MAXREC": str(MAX_ROWS),
            "UPLOAD": f"{TABLE},param:{TABLE}", "QUERY": self._query,
        }  # fmt: skip
        upload = (f"{TABLE}.xml", as_votable(asked), "application/x-votable+xml")
        return fields, {TABLE: upload}

    def _wait(self, job: str) -> None:
        """Return when a job is complete."""
        end, wait_s = time.monotonic() + self._settings.job_timeout_s, _POLL_S
        while (phase := self._text(f"{job}/phase")) in _WAITING:
            if time.monotonic() > end:
                raise FetchError(Reason.TOO_SLOW, f"the job is {phase} still")
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, _POLL_MAX_S)
        if phase != "COMPLETED":
            said = self._text(f"{job}/error")
            raise FetchError(Reason.NOT_WANTED, f"the job ended as {phase}: {said}")

    def _text(self, url: str) -> str:
        parts: list[bytes] = []
        with self._connection.get(url, {}, private=False) as response:
            copy_body(response, parts.append, 1 << 20, self._settings)
        return " ".join(b"".join(parts).decode(errors="replace").split())[:_WORDS]

    def _receive(self, response: requests.Response, answer: Path) -> None:
        with answer.open("wb") as file:
            copy_body(response, file.write, _MAX_BYTES, self._settings)
