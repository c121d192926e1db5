"""How spectra find their stars in Gaia and 2MASS, and how those become intrinsic brightness."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from pipeline.settings.section import Section


class PhotometrySettings(Section):
    """Cross-match, reddening, distance."""

    radius_arcsec: float = Field(3.0, gt=0)
    """A Gaia source belongs to a spectrum within this distance of the fibre, at the epoch of the
    observation. [assumed: LAMOST's fibres are 3.3 arcsec wide]"""

    position_epoch: Literal["observation"] | float = "observation"
    """Epoch of the spectra's positions: that of the observation, or one year for all, e.g.
    `2000.0`. [assumed]"""

    max_motion_arcsec_yr: float = Field(11.0, gt=0)
    """No source moves faster; sets how far from each observation to look. [derived:
    Barnard's star, the fastest, moves 10.4 arcsec/yr]"""

    match: Literal["position", "declared_id"] = "position"
    """`position`: the nearest source. `declared_id`: the source with the catalogue's own
    `gaia_source_id`, if it is within the radius, else the nearest; only if `inputs.gaia_release`
    is `gaia_release`. [assumed]"""

    gaia_release: str = "DR3"
    """Release of the catalogue `inputs.gaia`; EDR3 and DR3 have the same ids. [source: Gaia]"""

    blend_mag: float = Field(2.0, ge=0)
    """A second source within the radius that is less than this fainter makes a blend. [assumed]"""

    tmass_radius_arcsec: float = Field(3.0, gt=0)
    """A 2MASS source belongs to a Gaia source within this distance. [assumed]"""

    tmass_epoch_yr: float = 1999.5
    """Gaia's positions are moved to this epoch to find 2MASS sources. [source: 2MASS observed
    from 1997.4 to 2001.2]"""

    extinction: Literal["casagrande2021", "cardelli"] = "casagrande2021"
    """Law of extinction: for E(B-V) on the scale of SFD, or of Cardelli/O'Donnell. [source:
    Casagrande et al. 2021, code `colte`]"""

    reddening: Literal["gaia_column", "lamost_column", "map"] = "gaia_column"
    """Where E(B-V) comes from: a column of `inputs.gaia`, a column of `inputs.catalogue`, or a
    dust map. [assumed: which map the paper used is unknown]"""

    reddening_column: str = "e_bv"
    """Name of that column. [assumed]"""

    dust_map: Literal["sfd"] = "sfd"
    """Dust map of the package `dustmaps` (extra `dust`). [assumed]"""

    dust_folder: Path | None = None
    """Folder of the map's files; by default the one that `dustmaps` is configured with."""

    e_bv_error: float = Field(0.16, ge=0)
    """Relative error of E(B-V). [source: Schlegel et al. 1998, accuracy of SFD]"""

    zero_point: bool = True
    """Subtract Gaia's parallax zero point. [source: Lindegren et al. 2021]"""

    min_parallax_snr: float = Field(10.0, gt=0)
    """1/parallax is a distance only above this ratio of parallax to error. [assumed]"""

    partition_rows: int = Field(500_000, gt=0)
    """Sources of a table that a task reads, and observations that are searched together.
    [assumed]"""

    memory_limit: str = "2GB"
    """Memory of the joins by source id, which go to disk beyond it. [assumed]"""

    @model_validator(mode="after")
    def _epoch_is_a_year(self) -> "PhotometrySettings":
        if self.position_epoch != "observation" and not 1900 < self.position_epoch < 2100:
            raise ValueError(f"position_epoch ({self.position_epoch}) is not a year")
        return self
