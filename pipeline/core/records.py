"""The file of the records of a step: one line of sealed JSON each, in ``ROOT/ledger``."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.core.atomic import sync_folder, write_bytes
from pipeline.core.lines import AppendedLines
from pipeline.core.sealed import sealed_line, unsealed

_FIELDS = {"unit", "digest", "counts", "outputs", "notes", "table"}
_SYNC_S = 1.0
"""Records reach the disk at least this often; what a crash of the machine takes is done again."""

Record = Mapping[str, Any]


class Records(NamedTuple):
    """What a file of records holds.

    Parameters
    ----------
    records : tuple of mapping
        Its records, in the order of the lines.
    damaged : tuple of int
        Numbers, from 1, of the lines that are none, or that were edited.
    """

    records: tuple[Record, ...] = ()
    damaged: tuple[int, ...] = ()


def records_path(root: Path, step: str) -> Path:
    """Return the file of the records of a step.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    step : str
        Name of the step.
    """
    return root / "ledger" / f"{step}.jsonl"


def read_records(path: Path) -> Records:
    """Read all records of a file, empty where there is none; an unchanged file is read once.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """
    state = _stamp(path)
    return Records() if state is None else _read(path, state)


def records_by_unit(path: Path, digest: str) -> Mapping[int, Record]:
    """Return the last record of each unit that was made for certain inputs.

    Parameters
    ----------
    path : pathlib.Path
        File of the records.
    digest : str
        Digest of the inputs.
    """
    state = _stamp(path)
    return {} if state is None else _by_unit(path, state, digest)


class Appended(AppendedLines):
    """A file of records that grows.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SYNC_S)

    def append(self, record: Record) -> None:
        """Add a record.

        Parameters
        ----------
        record : mapping of str to object
            What stands in it.
        """
        self.write(sealed_line(record))


def replace_records(path: Path, records: Iterable[Record]) -> None:
    """Let a file hold certain records alone; without any it is deleted.

    Parameters
    ----------
    path : pathlib.Path
        File of the records.
    records : iterable of mapping
        In the order of the lines.
    """
    content = b"".join(map(sealed_line, records))
    if not path.exists() or path.read_bytes() == content:
        return
    if content:
        write_bytes(path, content)
    else:
        path.unlink()
    sync_folder(path.parent)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file does; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=32)
def _read(path: Path, _state: tuple[int, int, int]) -> Records:
    found = [_record(line) for line in path.read_bytes().splitlines()]
    records = tuple(record for record in found if record is not None)
    return Records(records, tuple(i for i, record in enumerate(found, 1) if record is None))


@lru_cache(maxsize=32)
def _by_unit(path: Path, state: tuple[int, int, int], digest: str) -> dict[int, Record]:
    records = _read(path, state).records
    return {record["unit"]: record for record in records if record["digest"] == digest}


def _record(line: bytes) -> Record | None:
    record = unsealed(line)
    return record if record is not None and record.keys() >= _FIELDS else None
