"""Which units of work are done: one small record each, written after the output was verified."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.atomic import write_json


@dataclass(frozen=True)
class Ledger:
    """Done records of one stage below ``ROOT/ledger/<stage>/``.

    A record is worth something only for the inputs that it was made from: it carries their
    digest, and one with another digest counts as not done.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the records.
    digest : str
        Digest of all inputs and settings that the output depends on.
    """

    folder: Path
    digest: str

    def _path(self, unit: int) -> Path:
        return self.folder / f"{unit:06d}.json"

    def read(self, unit: int) -> dict[str, Any] | None:
        """Return the record of a unit, or None where it is not done for these inputs."""
        try:
            record: dict[str, Any] = json.loads(self._path(unit).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return record if record.get("digest") == self.digest else None

    def write(self, unit: int, counts: dict[str, int]) -> None:
        """Mark a unit as done."""
        write_json(self._path(unit), {"digest": self.digest, "unit": unit, "counts": counts})

    def pending(self, n_units: int) -> list[int]:
        """Return the units that are not done."""
        return [unit for unit in range(n_units) if self.read(unit) is None]

    def total(self, n_units: int) -> dict[str, int]:
        """Return the sum of the counts of all units that are done."""
        totals: dict[str, int] = {}
        for unit in range(n_units):
            record = self.read(unit)
            for name, value in (record or {"counts": {}})["counts"].items():
                totals[name] = totals.get(name, 0) + value
        return totals
