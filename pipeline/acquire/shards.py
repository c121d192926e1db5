"""Files that become shards of the store as they come, in the order of a list."""

import json
from collections.abc import Iterator
from typing import Any

from pipeline.acquire.downloader import ServerError
from pipeline.acquire.journal import Outcome, Status
from pipeline.acquire.lamost_spectra import ARRIVING
from pipeline.acquire.plan import Plan
from pipeline.acquire.request import TO_STORE, Request
from pipeline.core.atomic import write_json
from pipeline.core.errors import InputError, MismatchError
from pipeline.core.ledger import Done, Ledger
from pipeline.core.root import Root
from pipeline.ingest.layout import layout_digest, store_notes
from pipeline.ingest.shard import IngestJob, ingest_places
from pipeline.store.manifest import freeze
from pipeline.store.store import describe_store, shard_files
from schemas.observations import HEADERS

_FORMAT = "lamost"


class Shards:
    """Writes shards of the files of a list; what is in one is deleted.

    The shards lie beside the list until all are there, and get their place in a run then.

    Parameters
    ----------
    plan : Plan
        The list, in the order in which `ingest` would find its files.
    request : Request
        Of it: ``ingest``, ``skip_failed``, ``settings.batch_rows``.
    """

    def __init__(self, plan: Plan, request: Request) -> None:
        self._plan, self._request, self._ingest = plan, request, request.ingest
        self._own = Root((plan.folder / "shards").resolve())
        self._counts: list[dict[str, int]] = []
        self._waiting: list[dict[str, Any]] = []
        self._end = 0
        rows = (self._ingest.shard_rows, self._ingest.chunk_rows)
        self._ledger = Ledger(self._own.path, "arrived", f"{plan.folder.name} {rows}")
        self._complete = self._own.path / "complete.json"
        if self.complete:
            self._counts = json.loads(self._complete.read_bytes())
            self._end = plan.n_files
        while not self.complete and (done := self._ledger.read(len(self._counts))) is not None:
            self._counts.append({name: n for name, n in done.counts.items() if name != "end"})
            self._end = done.counts["end"]

    @property
    def complete(self) -> bool:
        """Whether all shards are written."""
        return self._complete.exists()

    def has(self, batch: int, row: int) -> bool:
        """Whether a file is in a shard that was written.

        Parameters
        ----------
        batch, row : int
            Place in the list.
        """
        return self._place(batch, row) < self._end

    def take(self, plan: Plan, batch: int) -> None:
        """Write the shards that the files of a batch fill.

        Parameters
        ----------
        plan : Plan
            The list.
        batch : int
            Number of the batch, all of whose files have an outcome.

        Raises
        ------
        ServerError
            Files failed, and are not to be left out.
        """
        outcomes = plan.journal(batch).read()
        todo = {row: found for row, found in outcomes.items() if not self.has(batch, row)}
        failed = [found for found in todo.values() if found.status is Status.FAILED]
        if failed and not self._request.skip_failed:
            raise ServerError(
                f"{len(failed)} files could not be had yet, the first one for "
                f"{failed[0].reason}; run the same command again: it goes on, with --skip-failed "
                "without them"
            )
        for row, wanted in enumerate(plan.wanted(batch)):
            if row not in todo:
                wanted.path.unlink(missing_ok=True)  # left by a run that was killed
            elif _is_there(todo[row]):
                name = wanted.path.relative_to(plan.out / ARRIVING).as_posix()
                self._waiting.append({"path": name, "size_bytes": todo[row].n_bytes})
                if len(self._waiting) == self._ingest.shard_rows:
                    self._write(self._place(batch, row) + 1)

    def finish(self) -> None:
        """Write the last shard, which need not be full.

        Raises
        ------
        InputError
            There is not one file.
        """
        if self._waiting:
            self._write(self._plan.n_files)
        if not self._counts:
            raise InputError(f"no spectrum could be had; {self._plan.folder} says why")
        arriving = self._plan.out / ARRIVING
        for folder in sorted((p for p in arriving.rglob("*") if p.is_dir()), reverse=True):
            folder.rmdir()
        write_json(self._complete, self._counts)

    def adopt(self, root: Root) -> None:
        """Give the shards their place in a run, with manifest and records as of `ingest`.

        Parameters
        ----------
        root : Root
            The run.

        Raises
        ------
        MismatchError
            The shards do not hold the files of the list.
        """
        manifest = freeze(self._own.manifest, self._files, self._ingest.shard_rows)
        if manifest.n_files != sum(counts["files"] for counts in self._counts):
            raise MismatchError(
                f"the shards in {self._own.path} do not hold the files that were fetched; delete "
                f"{self._plan.folder} and run the same command again"
            )
        if self._own.store.exists():
            self._describe(manifest.n_shards, manifest.digest)
            root.path.mkdir(parents=True, exist_ok=True)
            self._own.store.replace(root.store)
        headers = self._own.table(HEADERS)
        if headers.exists():
            root.table(HEADERS).parent.mkdir(parents=True, exist_ok=True)
            headers.replace(root.table(HEADERS))
        ledger = Ledger(root.path, "ingest", layout_digest(manifest, _FORMAT, self._ingest))
        with ledger.appended() as records:
            for shard, counts in enumerate(self._counts):
                files = (root.part(HEADERS, shard), *shard_files(root.store, shard))
                records.append(ledger.record(shard, Done(counts, files)))
        ledger.tidy()
        layout = {"shard_rows": self._ingest.shard_rows, "chunk_rows": self._ingest.chunk_rows}
        write_json(self._plan.folder.parent.parent / TO_STORE, layout)
        manifest.path.replace(root.manifest)

    def _write(self, end: int) -> None:
        """Write a shard of the files that wait; they reach to a place of the list."""
        if not self._own.store.exists():
            # How many shards there will be is known at the end: not more than these.
            self._describe(-(-self._plan.n_files // self._ingest.shard_rows), self._ledger.digest)
        shard, arriving = len(self._counts), self._plan.out / ARRIVING
        first = shard * self._ingest.shard_rows
        places = [{"shard": shard, "row": first + i} | file for i, file in enumerate(self._waiting)]
        job = IngestJob(self._own, arriving.resolve(), _FORMAT, self._ingest)
        done = ingest_places(shard, places, self._ingest.shard_rows, job)
        self._ledger.write(shard, Done({**done.counts, "end": end}, done.outputs))
        for place in places:
            (arriving / place["path"]).unlink()
        self._counts.append(dict(done.counts))
        self._end, self._waiting = end, []

    def _describe(self, n_shards: int, digest: str) -> None:
        rows = self._ingest.shard_rows, self._ingest.chunk_rows
        notes = store_notes(_FORMAT, self._ingest)
        describe_store(self._own.store, n_shards, *rows, digest, notes)

    def _files(self) -> Iterator[tuple[str, int]]:
        for wanted, outcome in self._plan.outcomes():
            if outcome is not None and _is_there(outcome):
                name = wanted.path.relative_to(self._plan.out / ARRIVING).as_posix()
                yield name, outcome.n_bytes

    def _place(self, batch: int, row: int) -> int:
        return batch * self._request.settings.batch_rows + row


def _is_there(outcome: Outcome) -> bool:
    return outcome.status in (Status.FETCHED, Status.PRESENT)
