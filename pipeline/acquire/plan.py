"""What is to be fetched: a list that is frozen before the first request."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.acquire.journal import Journal, Outcome
from pipeline.acquire.transfer import Wanted
from pipeline.core.atomic import PARTIAL, whole
from pipeline.core.digest import digest_of

LEDGER = "ledger"
_RESULT_ROWS = 2048
"""Rows of results that are held together: more would let memory grow with the list."""
_SCHEMA = pa.schema([(name, pa.string()) for name in ("key", "url", "path")])
_RESULTS = pa.schema(
    [
        ("key", pa.string()),
        ("path", pa.string()),
        ("status", pa.string()),
        ("n_bytes", pa.int64()),
        ("sha256", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("attempts", pa.int32()),
    ]
)

_RESULT_OPTIONS = {"compression": "zstd", "use_dictionary": ["status", "reason", "detail"]}
"""Dictionaries of keys, paths and digests, which never repeat, would only take memory."""


@dataclass(frozen=True)
class Plan:
    """A frozen list of files, in batches, and what became of each.

    Parameters
    ----------
    out : pathlib.Path
        Folder that the files go to.
    folder : pathlib.Path
        Folder of the list and its ledger.
    n_files, n_batches : int
        How many.
    """

    out: Path
    folder: Path
    n_files: int
    n_batches: int

    def wanted(self, batch: int) -> list[Wanted]:
        """Return the files of a batch."""
        table = pq.ParquetFile(self.folder / "plan.parquet").read_row_group(batch)
        columns = (table[name].to_pylist() for name in _SCHEMA.names)
        return [Wanted(key, url, self.out / path) for key, url, path in zip(*columns, strict=True)]

    def journal(self, batch: int) -> Journal:
        """Return the ledger of a batch."""
        return Journal(self.folder / f"{batch:06d}.jsonl")

    def outcomes(self) -> Iterator[tuple[Wanted, Outcome | None]]:
        """Yield what became of each file, a batch in memory at a time."""
        for batch in range(self.n_batches):
            known = self.journal(batch).read()
            for row, wanted in enumerate(self.wanted(batch)):
                yield wanted, known.get(row)

    def write_results(self) -> Path:
        """Write one row per file as Parquet, with the reason of each that is not there."""
        path = self.folder / "results.parquet"
        with (
            whole(path) as partial,
            pq.ParquetWriter(partial, _RESULTS, **_RESULT_OPTIONS) as writer,
        ):
            rows = map(self._row, self.outcomes())
            while block := list(islice(rows, _RESULT_ROWS)):
                columns = zip(*block, strict=True)
                arrays = [pa.array(c, f.type) for c, f in zip(columns, _RESULTS, strict=True)]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=_RESULTS))
        return path

    def _row(self, entry: tuple[Wanted, Outcome | None]) -> tuple[str | int | None, ...]:
        wanted, outcome = entry
        place = wanted.path.relative_to(self.out).as_posix()
        if outcome is None:
            return wanted.key, place, "pending", *[None] * (len(_RESULTS) - 3)
        held = (getattr(outcome, name) for name in _RESULTS.names[3:])
        return wanted.key, place, outcome.status.value, *held


def freeze(out: Path, name: str, wanted: Iterable[Wanted], batch_rows: int) -> Plan:
    """Write the list of what is to be fetched, unless the very same list is there.

    Parameters
    ----------
    out : pathlib.Path
        Folder that the files go to.
    name : str
        Name of the list.
    wanted : iterable of Wanted
        The files, in the order in which they are asked for.
    batch_rows : int
        Files of a batch.

    Returns
    -------
    Plan
        Each list has a ledger of its own; the digest of the list is part of its name.
    """
    top = out / LEDGER / name
    top.mkdir(parents=True, exist_ok=True)
    partial = top / f"plan.parquet{PARTIAL}"
    n_files, digests = 0, []
    rows = iter(wanted)
    with pq.ParquetWriter(partial, _SCHEMA, compression="zstd") as writer:
        while batch := list(islice(rows, batch_rows)):
            lines = [(w.key, w.url, w.path.relative_to(out).as_posix()) for w in batch]
            table = pa.table(
                dict(zip(_SCHEMA.names, zip(*lines, strict=True), strict=True)), _SCHEMA
            )
            writer.write_table(table, row_group_size=batch_rows)
            n_files += len(batch)
            digests.append(digest_of(lines))
    folder = top / digest_of(digests, batch_rows)
    folder.mkdir(exist_ok=True)
    partial.replace(folder / "plan.parquet")
    return Plan(out, folder, n_files, len(digests))
