"""The frozen list of files: which file is which row of which shard."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import PARTIAL
from pipeline.core.damage import Damage
from pipeline.core.errors import InputError
from pipeline.store.tree import LeftOut, Tree
from pipeline.tables.literal import parquet_files
from schemas.observations import MANIFEST

_CHANGES = """
    SELECT count(*) FILTER (old.path IS NULL), count(*) FILTER (new.path IS NULL),
           count(*) FILTER (old.size_bytes <> new.size_bytes)
    FROM read_parquet($old, hive_partitioning = false) AS old
    FULL JOIN read_parquet($new, hive_partitioning = false) AS new ON old.path = new.path
"""


@dataclass(frozen=True)
class Manifest:
    """A manifest on disk.

    Parameters
    ----------
    path : pathlib.Path
        Parquet file, one row group a shard.
    digest : str
        SHA-256 (16 hex digits) over names, sizes and the cut into shards.
    n_files, n_shards, shard_rows : int
        Files, shards, and rows of the store that a shard has.
    """

    path: Path
    digest: str
    n_files: int
    n_shards: int
    shard_rows: int

    def shard(self, number: int) -> pa.Table:
        """Return the files of one shard, in the order of their rows.

        Raises
        ------
        InputError
            The manifest is damaged.
        """
        try:
            with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
                return file.read_row_group(number)
        except (OSError, pa.ArrowException) as error:
            raise InputError(_damaged(self.path, error)) from None


def scan(folder: Path, left_out: LeftOut | None = None) -> Iterator[tuple[str, int]]:
    """Find all spectra below a folder, one folder after the other, so that memory stays small.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of spectra in any depth. Links are followed; no folder is entered twice.
    left_out : LeftOut, optional
        What names are taken, and where to count the others.

    Yields
    ------
    str, int
        Path relative to the folder, as :func:`~pipeline.store.file_names.name_as_text` writes
        it, and size; sorted within each folder, so that one plan's files are neighbours.

    Raises
    ------
    InputError
        There is no such folder.
    ValueError
        A folder below it cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"no folder of spectra at {folder}; give one by --spectra")
    yield from Tree(folder, LeftOut() if left_out is None else left_out).files()


def freeze(path: Path, files: Callable[[], Iterable[tuple[str, int]]], shard_rows: int) -> Manifest:
    """Write the manifest, or find the one that was written before.

    Parameters
    ----------
    path : pathlib.Path
        Manifest file.
    files : callable
        Gives name and size of every file, as :func:`scan`; held one shard at a time. It is called
        again only where they differ from the manifest, to say how.
    shard_rows : int
        Rows of a shard.

    Returns
    -------
    Manifest
        The frozen manifest.

    Raises
    ------
    InputError
        There are no files, or a manifest of other files or another cut is there already.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(partial, files(), shard_rows)
            partial.rename(path)
            return open_manifest(path)
        manifest = open_manifest(path)
        if manifest.shard_rows != shard_rows:
            raise InputError(
                f"{path} was cut into shards of {manifest.shard_rows} rows, the settings say "
                f"{shard_rows}; set ingest.shard_rows={manifest.shard_rows} or use another --root"
            )
        if str(_Digest(shard_rows).add(files())) != manifest.digest:
            _write(partial, files(), shard_rows)
            raise InputError(_difference(path, partial))
        return manifest
    finally:
        if partial.exists():
            partial.unlink()


class _Digest:
    """SHA-256 (16 hex digits) over names, sizes and the cut into shards."""

    def __init__(self, shard_rows: int) -> None:
        self._state = hashlib.sha256(f"{shard_rows}\n".encode())

    def add(self, files: Iterable[tuple[str, int]]) -> "_Digest":
        for name, size_bytes in files:
            self._state.update(f"{name}\t{size_bytes}\n".encode())
        return self

    def __str__(self) -> str:
        return self._state.hexdigest()[:16]


def _write(path: Path, files: Iterable[tuple[str, int]], shard_rows: int) -> None:
    digest = _Digest(shard_rows)
    pending = iter(files)
    with pq.ParquetWriter(
        path, MANIFEST.schema, compression="zstd", write_page_checksum=True
    ) as writer:
        shard = 0
        while rows := list(islice(pending, shard_rows)):
            digest.add(rows)
            first = shard * shard_rows
            columns = {
                "shard": [shard] * len(rows),
                "row": list(range(first, first + len(rows))),
                "path": [name for name, _ in rows],
                "size_bytes": [size for _, size in rows],
            }
            writer.write_table(pa.Table.from_pydict(columns, schema=MANIFEST.schema))
            shard += 1
        writer.add_key_value_metadata({"digest": str(digest), "shard_rows": str(shard_rows)})
    if shard == 0:
        raise InputError("the folder of spectra holds no file of its format, at any depth")


def open_manifest(path: Path) -> Manifest:
    """Open a manifest that was frozen before.

    Raises
    ------
    InputError
        There is none, or it is damaged.
    """
    if not path.exists():
        raise InputError(f"no manifest at {path}; run `pairspec ingest` first")
    try:
        with pq.ParquetFile(path) as file:
            notes = file.metadata.metadata
            return Manifest(
                path=path,
                digest=notes[b"digest"].decode(),
                n_files=file.metadata.num_rows,
                n_shards=file.metadata.num_row_groups,
                shard_rows=int(notes[b"shard_rows"]),
            )
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise InputError(_damaged(path, error)) from None


def _damaged(path: Path, error: Exception) -> str:
    return Damage(path, f"is damaged ({error})").line("pairspec ingest")


def _difference(path: Path, found: Path) -> str:
    files = {"old": parquet_files(path), "new": parquet_files(found)}
    with duckdb.connect() as db:
        counts = db.execute(_CHANGES, files).fetchone()
    new, gone, changed = counts or (0, 0, 0)
    return (
        f"the folder of spectra has changed since {path} was frozen: {new} new, "
        f"{gone} missing, {changed} of another size; use another --root for the new state, or "
        "--set ingest.frozen=true to go on with the files of the manifest"
    )
