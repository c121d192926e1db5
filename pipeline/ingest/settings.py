"""Inputs of the survey and how they are cut into shards."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.section import Section


class InputSettings(Section):
    """What the survey gives: all paths may be relative to the settings file."""

    spectra: Path | None = None
    """Folder of LAMOST FITS files, in any depth of subfolders."""

    catalogue: Path | None = None
    """LAMOST stellar catalogue (CSV or FITS, may be gzipped)."""

    multi_epoch: Path | None = None
    """LAMOST multiple-epoch catalogue."""

    gaia: Path | str | None = None
    """Gaia sources: a HATS catalogue (folder or URL) or a Parquet file."""

    tmass: Path | str | None = None
    """2MASS sources: a HATS catalogue (folder or URL) or a Parquet file."""

    tmass_best_neighbour: Path | None = None
    """Gaia's table of best neighbours in 2MASS."""

    labels: Path | None = None
    """A label table of one's own instead of labels from photometry: a CSV or Parquet file with
    the columns `source_id` or `obsid`, and `label`: single, binary or excluded."""

    eclipsing: Path | None = None
    """Eclipsing binaries in the columns of Chen et al. 2020."""

    planets: Path | None = None
    """Planet hosts in the columns of the NASA Exoplanet Archive."""

    truth: Path | None = None
    """Folder of the truth of a simulated survey; read by validation only."""

    gaia_release: str | None = None
    """Release of the catalogue's `gaia_source_id`, e.g. `DR3`. Only declared ids are used to
    tell stars apart: the survey has given ids of DR2 and of DR3. [source: lamost.org]"""


class IngestSettings(Section):
    """Shards of the store."""

    shard_rows: int = Field(4096, gt=0)
    """Spectra of one shard, the unit of work. [derived: 7 million spectra are 1,709 tasks]"""

    chunk_rows: int = Field(512, gt=0)
    """Spectra of one inner chunk, the unit of reading; divides `shard_rows`. [assumed]"""

    frozen: bool = False
    """Go on with the files of the manifest without looking into the folder again."""

    @model_validator(mode="after")
    def _chunks_fill_shards(self) -> "IngestSettings":
        if self.shard_rows % self.chunk_rows:
            raise ValueError(
                f"shard_rows ({self.shard_rows}) must be a multiple of chunk_rows "
                f"({self.chunk_rows})"
            )
        return self
