"""Section ``ingest``: how the files are cut into shards."""

from pydantic import Field, model_validator

from pipeline.settings.section import Section


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
