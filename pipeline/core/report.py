"""What every stage gives back: counts and where the output lies, never arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class StageReport:
    """Outcome of one stage.

    Parameters
    ----------
    stage : str
        Name of the stage.
    counts : mapping of str to int
        What was done, in the order in which it is printed.
    notes : tuple of str
        Things a user should know: duplicates, refused files, missing columns.
    outputs : tuple of pathlib.Path
        What was written or found complete.
    table : tuple of str
        Lines of a table that is printed as it is.
    idle : bool
        Everything was complete already; nothing was computed or written.
    """

    stage: str
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    outputs: tuple[Path, ...] = ()
    table: tuple[str, ...] = ()
    idle: bool = field(default=False, compare=False)

    def lines(self) -> list[str]:
        """Return the report as plain lines."""
        width = max((len(name) for name in self.counts), default=0)
        counts = [f"  {name:<{width}}  {value:>12,}" for name, value in self.counts.items()]
        notes = [f"  note: {note}" for note in self.notes]
        outputs = [f"  -> {path}" for path in self.outputs]
        table = [f"  {line}".rstrip() for line in self.table]
        title = f"{self.stage}: complete already, nothing to do" if self.idle else f"{self.stage}:"
        return [title, *counts, *table, *notes, *outputs]
