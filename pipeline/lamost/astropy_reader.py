"""Read a spectrum with astropy: slow, lenient with FITS, and exact about why not."""

import io
import os
import re
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.lamost import identity
from pipeline.lamost.arrays import Values, assemble, log_linear_wave
from pipeline.lamost.cards import END_CARD, CardValue
from pipeline.lamost.content import read_content
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.identity import read_header
from pipeline.lamost.image_rows import has_subcontinuum
from pipeline.lamost.spectrum import Layout, Spectrum

FITS_MAGIC = b"SIMPLE  ="
KEYWORDS = identity.KEYWORDS | {"EXTEN0", "COEFF0", "COEFF1"}
MEDIUM_NAME = re.compile(r"(COADD_)?[BR](-\d+)?")
"""Names of the HDUs of medium-resolution files: COADD_B, or B-84186123 for one exposure."""


def read_with_astropy(path: str | os.PathLike[str]) -> Spectrum:
    """Read one spectrum; the same result as `pipeline.lamost.reader.read_spectrum`.

    Raises
    ------
    SpectrumError
        With the reason for which the file is refused.
    """
    return parse_with_astropy(read_content(path), path)


def parse_with_astropy(content: bytes, path: str | os.PathLike[str]) -> Spectrum:
    """Interpret the inflated bytes of a file; ``path`` serves the messages.

    Raises
    ------
    SpectrumError
        With the reason for which the file is refused.
    """
    from astropy.io import fits

    if not content.startswith(FITS_MAGIC):
        detail = f"begins with {content[:16]!r}, not with {FITS_MAGIC!r}; remove or replace it"
        raise SpectrumError(Reason.NOT_FITS, path, detail)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fits.open(io.BytesIO(content), lazy_load_hdus=False) as hdus:
                return _interpret(hdus, content, path)
    except SpectrumError:
        raise
    except Exception as error:
        # Broken headers make astropy fail in many ways, none of which may stop a shard.
        reason = Reason.CORRUPT if END_CARD in content else Reason.TRUNCATED
        detail = f"astropy cannot read it ({type(error).__name__}: {error}); fetch it again"
        raise SpectrumError(reason, path, detail) from error


def _interpret(hdus: Any, content: bytes, path: str | os.PathLike[str]) -> Spectrum:
    for hdu in hdus:
        end = hdu.fileinfo()["datLoc"] + hdu.size
        if end > len(content):
            detail = f"{len(content)} bytes where the header needs {end}; fetch the file again"
            raise SpectrumError(Reason.TRUNCATED, path, detail)
    names = [hdu.name for hdu in hdus]
    if any(MEDIUM_NAME.fullmatch(name) for name in names):
        detail = f"HDUs {', '.join(filter(None, names))} are of the medium-resolution survey"
        raise SpectrumError(Reason.MEDIUM_RESOLUTION, path, f"{detail}; leave the file out")
    primary = hdus[0]
    if primary.header["NAXIS"] != 0:
        return _interpret_image(primary, path)
    return _interpret_table(hdus, content, path)


def _interpret_image(primary: Any, path: str | os.PathLike[str]) -> Spectrum:
    rows = primary.data
    if rows is None or rows.ndim != 2 or rows.shape[0] != 5:
        shape = None if rows is None else rows.shape
        raise _unknown(path, f"the primary image has shape {shape}, not (5, N)")
    cards = _cards(primary.header)
    flux, ivar, wave, andmask, ormask = rows
    if has_subcontinuum(cards.get("EXTEN0"), path):
        wave = log_linear_wave(cards.get("COEFF0"), cards.get("COEFF1"), rows.shape[1])
    header = read_header(cards, Layout.IMAGE, path)
    return assemble(header, path, flux=flux, ivar=ivar, wave=wave, andmask=andmask, ormask=ormask)


def _interpret_table(hdus: Any, content: bytes, path: str | os.PathLike[str]) -> Spectrum:
    cards = _cards(hdus[0].header)
    table = _find_table(hdus, content, path)
    n_rows = table.header["NAXIS2"]
    if n_rows != 1:
        raise _unknown(path, f"table {table.name!r} has {n_rows} rows, not one")
    flux, ivar, andmask, ormask = (
        _vector(table, name, path) for name in ("FLUX", "IVAR", "ANDMASK", "ORMASK")
    )
    if "WAVELENGTH" in _column_names(table):
        wave = _vector(table, "WAVELENGTH", path)
    else:
        wave = log_linear_wave(cards.get("COEFF0"), cards.get("COEFF1"), flux.size)
    sizes = {column.size for column in (flux, ivar, wave, andmask, ormask)}
    if len(sizes) != 1:
        raise _unknown(path, f"columns of {sorted(sizes)} pixels do not fit each other")
    header = read_header(cards, Layout.TABLE, path)
    return assemble(header, path, flux=flux, ivar=ivar, wave=wave, andmask=andmask, ormask=ormask)


def _find_table(hdus: Any, content: bytes, path: str | os.PathLike[str]) -> Any:
    """Find the table COADD, or the only one that holds flux and inverse variance."""
    tables = [hdu for hdu in hdus[1:] if {"FLUX", "IVAR"} <= _column_names(hdu)]
    chosen = [hdu for hdu in tables if hdu.name == "COADD"] or tables
    if len(chosen) == 1:
        return chosen[0]
    if len(hdus) == 1:
        end = hdus[0].fileinfo()["datLoc"]
        if end >= len(content):
            detail = f"ends after the empty primary header, at byte {end}; fetch the file again"
            raise SpectrumError(Reason.TRUNCATED, path, detail)
        detail = f"what follows the primary header, at byte {end}, is no HDU; fetch it again"
        raise SpectrumError(Reason.CORRUPT, path, detail)
    listed = ", ".join(f"{hdu.name or 'unnamed'} ({type(hdu).__name__})" for hdu in hdus)
    raise _unknown(path, f"{len(chosen)} tables with FLUX and IVAR among the HDUs {listed}")


def _column_names(hdu: Any) -> set[str]:
    columns = getattr(hdu, "columns", None)
    return {name.upper() for name in columns.names} if columns is not None else set()


def _vector(table: Any, name: str, path: str | os.PathLike[str]) -> Values:
    if name not in _column_names(table):
        raise _unknown(path, f"table {table.name!r} has no column {name}")
    values: npt.NDArray[np.generic] = np.asarray(table.data[name][0])
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        raise _unknown(path, f"column {name} holds {values.dtype} of shape {values.shape}")
    return values


def _cards(header: Any) -> dict[str, CardValue]:
    cards: dict[str, CardValue] = {}
    for keyword in KEYWORDS & set(header):
        value = header[keyword]
        if isinstance(value, (bool, np.bool_)):
            cards[keyword] = bool(value)
        else:
            cards[keyword] = value if isinstance(value, (str, int, float)) else None
    return cards


def _unknown(path: str | os.PathLike[str], found: str) -> SpectrumError:
    detail = f"{found}; neither layout of the low-resolution survey, leave the file out"
    return SpectrumError(Reason.UNKNOWN_LAYOUT, path, detail)
