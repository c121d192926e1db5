"""Which units of work are done: one small record each, written after the output was read back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.core.atomic import sync_folder
from pipeline.core.damage import Damage, Recorded, damage_of, sha256_of
from pipeline.core.sealed import read_sealed, write_sealed

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
        """Return the record of a unit; None where it is not done or a file of it is another.

        Files are compared by size; JSON, which is small and has no checksum inside, by content.

        Parameters
        ----------
        unit : int
            Number of the unit.
        """
        record = self._record(unit)
        if record is None:
            return None
        files = recorded_files(self.root, record)
        if any(damage_of(file, content=file.path.suffix == ".json") for file in files):
            return None
        notes, table = tuple(record["notes"]), tuple(record["table"])
        return Done(record["counts"], tuple(file.path for file in files), notes, table)

    def files(self, unit: int) -> list[Recorded] | None:
        """Return the files of a unit as its record names them; None where it is not done.

        Parameters
        ----------
        unit : int
            Number of the unit.
        """
        record = self._record(unit)
        return None if record is None else recorded_files(self.root, record)

    def lost_record(self, unit: int) -> Damage:
        """Say that a unit, which was done, has no record that counts.

        Parameters
        ----------
        unit : int
            Number of the unit.
        """
        return damaged_json(self._path(unit))

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
        write_sealed(self._path(unit), content)

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
            if (read_record(path) or {}).get("digest") != self.digest:
                path.unlink(missing_ok=True)
        sync_folder(self.folder)

    def drop_strays(self, n_units: int, folders: Iterable[Path]) -> None:
        """Delete the Parquet files of folders that no unit's record names.

        Their rows would be read beside those of files with other names.

        Parameters
        ----------
        n_units : int
            Units are numbered from 0.
        folders : iterable of pathlib.Path
            Folders that hold files of this step alone.
        """
        named = {file.path for unit in range(n_units) for file in self.files(unit) or ()}
        for folder in folders:
            strays = [path for path in folder.glob("*.parquet") if path not in named]
            for path in strays:
                path.unlink(missing_ok=True)
            if strays:
                sync_folder(folder)

    def _path(self, unit: int) -> Path:
        return self.folder / f"{unit:06d}.json"

    def _record(self, unit: int) -> dict[str, Any] | None:
        record = read_record(self._path(unit))
        return record if record is not None and record["digest"] == self.digest else None


def recorded_files(root: Path, record: Mapping[str, Any]) -> list[Recorded]:
    """Return the files that a record names.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    record : mapping of str to object
        As from `read_record`.
    """
    return [Recorded(root / name, *entry) for name, entry in record["outputs"].items()]


def read_record(path: Path) -> dict[str, Any] | None:
    """Return a record; None where there is none, or what is there is none or was edited.

    Parameters
    ----------
    path : pathlib.Path
        File of the record.
    """
    record = read_sealed(path)
    return record if record is not None and record.keys() >= _FIELDS else None


def damaged_json(path: Path) -> Damage:
    """Say what is wrong with a file of the ledger that cannot be believed.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """
    if path.exists():
        return Damage(path, "is damaged: its content does not fit its own digest")
    return Damage(path, "is missing", missing=True)
