"""Files that are there whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.table import with_text_lengths

PARTIAL = ".partial"
"""Ending of files in the making; such a file of a killed run may be deleted."""
UNFINISHED = ".unfinished"
"""Ending of what a user asks for, in the making: it may lie in a root where a stage starts."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, flush it to disk, then give it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


@contextmanager
def whole(path: Path, ending: str = PARTIAL) -> Iterator[Path]:
    """Give the temporary name to write a file under; it gets its own once it is whole and on disk.

    For what a library writes piece by piece. After an error nothing is left of it.

    Parameters
    ----------
    path : pathlib.Path
        The file's own name.
    ending : str
        Of the temporary name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}{ending}")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk, so that what was deleted there stays deleted."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Any, *, sort_keys: bool = True) -> None:
    """Write indented JSON atomically, its keys sorted or in the order in which they come.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    content : object
        Anything that JSON can hold.
    sort_keys : bool
        Sort the keys.
    """
    write_bytes(path, (json.dumps(content, indent=1, sort_keys=sort_keys) + "\n").encode())


def write_parquet(
    path: Path,
    table: pa.Table,
    row_group_rows: int | None = None,
    *,
    dictionary: bool = True,
    edges: Sequence[int] = (),
) -> None:
    """Write one Parquet file atomically; the same table gives the same bytes.

    Numbers are never encoded by a dictionary, nor texts that hardly repeat: to find that out takes
    longer than all the rest of writing, and they are slower to read.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    table : pyarrow.Table
        What to write.
    row_group_rows : int, optional
        Most rows of a row group.
    dictionary : bool
        Encode repeated texts by a dictionary.
    edges : sequence of int
        Rows, rising, that begin a row group in any case.
    """
    sink = pa.BufferOutputStream()
    table = with_text_lengths(table)
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        use_dictionary=_repeated_texts(table) if dictionary else False,
        write_page_checksum=True,
    ) as writer:
        for first, last in pairwise(sorted({0, *edges, table.num_rows})):
            writer.write_table(table.slice(first, last - first), row_group_rows)
    write_bytes(path, sink.getvalue())


def _repeated_texts(table: pa.Table) -> list[str]:
    """Return the columns of texts of which each stands twice or more on average."""
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    return [name for name in texts if 2 * pc.count_distinct(table[name]).as_py() <= table.num_rows]


def sweep(folder: Path) -> int:
    """Delete what a killed run left half-written below a folder; return how many pieces."""
    leftovers = [
        path
        for path in folder.rglob(f"*{PARTIAL}")
        if not any(parent.suffix == UNFINISHED for parent in path.relative_to(folder).parents)
    ]
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return len(leftovers)
