"""Files that no record names but that carry checksums of their own."""

from collections.abc import Iterator, Set
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.damage import Damage
from pipeline.network.checkpoint import CheckpointError
from pipeline.network.state import parse_state, state_files
from pipeline.verify.check import Check

_WORK = ("catalogues", "crossmatch")
"""Folders of the photometry's catalogues and pairs."""


def unrecorded_checks(root: Path, known: Set[Path]) -> Iterator[Check]:
    """Yield a check for every training state and every Parquet file of the cross-match.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    known : set of pathlib.Path
        Files that a record names.

    Yields
    ------
    Check
        All of them may be missing.
    """
    for folder in sorted((root / "training").glob("*")):
        for path in state_files(folder):
            yield Check(path, "train", partial(_look_at_state, path), interim=True)
    for name in _WORK:
        for path in sorted((root / name).rglob("*.parquet")):
            if path not in known:
                look = partial(_look_at_pages, path, _collection(path, root / name))
                yield Check(path, "photometry", look, interim=True)


def _look_at_state(path: Path) -> Damage | None:
    try:
        parse_state(path.read_bytes(), path)
    except CheckpointError:
        return Damage(path, "is damaged: its content does not fit its own digest")
    return None


def _collection(path: Path, folder: Path) -> Path:
    """Return what has to be deleted: the whole HATS collection, or the file itself."""
    first = folder / path.relative_to(folder).parts[0]
    return first if (first / "collection.properties").is_file() else path


def _look_at_pages(path: Path, whole: Path) -> Damage | None:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for _ in file.iter_batches():
                pass
    except (OSError, pa.ArrowException) as error:
        inside = "" if whole == path else f" in {path.relative_to(whole)}"
        return Damage(whole, f"is damaged{inside} ({' '.join(str(error).split())})")
    return None
