"""Files that no record names but that carry checksums of their own."""

from collections.abc import Iterator, Set
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.damage import Damage
from pipeline.network.card import CheckpointError
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
                yield Check(path, "photometry", partial(_look_at_pages, path), interim=True)


def _look_at_state(path: Path) -> Damage | None:
    try:
        parse_state(path.read_bytes(), path)
    except CheckpointError:
        return Damage(path, "is damaged: its content does not fit its own digest")
    return None


def _look_at_pages(path: Path) -> Damage | None:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for _ in file.iter_batches():
                pass
    except (OSError, pa.ArrowException) as error:
        return Damage(path, f"is damaged ({' '.join(str(error).split())})")
    return None
