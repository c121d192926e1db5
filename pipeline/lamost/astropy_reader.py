"""Read a spectrum with astropy: slow, lenient with FITS, and exact about why not."""

import os
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.lamost import identity
from pipeline.lamost.arrays import MAX_PIXELS, Values, assemble, check_length, log_linear_wave
from pipeline.lamost.cards import CardValue
from pipeline.lamost.content import FITS_MAGIC, read_content
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.hdus import Hdu, claimed_number, column_names, split_hdus
from pipeline.lamost.identity import read_header
from pipeline.lamost.image_rows import has_subcontinuum
from pipeline.lamost.spectrum import Layout, Spectrum
from pipeline.lamost.unpacked import read_image, read_table

KEYWORDS = identity.KEYWORDS | {"EXTEN0", "COEFF0", "COEFF1"}
NEEDED = ("FLUX", "IVAR", "ANDMASK", "ORMASK")
MAX_ROW_BYTES = 64 * MAX_PIXELS
"""Eight columns of the longest spectrum in float64."""


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
    if not content.startswith(FITS_MAGIC):
        detail = f"begins with {content[:16]!r}, not with {FITS_MAGIC!r}; remove or replace it"
        raise SpectrumError(Reason.NOT_FITS, path, detail)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _interpret(split_hdus(content, path), content, path)
    except SpectrumError:
        raise
    except Exception as error:
        # Broken headers make astropy fail in many ways, none of which may stop a shard.
        detail = f"astropy cannot read it ({type(error).__name__}: {error}); fetch it again"
        raise SpectrumError(Reason.CORRUPT, path, detail) from error


def _interpret(hdus: list[Hdu], content: bytes, path: str | os.PathLike[str]) -> Spectrum:
    primary = hdus[0]
    if primary.header["SIMPLE"] is not True:
        raise _unknown(path, f"SIMPLE is {primary.header['SIMPLE']!r}")
    if primary.header["NAXIS"] != 0:
        return _interpret_image(primary, path)
    return _interpret_table(hdus, content, path)


def _interpret_image(primary: Hdu, path: str | os.PathLike[str]) -> Spectrum:
    header = primary.header
    axes = [header[f"NAXIS{axis + 1}"] for axis in range(header["NAXIS"])]
    if len(axes) != 2 or axes[1] != 5 or axes[0] == 0:
        raise _unknown(path, f"the primary image has shape {tuple(axes[::-1])}, not (5, N)")
    check_length(axes[0], path)
    rows = read_image(header, primary.data)
    cards = _cards(header)
    flux, ivar, wave, andmask, ormask = rows
    if has_subcontinuum(cards.get("EXTEN0"), path):
        wave = log_linear_wave(cards.get("COEFF0"), cards.get("COEFF1"), axes[0])
    found = read_header(cards, Layout.IMAGE, path)
    return assemble(found, path, flux=flux, ivar=ivar, wave=wave, andmask=andmask, ormask=ormask)


def _interpret_table(hdus: list[Hdu], content: bytes, path: str | os.PathLike[str]) -> Spectrum:
    cards = _cards(hdus[0].header)
    table = _find_table(hdus, content, path)
    n_rows = claimed_number(table.header, "NAXIS2")
    if n_rows != 1:
        raise _unknown(path, f"table {table.name!r} has {n_rows} rows, not one")
    if len(table.data) > MAX_ROW_BYTES:
        detail = f"{len(table.data)} bytes of columns, more than any spectrum has"
        raise SpectrumError(Reason.TOO_LARGE, path, f"{detail}; leave the file out")
    vectors = _vectors(table, path)
    flux, ivar, andmask, ormask = (vectors[name] for name in NEEDED)
    check_length(flux.size, path)
    wave = vectors.get("WAVELENGTH")
    if wave is None:
        wave = log_linear_wave(cards.get("COEFF0"), cards.get("COEFF1"), flux.size)
    sizes = {column.size for column in (flux, ivar, wave, andmask, ormask)}
    if len(sizes) != 1:
        raise _unknown(path, f"columns of {sorted(sizes)} pixels do not fit each other")
    found = read_header(cards, Layout.TABLE, path)
    return assemble(found, path, flux=flux, ivar=ivar, wave=wave, andmask=andmask, ormask=ormask)


def _find_table(hdus: list[Hdu], content: bytes, path: str | os.PathLike[str]) -> Hdu:
    """Find the table COADD, or the only one that holds flux and inverse variance."""
    tables = [hdu for hdu in hdus[1:] if {"FLUX", "IVAR"} <= _column_names(hdu)]
    chosen = [hdu for hdu in tables if hdu.name == "COADD"] or tables
    if len(chosen) == 1:
        return chosen[0]
    if len(hdus) == 1:
        end = hdus[0].data_start
        if end >= len(content):
            detail = f"ends after the empty primary header, at byte {end}; fetch the file again"
            raise SpectrumError(Reason.TRUNCATED, path, detail)
        detail = f"what follows the primary header, at byte {end}, is no HDU; fetch it again"
        raise SpectrumError(Reason.CORRUPT, path, detail)
    listed = ", ".join(hdu.name or "unnamed" for hdu in hdus)
    raise _unknown(path, f"{len(chosen)} tables with FLUX and IVAR among the HDUs {listed}")


def _column_names(hdu: Hdu) -> set[str]:
    return {name.upper() for name in column_names(hdu.header)} if hdu.is_table else set()


def _vectors(table: Hdu, path: str | os.PathLike[str]) -> dict[str, Values]:
    """Arrays of shape (N,) by name; of two columns of one name, the first."""
    row = read_table(table.header, table.data, 1)
    vectors: dict[str, Values] = {}
    for position, name in enumerate(column_names(table.header)):
        known = name.upper()
        if known in vectors or known not in (*NEEDED, "WAVELENGTH"):
            continue
        values: npt.NDArray[np.generic] = np.asarray(row.field(position)[0])
        if values.ndim != 1 or values.dtype.kind not in "fiu":
            raise _unknown(path, f"column {known} holds {values.dtype} of shape {values.shape}")
        vectors[known] = values
    absent = [name for name in NEEDED if name not in vectors]
    if absent:
        raise _unknown(path, f"table {table.name!r} has no column {', '.join(absent)}")
    return vectors


def _cards(header: Any) -> dict[str, CardValue]:
    return {keyword: _card(header, keyword) for keyword in KEYWORDS & set(header)}


def _card(header: Any, keyword: str) -> CardValue:
    """Value of a card; None where it holds none that anybody could read."""
    from astropy.io.fits import VerifyError

    try:
        value = header[keyword]
    except VerifyError:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return value if isinstance(value, (str, int, float)) else None


def _unknown(path: str | os.PathLike[str], found: str) -> SpectrumError:
    detail = f"{found}; neither layout of the low-resolution survey, leave the file out"
    return SpectrumError(Reason.UNKNOWN_LAYOUT, path, detail)
