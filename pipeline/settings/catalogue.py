"""How spectra become stars."""

from pydantic import Field

from pipeline.settings.section import Section


class CatalogueSettings(Section):
    """Grouping of spectra into stars."""

    star_radius_arcsec: float = Field(3.0, gt=0)
    """Spectra without a declared Gaia id that lie within this radius of each other are one
    star. [assumed: LAMOST's fibres are 3.3 arcsec wide]"""

    part_stars: int = Field(500_000, gt=0)
    """Stars of one Parquet file. [assumed]"""
