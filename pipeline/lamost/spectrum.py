"""One low-resolution spectrum and the identity its file gives it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
MaskArray = npt.NDArray[np.uint32]


class Layout(StrEnum):
    """Which file structure the arrays came from: two of LAMOST, and those of other surveys."""

    IMAGE = "image"
    """One primary image of five rows (DR1 to DR8)."""
    TABLE = "table"
    """A binary table of one row behind an empty primary (DR9 and later)."""
    SDSS = "sdss"
    """One spectrum of SDSS or BOSS."""
    DESI = "desi"
    """One row of a coadd of DESI."""
    OWN = "own"
    """One row of a user's own table."""


@dataclass(frozen=True, slots=True)
class Header:
    """Identity and survey results from a file's header.

    What the file does not say, or says with a sentinel, is None.
    """

    layout: Layout
    obsid: int | None
    lmjd: int | None
    """Local modified Julian day, as in the file's name."""
    planid: str | None
    spid: int | None
    fiberid: int | None
    ra_deg: float | None
    dec_deg: float | None
    obj_class: str | None
    subclass: str | None
    z: float | None
    z_err: float | None
    snr_u: float | None
    snr_g: float | None
    snr_r: float | None
    snr_i: float | None
    snr_z: float | None
    date_obs: str | None
    """Median of the observation, ISO 8601, UTC."""
    mjd_utc: float | None
    """UTC modified Julian date: mean of the exposures' LMJM, else DATE-OBS."""
    exptime_s: float | None
    helio_rv_kms: float | None
    fibertype: str | None
    fibermask: int | None
    pipeline_version: str | None
    data_release: str | None
    """``DR10`` or ``DR13-Q1``."""
    created: str | None
    """When the file was made, as written: survey pipelines use ``T`` or a blank in between."""
    filename: str | None
    desig: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Arrays of one spectrum, all of shape (N,), with the header's identity.

    Values are those of the file: NaN, infinities and negative ``ivar`` are not repaired here.
    """

    flux: FloatArray
    """Flux on the survey's arbitrary scale."""
    ivar: FloatArray
    """Inverse variance of ``flux``; 0 marks a bad pixel."""
    wave: FloatArray
    """Vacuum wavelength in Angstrom, heliocentric, log-linear."""
    andmask: MaskArray
    """Flags set in every exposure."""
    ormask: MaskArray
    """Flags set in any exposure."""
    header: Header

    @property
    def obsid(self) -> int | None:
        """Unique number of the exposure, None in DR1 and DR2."""
        return self.header.obsid

    @property
    def release(self) -> str | None:
        """Data release, e.g. ``DR10``."""
        return self.header.data_release

    @property
    def layout(self) -> Layout:
        """File structure."""
        return self.header.layout
