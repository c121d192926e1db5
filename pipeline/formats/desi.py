"""Coadded spectra of DESI: ``coadd-*.fits``, one row per target.

Every arm (B, R, Z; or BRZ) has its wavelengths (vacuum, barycentric, 0.8 Angstrom a pixel), flux,
ivar and mask; FIBERMAP has the targets. The redshifts stand in ``redrock-*.fits`` beside it.
[source: desidatamodel.readthedocs.io, spectra/coadd-SURVEY-PROGRAM-PIXNUM]
"""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.formats.cards import iso_time, refusing, size_of, spectrum_of
from pipeline.formats.pixels import Pixels, median_snr_g, merged, on_grid
from pipeline.lamost.cards import CardValue
from pipeline.lamost.content import FITS_MAGIC, GZIP_MAGIC
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.spectrum import Layout, Spectrum

RESOLVING_POWER = (2000.0, 5500.0)
"""At 3600 and at 9800 Angstrom. [source: DESI Collaboration 2022, AJ 164, 207]"""
PREFIX, REDSHIFTS = "coadd-", "redrock-"
_BLOCK = 64
"""Spectra whose arms are in memory together."""
_ARMS = ("B", "R", "Z")
"""Of the three spectrographs; coadds over them have one arm of another name."""
_PARTS = ("WAVELENGTH", "FLUX", "IVAR", "MASK")
_CLASSES = {"SKY": "SKY", "BAD": "Unknown"}


def count_desi(path: Path) -> int:
    """Return the number of spectra of a file.

    Raises
    ------
    SpectrumError
        The file is none of DESI's coadds.
    """
    with refusing(path), _opened(path) as hdus:
        return int(hdus["FIBERMAP"].header["NAXIS2"])


def read_desi(path: Path, rows: Sequence[int]) -> Iterator[Spectrum | SpectrumError]:
    """Read some rows of a file, a block of them at a time.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    rows : sequence of int
        Which rows.

    Yields
    ------
    Spectrum or SpectrumError
        One per row: the spectrum, or why there is none.

    Raises
    ------
    SpectrumError
        The file cannot be read.
    """
    with refusing(path), _opened(path) as hdus:
        targets = hdus["FIBERMAP"].data
        redshifts = _redshifts(path)
        for begin in range(0, len(rows), _BLOCK):
            block = list(rows[begin : begin + _BLOCK])
            if max(block) >= len(targets):
                detail = f"has {len(targets)} rows, and row {max(block)} is wanted; was it changed?"
                raise SpectrumError(Reason.UNREADABLE, path, detail)
            arms = [_arm(hdus, name, block, path) for name in _arms(hdus)]
            pixels = merged(arms)
            for place, row in enumerate(block):
                cards = _cards(targets[row], targets.names, redshifts)
                cards |= {"PLANID": _plan(path), "SNRG": median_snr_g(pixels, place)}
                try:
                    yield spectrum_of(pixels, place, cards, Layout.DESI, path)
                except SpectrumError as error:
                    yield error


def _opened(path: Path) -> Any:
    from astropy.io import fits

    if size_of(path) == 0:
        raise SpectrumError(Reason.EMPTY, path, "the file holds no bytes; fetch it again")
    with path.open("rb") as file:
        head = file.read(9)
    if head != FITS_MAGIC and not head.startswith(GZIP_MAGIC):
        detail = f"begins with {head!r}, not as FITS; remove or replace it"
        raise SpectrumError(Reason.NOT_FITS, path, detail)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hdus = fits.open(path, memmap=False)
        try:
            _require_whole(hdus, path, packed=head != FITS_MAGIC)
        except Exception:
            hdus.close()
            raise
    return hdus


def _require_whole(hdus: Any, path: Path, *, packed: bool) -> None:
    end = hdus[len(hdus) - 1].fileinfo()
    needed = end["datLoc"] + end["datSpan"]
    if not packed and needed > path.stat().st_size:
        detail = f"{path.stat().st_size} bytes where the headers need {needed}; fetch it again"
        raise SpectrumError(Reason.TRUNCATED, path, detail)
    arms = _arms(hdus)
    arms = [*_ARMS] if set(arms) & set(_ARMS) else arms or [*_ARMS]
    missing = [name for name in ("FIBERMAP", *_needed(arms)) if name not in hdus]
    if missing:
        detail = f"no HDU {', '.join(missing)}; cut off, or no coadd of DESI: fetch it again"
        raise SpectrumError(Reason.UNKNOWN_LAYOUT, path, detail)


def _arms(hdus: Any) -> list[str]:
    return [hdu.name.removesuffix("_FLUX") for hdu in hdus if hdu.name.endswith("_FLUX")]


def _needed(arms: list[str]) -> list[str]:
    return [f"{arm}_{what}" for arm in arms for what in _PARTS]


def _arm(hdus: Any, name: str, rows: list[int], path: Path) -> Pixels:
    unit = str(hdus[f"{name}_WAVELENGTH"].header.get("BUNIT", "Angstrom"))
    if unit.strip().lower() not in ("angstrom", "angstroms"):
        detail = f"{name}_WAVELENGTH is in {unit}, not in Angstrom; leave the file out"
        raise SpectrumError(Reason.BAD_WAVELENGTH, path, detail)
    span = slice(min(rows), max(rows) + 1)
    inside = np.asarray(rows) - span.start
    flux_BN, ivar_BN, mask_BN = (
        np.asarray(hdus[f"{name}_{what}"].section[span, :])[inside]
        for what in ("FLUX", "IVAR", "MASK")
    )
    wave_N = np.asarray(hdus[f"{name}_WAVELENGTH"].data, np.float64)
    mask_BN = mask_BN.astype(np.int64).astype(np.uint32)
    arrays = flux_BN.astype(np.float64), ivar_BN.astype(np.float64)
    return on_grid(wave_N, *arrays, mask_BN, mask_BN, path)


def _cards(target: Any, names: Sequence[str], redshifts: dict[int, Any]) -> dict[str, CardValue]:
    """Return what the file says of a target under the names that LAMOST's headers have."""

    def of(name: str) -> Any:
        value = target[name] if name in names else None
        return value.item() if isinstance(value, np.generic) else value

    found = redshifts.get(of("TARGETID"), {})
    fibre = of("OBJTYPE")
    return {
        "OBSID": of("TARGETID"), "RA": of("TARGET_RA"), "DEC": of("TARGET_DEC"),
        "EXPTIME": of("COADD_EXPTIME"), "FIBERMAS": of("COADD_FIBERSTATUS"),
        "DATE-OBS": iso_time(of("MEAN_MJD")), "Z": found.get("Z"), "Z_ERR": found.get("ZERR"),
        "CLASS": _CLASSES.get(str(fibre).strip(), found.get("SPECTYPE")),
        "SUBCLASS": found.get("SUBTYPE"),
    }  # fmt: skip


def _redshifts(path: Path) -> dict[int, dict[str, Any]]:
    """Read the redshifts of the file beside the coadd, by target; empty where there is none."""
    beside = path.with_name(path.name.replace(PREFIX, REDSHIFTS, 1))
    if beside == path or not beside.is_file():
        return {}
    from astropy.io import fits

    with fits.open(beside, memmap=False) as hdus:
        table = hdus["REDSHIFTS"].data
        names = [n for n in ("Z", "ZERR", "SPECTYPE", "SUBTYPE") if n in table.names]
        columns = [table[name].tolist() for name in names]
        found = zip(*columns, strict=True)
        pairs = zip(table["TARGETID"].tolist(), found, strict=True)
        return {target: dict(zip(names, values, strict=True)) for target, values in pairs}


def _plan(path: Path) -> str:
    """Return what the coadd is of: ``main-bright-1234`` of ``coadd-main-bright-1234.fits.gz``."""
    return path.name.removeprefix(PREFIX).partition(".fits")[0]
