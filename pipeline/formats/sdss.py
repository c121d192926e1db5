"""Spectra of SDSS, BOSS and SDSS-V: ``spec-PLATE-MJD-FIBER.fits``, full or lite.

HDU 1 holds flux, loglam (log10 of the vacuum wavelength in Angstrom, heliocentric), ivar, and_mask
and or_mask, one row per pixel; HDU 2 one row of spAll: identity, position, class and redshift.
[source: SDSS data model, BOSS_SPECTRO_REDUX/RUN2D/spectra/PLATE4/spec.html]
"""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.formats.air import vacuum_from_air
from pipeline.formats.cards import iso_time, refusing, spectrum_of
from pipeline.formats.pixels import median_snr_g, on_grid
from pipeline.lamost.cards import CardValue
from pipeline.lamost.content import FITS_MAGIC, read_content
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.spectrum import Layout, Spectrum

NEEDED = ("FLUX", "LOGLAM", "IVAR", "AND_MASK", "OR_MASK")
RESOLVING_POWER = (1500.0, 2500.0)
"""At 3800 and at 9000 Angstrom. [source: Smee et al. 2013, AJ 146, 32]"""
_RA = ("RA", "PLUG_RA", "FIBER_RA", "RACAT")
_DEC = ("DEC", "PLUG_DEC", "FIBER_DEC", "DECCAT")
_G = 1
"""Place of g in ``SN_MEDIAN``, which has u, g, r, i and z."""
_SECONDS_A_DAY = 86_400


def read_sdss(path: Path) -> Spectrum:
    """Read one file.

    Parameters
    ----------
    path : pathlib.Path
        The file; its name means nothing.

    Raises
    ------
    SpectrumError
        With the reason for which the file is refused.
    """
    from astropy.io import fits

    content = read_content(path)
    if not content.startswith(FITS_MAGIC):
        detail = f"begins with {content[:16]!r}, not as FITS; remove or replace it"
        raise SpectrumError(Reason.NOT_FITS, path, detail)
    with refusing(path), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(io.BytesIO(content), memmap=False) as hdus:
            return _interpret(hdus, len(content), path)


def _interpret(hdus: Any, n_bytes: int, path: Path) -> Spectrum:
    if len(hdus) < 2 or not {"FLUX", "LOGLAM"} <= _names(hdus[1]):
        detail = "HDU 1 is no table with flux and loglam; this is no spec-*.fits of SDSS"
        raise SpectrumError(Reason.UNKNOWN_LAYOUT, path, detail)
    place = hdus[1].fileinfo()
    if place["datLoc"] + hdus[1].size > n_bytes:
        detail = f"{n_bytes} bytes, and the spectrum ends after them; fetch the file again"
        raise SpectrumError(Reason.TRUNCATED, path, detail)
    missing = [name.lower() for name in NEEDED if name not in _names(hdus[1])]
    if missing:
        detail = f"HDU 1 has no column {', '.join(missing)}; fetch the file again"
        raise SpectrumError(Reason.UNKNOWN_LAYOUT, path, detail)
    flux_N, loglam_N, ivar_N, and_N, or_N = (hdus[1].data[name] for name in NEEDED)
    wave_N = 10 ** loglam_N.astype(np.float64)
    primary = hdus[0].header
    if primary.get("VACUUM", True) is False:
        wave_N = vacuum_from_air(wave_N)
    flux_BN, ivar_BN = (np.asarray(array, np.float64)[None] for array in (flux_N, ivar_N))
    and_BN, or_BN = (array.astype(np.int64).astype(np.uint32)[None] for array in (and_N, or_N))
    pixels = on_grid(wave_N, flux_BN, ivar_BN, and_BN, or_BN, path)
    cards = _cards(primary, _first_row(hdus))
    cards.setdefault("SNRG", median_snr_g(pixels))
    return spectrum_of(pixels, 0, cards, Layout.SDSS, path)


def _cards(primary: Any, row: dict[str, Any]) -> dict[str, CardValue]:
    """Return what the file says of itself under the names that LAMOST's headers have."""

    def first(*names: str) -> Any:
        known = (source[n] for n in names for source in (row, primary) if n in source)
        return next((_plain(value) for value in known), None)

    plate, mjd = first("PLATE", "FIELD", "PLATEID", "FIELDID"), first("MJD")
    fiber = first("FIBERID", "FIBER", "TARGET_INDEX")
    cards: dict[str, CardValue] = {
        "LMJD": mjd, "PLANID": None if plate is None else str(plate), "FIBERID": fiber,
        "SPID": first("SPECTROGRAPHID"), "RA": first(*_RA), "DEC": first(*_DEC),
        "CLASS": first("CLASS"), "SUBCLASS": first("SUBCLASS"), "Z": first("Z"),
        "Z_ERR": first("Z_ERR"), "EXPTIME": first("EXPTIME"), "DATE": first("DATE"),
        "VERSPIPE": first("RUN2D"), "DATE-OBS": _time(first("TAI-BEG"), first("TAI-END"), mjd),
    }  # fmt: skip
    if all(isinstance(number, int) for number in (plate, mjd, fiber)):
        cards["OBSID"] = int(f"{plate}{mjd:05d}{fiber:04d}")
    snr_K = np.ravel(row.get("SN_MEDIAN", ()))
    if snr_K.size > _G:
        cards["SNRG"] = float(snr_K[_G])
    return cards


def _time(begin_s: Any, end_s: Any, mjd: Any) -> str | None:
    """Return the middle of the observation; SDSS counts seconds of TAI since MJD 0."""
    if isinstance(begin_s, float | int) and isinstance(end_s, float | int):
        return iso_time((begin_s + end_s) / 2 / _SECONDS_A_DAY)
    return iso_time(mjd)


def _first_row(hdus: Any) -> dict[str, Any]:
    """Return the row of spAll, by column in capitals; empty where there is none."""
    if len(hdus) < 3 or "Z" not in _names(hdus[2]) or len(hdus[2].data) != 1:
        return {}
    return {name.upper(): hdus[2].data[name][0] for name in hdus[2].columns.names}


def _names(hdu: Any) -> set[str]:
    columns = getattr(hdu, "columns", None)
    return {name.upper() for name in columns.names} if columns is not None else set()


def _plain(value: Any) -> CardValue:
    found: CardValue = value.item() if isinstance(value, np.generic) else value
    return found
