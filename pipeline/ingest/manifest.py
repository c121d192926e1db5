"""The frozen list of files: which file is which row of which shard."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.atomic import write_parquet
from schemas.observations import MANIFEST

_ENDINGS = (".fits", ".fit", ".fits.gz", ".fit.gz", ".fits.fz")


class ManifestError(ValueError):
    """The folder of spectra is not what the manifest was made from."""


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
        """Return the files of one shard, in the order of their rows."""
        with pq.ParquetFile(self.path) as file:
            return file.read_row_group(number)


def scan(folder: Path) -> list[tuple[str, int]]:
    """Find all spectra below a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of LAMOST files in any depth.

    Returns
    -------
    list of (str, int)
        Path relative to the folder and size, sorted, so that one plan's files are neighbours.

    Raises
    ------
    ManifestError
        No such folder, or no file of a spectrum's name in it.
    """
    if not folder.is_dir():
        raise ManifestError(f"no folder of spectra at {folder}; give one by --spectra")
    found = sorted(_walk(str(folder), ""))
    if not found:
        raise ManifestError(f"{folder} holds no *.fits or *.fits.gz file, at any depth")
    return found


def _walk(base: str, prefix: str) -> Iterator[tuple[str, int]]:
    with os.scandir(os.path.join(base, prefix)) as entries:  # noqa: PTH118 (hot)
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if entry.is_dir():
                yield from _walk(base, f"{name}/")
            elif entry.name.lower().endswith(_ENDINGS) and not entry.name.startswith("."):
                # A dangling link has no size, but its row must not vanish.
                yield name, entry.stat().st_size if entry.is_file() else -1


def digest_files(files: list[tuple[str, int]], shard_rows: int) -> str:
    """Return the digest of a list of files and its cut into shards."""
    state = hashlib.sha256(f"{shard_rows}\n".encode())
    for name, size in files:
        state.update(f"{name}\t{size}\n".encode(errors="surrogateescape"))
    return state.hexdigest()[:16]


def freeze(path: Path, files: list[tuple[str, int]], shard_rows: int) -> Manifest:
    """Write the manifest, or find the one that was written before.

    Parameters
    ----------
    path : pathlib.Path
        Manifest file.
    files : list of (str, int)
        What :func:`scan` found.
    shard_rows : int
        Rows of a shard.

    Returns
    -------
    Manifest
        The frozen manifest.

    Raises
    ------
    ManifestError
        A manifest of other files or another cut is there already.
    """
    digest = digest_files(files, shard_rows)
    if path.exists():
        manifest = open_manifest(path)
        if manifest.digest != digest:
            raise ManifestError(_difference(manifest, files, shard_rows))
        return manifest
    rows = range(len(files))
    table = pa.Table.from_pydict(
        {
            "shard": [row // shard_rows for row in rows],
            "row": list(rows),
            "path": [name for name, _ in files],
            "size_bytes": [size for _, size in files],
        },
        schema=MANIFEST.schema,
    )
    notes = {"digest": digest, "shard_rows": str(shard_rows)}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **notes})
    write_parquet(path, table, row_group_rows=shard_rows)
    return open_manifest(path)


def open_manifest(path: Path) -> Manifest:
    """Open a manifest that was frozen before."""
    if not path.exists():
        raise ManifestError(f"no manifest at {path}; run `pairspec ingest` first")
    with pq.ParquetFile(path) as file:
        notes = file.schema_arrow.metadata
        return Manifest(
            path=path,
            digest=notes[b"digest"].decode(),
            n_files=file.metadata.num_rows,
            n_shards=file.metadata.num_row_groups,
            shard_rows=int(notes[b"shard_rows"]),
        )


def _difference(manifest: Manifest, files: list[tuple[str, int]], shard_rows: int) -> str:
    if manifest.shard_rows != shard_rows:
        return (
            f"{manifest.path} was cut into shards of {manifest.shard_rows} rows, the settings "
            f"say {shard_rows}; set ingest.shard_rows={manifest.shard_rows} or use another --root"
        )
    table = pq.read_table(manifest.path, columns=["path", "size_bytes"])
    frozen = dict(zip(table["path"].to_pylist(), table["size_bytes"].to_pylist(), strict=True))
    now = dict(files)
    new = len(now.keys() - frozen.keys())
    gone = len(frozen.keys() - now.keys())
    changed = sum(frozen.get(name, size) != size for name, size in files)
    return (
        f"the folder of spectra has changed since {manifest.path} was frozen: {new} new, "
        f"{gone} missing, {changed} of another size; use another --root for the new state, or "
        "--set ingest.frozen=true to go on with the files of the manifest"
    )
