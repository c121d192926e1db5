"""Where everything lies below the root of a run."""

import re
from dataclasses import dataclass
from pathlib import Path

from schemas.table import Table

_PART = re.compile(r"part-(\d+)(?:-(\d+))?\.parquet")


@dataclass(frozen=True)
class Root:
    """Names of the files and folders of a run.

    Parameters
    ----------
    path : pathlib.Path
        Root folder, ``ROOT`` in the documentation.
    """

    path: Path

    @property
    def manifest(self) -> Path:
        """Frozen list of files."""
        return self.path / "manifest.parquet"

    @property
    def store(self) -> Path:
        """Zarr store of spectra."""
        return self.path / "spectra.zarr"

    @property
    def model(self) -> Path:
        """Folder of the trained network."""
        return self.path / "model"

    @property
    def reports(self) -> Path:
        """Folder of summaries and figures."""
        return self.path / "reports"

    @property
    def evaluation(self) -> Path:
        """File of the evaluation."""
        return self.reports / "evaluation.json"

    def is_chunk(self, path: Path) -> bool:
        """Tell whether a file holds chunks of the store, which carry checksums of their own."""
        return path.is_relative_to(self.store) and path.suffix != ".json"

    def table(self, table: Table) -> Path:
        """Return the folder (or file) of a table."""
        return self.path / table.location

    def part(self, table: Table, number: int) -> Path:
        """Return the Parquet part of a table that holds one unit of work."""
        return self.table(table) / f"part-{number:06d}.parquet"

    def span(self, table: Table, shards: range) -> Path:
        """Return the Parquet part of a table that holds several shards."""
        return self.table(table) / f"part-{shards[0]:06d}-{shards[-1]:06d}.parquet"


def shards_of(part: Path) -> range:
    """Return the shards of a part, by its name as of `Root.part` and `Root.span`; none otherwise.

    Parameters
    ----------
    part : pathlib.Path
        Parquet file.
    """
    found = _PART.fullmatch(part.name)
    if found is None:
        return range(0)
    first = int(found[1])
    return range(first, int(found[2] or first) + 1)
