"""Which units of work are done: one line each, appended after the output was read back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.atomic import sync_folder
from pipeline.core.damage import Damage, Recorded, damage_of, damaged_json, sha256_of
from pipeline.core.records import (
    Appended,
    Record,
    records_by_unit,
    records_path,
    replace_records,
)


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
    """Done records of one step of a stage: the lines of ``ROOT/ledger/<step>.jsonl``.

    A record vouches for files, so it counts only as long as they are the ones that it was made
    for: it carries the digest of all inputs and settings, and the size and SHA-256 of each file.
    Before anything is written for other inputs, the records of all others are dropped. One process
    writes; of two lines for a unit the later one counts.

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
    def path(self) -> Path:
        """File of the records."""
        return records_path(self.root, self.step)

    def read(self, unit: int) -> Done | None:
        """Return the record of a unit; None where it is not done or a file of it is another.

        Files are compared by size; JSON, which is small and has no checksum inside, by content.

        Parameters
        ----------
        unit : int
            Number of the unit.
        """
        record = self._records().get(unit)
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
        record = self._records().get(unit)
        return None if record is None else recorded_files(self.root, record)

    def lost(self, units: Sequence[int]) -> Damage:
        """Say that units, which were done, have no records that count.

        Parameters
        ----------
        units : sequence of int
            Numbers of the units.
        """
        if not self.path.exists():
            return damaged_json(self.path)
        first = ", ".join(map(str, units[:3])) + (", ..." if len(units) > 3 else "")
        what = f"unit {first}" if len(units) == 1 else f"{len(units):,} units ({first})"
        return Damage(self.path, f"has no record that counts of {what}", keep=True)

    def record(self, unit: int, done: Done) -> Record:
        """Return the record of a unit; each file is read back for its digest.

        Parameters
        ----------
        unit : int
            Number of the unit.
        done : Done
            Counts and files.
        """
        outputs = {
            path.relative_to(self.root).as_posix(): (path.stat().st_size, sha256_of(path))
            for path in done.outputs
        }
        return {
            "unit": unit,
            "digest": self.digest,
            "counts": dict(done.counts),
            "outputs": outputs,
            "notes": done.notes,
            "table": done.table,
        }

    def appended(self) -> Appended:
        """Return the file of the records, to which one is appended when its unit is done."""
        return Appended(self.path)

    def write(self, unit: int, done: Done) -> None:
        """Mark one unit as done.

        Parameters
        ----------
        unit : int
            Number of the unit.
        done : Done
            Counts and files; each file is read back for its digest.
        """
        with self.appended() as records:
            records.append(self.record(unit, done))

    def pending(self, n_units: int) -> list[int]:
        """Return the units that are not done."""
        return [unit for unit in range(n_units) if self.read(unit) is None]

    def total(self, n_units: int) -> dict[str, int]:
        """Return the sum of the counts of all units that are done."""
        totals: dict[str, int] = {}
        records = self._records()
        for unit in range(n_units):
            for name, value in records[unit]["counts"].items() if unit in records else ():
                totals[name] = totals.get(name, 0) + value
        return totals

    def tidy(self) -> None:
        """Keep the last record of each unit, by number, and drop those of other inputs."""
        records = self._records()
        replace_records(self.path, (records[unit] for unit in sorted(records)))

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

    def _records(self) -> Mapping[int, Record]:
        return records_by_unit(self.path, self.digest)


def recorded_files(root: Path, record: Record) -> list[Recorded]:
    """Return the files that a record names.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    record : mapping of str to object
        As from `read_records`.
    """
    return [Recorded(root / name, *entry) for name, entry in record["outputs"].items()]
