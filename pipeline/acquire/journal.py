"""The ledger of downloads: one line per file, appended as it is done."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pipeline.core.lines import AppendedLines


class Status(StrEnum):
    """What became of a file."""

    FETCHED = "fetched"
    PRESENT = "present"
    """It was there already, and is sound."""
    REFUSED = "refused"
    """It cannot be had; not asked for again unless wanted."""
    FAILED = "failed"
    """It could not be had in this run; the next one tries again."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Parameters
    ----------
    row : int
        Place in the batch.
    status : Status
        What became of it.
    n_bytes : int
        Size of the file, 0 where there is none.
    sha256 : str
        Of the file; empty where there is none.
    reason, detail : str
        Why there is none.
    attempts : int
        How often it was asked for in this run.
    """

    row: int
    status: Status
    n_bytes: int = 0
    sha256: str = ""
    reason: str = ""
    detail: str = ""
    attempts: int = 0


class Journal(AppendedLines):
    """The outcomes of one batch, in a file that is only appended to.

    Of several lines about a file the last one counts. A line that a kill has cut short is none.

    Parameters
    ----------
    path : pathlib.Path
        File of JSON lines.
    """

    def read(self) -> dict[int, Outcome]:
        """Return the outcome of each row that has one."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        outcomes = {}
        for line in lines:
            outcome = _parse(line)
            if outcome is not None:
                outcomes[outcome.row] = outcome
        return outcomes

    def append(self, outcome: Outcome) -> None:
        """Write down what became of a file."""
        self.write(json.dumps(asdict(outcome)).encode() + b"\n")


def _parse(line: bytes) -> Outcome | None:
    try:
        found: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, Mapping):
        return None
    try:
        return Outcome(**{**found, "status": Status(found["status"])})
    except (KeyError, TypeError, ValueError):
        return None
