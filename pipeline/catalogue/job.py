"""What the tasks of one catalogue have in common."""

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.catalogue.hats import Pixel
from pipeline.core.pieces import Pieces
from pipeline.core.root import Root
from pipeline.evaluation.epochs import Combination
from pipeline.settings.catalogue import CatalogueSettings


@dataclass(frozen=True)
class CatalogueJob:
    """Settings, and which inputs the run has.

    Parameters
    ----------
    root : Root
        Where to read and write.
    settings : CatalogueSettings
        Grouping, sizes of files.
    n_shards, shard_rows : int
        Shards of the store and their rows.
    trust_ids : bool
        The release of the catalogue's own Gaia ids is declared.
    has_photometry, has_sample, has_labels : bool
        The run has these tables.
    log_age : float
        log10 age in years of the isochrone of the mass ratios.
    combination : Combination, optional
        How the spectra of one star are combined; None without an evaluation.
    """

    root: Root
    settings: CatalogueSettings
    n_shards: int
    shard_rows: int
    trust_ids: bool
    has_photometry: bool
    has_sample: bool
    has_labels: bool
    log_age: float
    combination: Combination | None

    @property
    def blocks(self) -> Pieces:
        """Blocks of shards, each with its part of the spectra."""
        return Pieces.of_rows(self.n_shards, self.shard_rows, self.settings.block_spectra)

    def assignment(self, block: int) -> Path:
        """File that names the star of each spectrum of one block."""
        return self._folder / f"part-{block:06d}.parquet"

    @property
    def layout(self) -> Path:
        """File of the partitions of the stars."""
        return self._folder / "partitions.json"

    def sweeps(self) -> list[list[Pixel]]:
        """Read the partitions of the stars: those that one task makes, for each task."""
        return [[Pixel(*one) for one in sweep] for sweep in json.loads(self.layout.read_bytes())]

    @property
    def _folder(self) -> Path:
        return self.root.path / "catalogue" / "assignment"
