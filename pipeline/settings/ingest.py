"""Section ``ingest``: how the files are cut into shards."""

from typing import Literal

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

    wave_unit: Literal["angstrom", "nm", "um", "log10_angstrom"] = "angstrom"
    """Unit of `wave` in a table of one's own spectra (`inputs.format = "table"`). [assumed]"""

    wave_medium: Literal["vacuum", "air"] = "vacuum"
    """Medium of these wavelengths; those in air are converted. [assumed]"""

    resolving_power: float | None = Field(None, gt=0)
    """Wavelength over resolution of these spectra, noted in the store."""

    @model_validator(mode="after")
    def _chunks_fill_shards(self) -> "IngestSettings":
        if self.shard_rows % self.chunk_rows:
            raise ValueError(
                f"shard_rows ({self.shard_rows}) must be a multiple of chunk_rows "
                f"({self.chunk_rows})"
            )
        return self
