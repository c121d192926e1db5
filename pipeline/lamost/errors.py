"""Why a file is not a spectrum that can be used."""

import os
from enum import StrEnum


class Reason(StrEnum):
    """What is wrong with a file, as stored in the observations table."""

    EMPTY = "empty"
    """No bytes at all."""
    TRUNCATED = "truncated"
    """The file ends before its own header says it should."""
    CORRUPT = "corrupt"
    """Checksum, gzip stream or FITS structure is broken."""
    NOT_FITS = "not_fits"
    """The content does not begin as a FITS file does."""
    MEDIUM_RESOLUTION = "medium_resolution"
    """A spectrum of the medium-resolution survey."""
    PACKED = "packed"
    """Tile-compressed by fpack (``.fits.fz``)."""
    UNKNOWN_LAYOUT = "unknown_layout"
    """Sound FITS, but in neither of the two low-resolution layouts."""
    BAD_WAVELENGTH = "bad_wavelength"
    """The wavelengths do not rise by 1e-4 dex a pixel, or are not finite."""
    MISSING_IDENTITY = "missing_identity"
    """Neither OBSID nor all of LMJD, PLANID, SPID and FIBERID."""
    UNREADABLE = "unreadable"
    """The operating system does not give the file: missing, no permission, a broken disk."""
    TOO_LARGE = "too_large"
    """Bytes, pixels or HDUs far beyond any spectrum; not read, so that memory stays bounded."""


class SpectrumError(ValueError):
    """A file cannot be read as a low-resolution spectrum.

    Parameters
    ----------
    reason : Reason
        What is wrong, from a closed list.
    path : path-like
        The file.
    detail : str
        What was found, and what to do about it; the middle of a long one is left out.
    """

    def __init__(self, reason: Reason, path: str | os.PathLike[str], detail: str):
        self.reason = reason
        self.path = os.fspath(path)
        self.detail = _shorten(detail)
        super().__init__(f"{self.path}: {reason.value}: {self.detail}")

    def __reduce__(self) -> tuple[type["SpectrumError"], tuple[Reason, str, str]]:
        # The default would call __init__ with the joined message alone.
        return type(self), (self.reason, self.path, self.detail)


def _shorten(detail: str) -> str:
    """Keep a message readable, whatever a header's text was that it quotes."""
    return detail if len(detail) <= 500 else f"{detail[:350]} ... {detail[-120:]}"
