"""How spectra become stars."""

from pydantic import Field

from pipeline.settings.section import Section


class CatalogueSettings(Section):
    """Grouping of spectra into stars."""

    star_radius_arcsec: float = Field(3.0, gt=0)
    """Spectra without a declared Gaia id that lie within this radius of each other are one
    star. [assumed: LAMOST's fibres are 3.3 arcsec wide]"""

    far_pc: float = Field(6000.0, gt=0)
    """Stars farther than this get the quality bit SUSPECT_DISTANCE. [derived: a dwarf of the
    sample's colours cannot be seen farther at LAMOST's depth]"""

    part_stars: int = Field(100_000, gt=0)
    """Most stars of one Parquet file, a HEALPix pixel; only a pixel of order 8 may have more.
    [assumed]"""

    row_group_stars: int = Field(32_768, gt=0)
    """Stars of a row group. [derived: a search over all stars takes less than half as long as with
    4,096, and a cone search, which reads whole groups near it, no longer]"""

    block_spectra: int = Field(250_000, gt=0)
    """Spectra that are joined with their stars in one task, rounded up to whole shards; about 200
    MB of memory. [assumed]"""
