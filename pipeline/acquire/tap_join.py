"""The rows of a service's table that belong to our positions or ids: joined there, in blocks."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.acquire.downloader import Downloader, summarise
from pipeline.acquire.joined import distinct, is_made_from, together, write_batches, write_without
from pipeline.acquire.plan import LEDGER, freeze
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.request import CATALOGUES, Outcomes, Request, forecast, shown
from pipeline.acquire.transfer import Kind, Wanted
from pipeline.acquire.upload_transfer import UploadTransfer
from pipeline.acquire.uploads import NUMBER, freeze_uploads
from pipeline.core.digest import digest_of
from pipeline.core.errors import InputError
from pipeline.tables.database import database


@dataclass(frozen=True)
class Join:
    """A join of what is asked for with a table of a TAP service.

    Parameters
    ----------
    name : str
        Name of our table.
    service : str
        Address of the service.
    query : str
        ADQL; its answer has ``upload_row`` and the columns of ``schema``.
    schema : pyarrow.Schema
        Columns of our table; the first one tells its rows apart.
    uploaded : tuple of str
        Columns of what is asked for that are uploaded.
    """

    name: str
    service: str
    query: str
    schema: pa.Schema
    uploaded: tuple[str, ...]

    @property
    def answer(self) -> pa.Schema:
        """Columns of the answer."""
        return self.schema.insert(0, pa.field(NUMBER, pa.int64()))


def acquire_join(
    request: Request, join: Join, asked: Iterable[pa.RecordBatch], asked_schema: pa.Schema
) -> Outcomes:
    """Upload what is asked for in blocks, and write the rows that the service joins with it.

    A block is there whole or not at all, and is not asked for again. What has no row is named in
    ``without.parquet`` beside the ledger.

    Parameters
    ----------
    request : Request
        Where to.
    join : Join
        With what, and how.
    asked : iterable of pyarrow.RecordBatch
        What is asked for; a row that lacks what is uploaded is not uploaded.
    asked_schema : pyarrow.Schema
        Its columns.

    Raises
    ------
    InputError
        Nothing is asked for.
    """
    settings, name = request.settings, f"{join.name}-tap"
    folder = request.out / LEDGER / name
    listed, uploads, blocks = (
        folder / "asked.parquet",
        folder / "uploads.parquet",
        folder / "blocks",
    )
    write_batches(listed, asked, asked_schema)
    with database(request.scratch()) as db:
        digests = freeze_uploads(uploads, distinct(db, listed, join.uploaded), settings.upload_rows)
    if not digests:
        raise InputError(f"{join.name}: no row of what is asked for has {', '.join(join.uploaded)}")

    def wanted() -> Iterator[Wanted]:
        for number, digest in enumerate(digests):
            whole = digest_of(join.service, join.query, digest)
            yield Wanted(str(number), f"{join.service}#{whole}", blocks / f"{whole}.parquet")

    plan = freeze(request.out, name, wanted(), settings.batch_rows)
    table, without = (
        request.out / CATALOGUES / f"{join.name}.parquet",
        plan.folder / "without.parquet",
    )
    is_done = is_made_from(table, plan.folder.name)
    downloader = Downloader(settings, again=request.again)
    if request.dry_run:
        return forecast(plan, 0 if is_done else downloader.pending(plan), settings.rate_per_s, None)
    if not is_done:
        transfer = UploadTransfer(downloader.connection, settings, uploads, join.query, join.answer)
        downloader.transfer = transfer
        outcomes = shown(plan, downloader.run(plan, Kind(name, _Check(join.answer))))
        if outcomes.n_missing:
            outcomes.n_failed = outcomes.n_missing
            outcomes.lines.append(
                f"  note: {table} is written once every block is there; run the same command "
                "again, with --again if a block was refused"
            )
            return outcomes
        files = [wanted.path for wanted, _ in plan.outcomes()]
        with database(request.scratch()) as db:
            write_without(db, without, listed, uploads, files, join.uploaded)
            rows = together(db, files, join.schema.names)
            write_batches(table, rows, join.schema, plan.folder.name)
    shutil.rmtree(blocks, ignore_errors=True)
    outcomes = shown(plan, summarise(plan))
    outcomes.lines += [
        f"  asked for             {_n_rows(listed):>12,}",
        f"    without a row       {_n_rows(without):>12,}   -> {without}",
        f"  rows                  {_n_rows(table):>12,}",
        f"  -> {table}",
    ]
    return outcomes


def _n_rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


class _Check:
    """A block is Parquet that has the columns of the answer; its name says which block it is.

    Parameters
    ----------
    schema : pyarrow.Schema
        Columns of the answer.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema

    def __call__(self, path: Path, _: str) -> None:
        try:
            held = pq.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise FetchError(Reason.CORRUPT, f"no Parquet: {error}") from None
        if not held.equals(self._schema):
            raise FetchError(Reason.CORRUPT, f"columns {', '.join(held.names)}")
