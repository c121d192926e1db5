"""Which units of work are done: one small record each, written after the output was read back."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.core.atomic import sync_folder, write_json

_FIELDS = {"digest", "counts", "outputs", "notes", "table"}


@dataclass(frozen=True)
class Done:
    """What one unit of work leaves.

    Parameters
    ----------
    counts : mapping of str to int
        What was done.
    outputs : iterable of pathlib.Path
        Files that were written.
    notes, table : tuple of str
        What the stage prints of it.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    outputs: Iterable[Path] = ()
    notes: tuple[str, ...] = ()
    table: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ledger:
    """Done records of one step of a stage below ``ROOT/ledger/<step>/``.

    A record vouches for files, so it counts only as long as they are the ones that it was made
    for: it carries the digest of all inputs and settings, and the size and SHA-256 of each file.
    Before anything is written for other inputs, the records of all others are dropped.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    step : str
        Name of the step.
    digest : str
        Digest of all inputs and settings that the output depends on.
    """

    root: Path
    step: str
    digest: str

    @property
    def folder(self) -> Path:
        """Folder of the records."""
        return self.root / "ledger" / self.step

    def read(self, unit: int) -> Done | None:
        """Return the record of a unit; None where it is not done or a file of it has changed size.

        Parameters
        ----------
        unit : int
            Number of the unit.
        """
        record = self._record(unit)
        if record is None:
            return None
        outputs = {self.root / name: size for name, (size, _) in record["outputs"].items()}
        if any(file_size(path) != size for path, size in outputs.items()):
            return None
        notes, table = tuple(record["notes"]), tuple(record["table"])
        return Done(record["counts"], tuple(outputs), notes, table)

    def write(self, unit: int, done: Done) -> None:
        """Mark a unit as done.

        Parameters
        ----------
        unit : int
            Number of the unit.
        done : Done
            Counts and files; each file is read back for its digest.
        """
        outputs = {
            path.relative_to(self.root).as_posix(): (path.stat().st_size, sha256_of(path))
            for path in done.outputs
        }
        content = {
            "digest": self.digest,
            "unit": unit,
            "counts": dict(done.counts),
            "outputs": outputs,
            "notes": done.notes,
            "table": done.table,
        }
        # Counts are printed in the order in which they were given.
        write_json(self._path(unit), content, sort_keys=False)

    def pending(self, n_units: int) -> list[int]:
        """Return the units that are not done."""
        return [unit for unit in range(n_units) if self.read(unit) is None]

    def total(self, n_units: int) -> dict[str, int]:
        """Return the sum of the counts of all units that are done."""
        totals: dict[str, int] = {}
        for unit in range(n_units):
            record = self._record(unit)
            for name, value in (record["counts"] if record else {}).items():
                totals[name] = totals.get(name, 0) + value
        return totals

    def drop_others(self) -> None:
        """Delete all records of other inputs, before their files are overwritten."""
        if not self.folder.is_dir():
            return
        for path in self.folder.glob("*.json"):
            if (_load(path) or {}).get("digest") != self.digest:
                path.unlink(missing_ok=True)
        sync_folder(self.folder)

    def _path(self, unit: int) -> Path:
        return self.folder / f"{unit:06d}.json"

    def _record(self, unit: int) -> dict[str, Any] | None:
        record = _load(self._path(unit))
        return record if record is not None and record["digest"] == self.digest else None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_size(path: Path) -> int:
    """Return the size of a file in bytes, -1 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def _load(path: Path) -> dict[str, Any] | None:
    """Return a record; None where there is none, or what is there is none."""
    try:
        record = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return record if isinstance(record, dict) and record.keys() >= _FIELDS else None
