"""Section ``tables``: how work on tables is cut into tasks."""

from pydantic import Field

from pipeline.settings.section import Section


class TableSettings(Section):
    """Work on tables, which takes milliseconds for a shard."""

    unit_spectra: int = Field(131_072, gt=0)
    """Spectra of one task of `photometry`, `select` and of the observations in `ingest`, rounded
    up to whole shards. [derived: tasks of a second, some 100 MB]"""
