"""Names of spectrum files: what the archive calls them, and what people made of that.

A name is a hint for humans and for folders. A file's identity comes from its header.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath

MJD_EPOCH = date(1858, 11, 17)

_EXTENSION = r"(?P<extension>(?:\.(?:fits|fit))+(?:\.gz)?)"
_EXPOSURE = re.compile(
    r"(?P<survey>spec|med)-(?P<lmjd>[0-9]{1,6})-(?P<planid>[A-Za-z0-9][A-Za-z0-9_.+-]*)"
    r"_sp(?P<spid>[0-9]{2,})-(?P<fiberid>[0-9]{3,})(?P<note>_[A-Za-z0-9]+)?" + _EXTENSION
)
_FITS_NAME = re.compile(r"[^.].*\.fits?(?:\.gz)?", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<obsid>[0-9]{1,18})" + _EXTENSION)


@dataclass(frozen=True, slots=True)
class ExposureName:
    """Identity that the archive's file name carries."""

    lmjd: int
    """Local modified Julian day."""
    planid: str
    spid: int
    fiberid: int
    medium_resolution: bool = False


def parse_name(name: str) -> ExposureName | int | None:
    """Read the name of a file, without its folder.

    Returns
    -------
    ExposureName, int or None
        The identity in an archive name, the OBSID in a name such as ``101005.fits``, or None
        for any other name. Copies called ``.fits.fits`` and names with a note such as ``_dr9``
        before the extension are understood.
    """
    if match := _NUMBERED.fullmatch(name):
        return int(match["obsid"])
    if match := _EXPOSURE.fullmatch(name):
        return ExposureName(
            lmjd=int(match["lmjd"]),
            planid=match["planid"],
            spid=int(match["spid"]),
            fiberid=int(match["fiberid"]),
            medium_resolution=match["survey"] == "med",
        )
    return None


def format_name(name: ExposureName, extension: str = ".fits.gz") -> str:
    """Name of a file in the archive, ``spec-LMJD-PLANID_spNN-NNN.fits.gz``."""
    survey = "med" if name.medium_resolution else "spec"
    return f"{survey}-{name.lmjd:05d}-{name.planid}_sp{name.spid:02d}-{name.fiberid:03d}{extension}"


def archive_path(name: ExposureName) -> PurePosixPath:
    """Path in the archive: ``{YYYYMMDD}/{PLANID}/spec-...``, by the evening's local date."""
    # LMJD 55859 lies in folder 20111024, whose MJD is 55858.
    day = MJD_EPOCH + timedelta(days=name.lmjd - 1)
    return PurePosixPath(f"{day:%Y%m%d}", name.planid, format_name(name))


def is_spectrum_name(name: str) -> bool:
    """Whether a file found in a folder of spectra is to be tried.

    True for whatever ends like FITS, also where it will be refused (``med-*``): a refused file
    gets its row too. Hidden files and partial downloads (``.fits.gz.part``) are not tried.
    """
    return _FITS_NAME.fullmatch(name) is not None
