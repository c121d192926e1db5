"""Read a spectrum file quickly.

The short way understands exactly the files that the survey's pipelines write, and only says
yes: whatever it meets beside them (scaled columns, more HDUs, other types, broken headers) it
leaves to `pipeline.lamost.astropy_reader`, which also finds the reason of a refusal.
"""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pipeline.lamost.arrays import assemble, check_length, log_linear_wave
from pipeline.lamost.cards import BLOCK_BYTES, CardValue, UnusualError, find_end, read_cards
from pipeline.lamost.content import read_content
from pipeline.lamost.hdus import BIT_WIDTHS
from pipeline.lamost.identity import KEYWORDS, read_header
from pipeline.lamost.image_rows import has_subcontinuum
from pipeline.lamost.spectrum import Layout, Spectrum

IMAGE_TYPES: dict[int, np.dtype[np.float32] | np.dtype[np.float64]] = {
    -32: np.dtype(">f4"),
    -64: np.dtype(">f8"),
}
Cards = Mapping[str, CardValue]
COLUMNS = ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK")

_FLOAT_FORM = re.compile(r"([0-9]*)E")
_IMAGE_SCALING = frozenset({"BSCALE", "BZERO", "BLANK", "GROUPS", "PCOUNT", "GCOUNT"})
_PRIMARY = (
    KEYWORDS
    | _IMAGE_SCALING
    | {"SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "EXTEND", "EXTEN0", "COEFF0", "COEFF1"}
)
_TABLE_SCALING = ("TSCAL", "TZERO", "TNULL", "TDIM", "THEAP")


class TablePlan(NamedTuple):
    """Where the columns lie in a one-row table."""

    offsets: tuple[int, ...]
    """First byte of each of `COLUMNS` in the row."""
    n_pixel: int
    n_bytes: int


def read_spectrum(path: str | os.PathLike[str]) -> Spectrum:
    """Read one LAMOST low-resolution spectrum, of any release, compressed or not.

    Parameters
    ----------
    path : path-like
        The file; its name means nothing.

    Returns
    -------
    Spectrum
        Arrays of shape (N,), native float32 and uint32, and the header's identity.

    Raises
    ------
    SpectrumError
        With the reason for which the file is refused.
    """
    content = read_content(path)
    try:
        return _read_plainly(content, path)
    except UnusualError:
        # astropy takes half a second to import and is needed for few files, if any.
        from pipeline.lamost.astropy_reader import parse_with_astropy

        return parse_with_astropy(content, path)


def _read_plainly(content: bytes, path: str | os.PathLike[str]) -> Spectrum:
    cards, data_start = read_cards(content, 0, _PRIMARY)
    if cards.get("SIMPLE") is not True:
        raise UnusualError("SIMPLE")
    if _whole(cards, "BITPIX") not in BIT_WIDTHS:
        raise UnusualError("BITPIX")
    n_axis = _whole(cards, "NAXIS")
    if n_axis == 2:
        return _read_image(content, cards, data_start, path)
    if n_axis == 0:
        return _read_table(content, cards, data_start, path)
    raise UnusualError("NAXIS")


def _read_image(content: bytes, cards: Cards, start: int, path: str | os.PathLike[str]) -> Spectrum:
    dtype = IMAGE_TYPES.get(_whole(cards, "BITPIX"))
    n_pixel, n_rows = _whole(cards, "NAXIS1"), _whole(cards, "NAXIS2")
    if dtype is None or n_pixel < 1 or n_rows != 5 or not _IMAGE_SCALING.isdisjoint(cards):
        raise UnusualError("image")
    _require_end(content, start + 5 * n_pixel * dtype.itemsize)
    check_length(n_pixel, path)
    rows = np.frombuffer(content, dtype, 5 * n_pixel, start).reshape(5, n_pixel)
    flux, ivar, third, andmask, ormask = rows
    if has_subcontinuum(cards.get("EXTEN0"), path):
        third = log_linear_wave(cards.get("COEFF0"), cards.get("COEFF1"), n_pixel)
    header = read_header(cards, Layout.IMAGE, path)
    return assemble(header, path, flux=flux, ivar=ivar, wave=third, andmask=andmask, ormask=ormask)


def _read_table(content: bytes, cards: Cards, start: int, path: str | os.PathLike[str]) -> Spectrum:
    _, data_start = find_end(content, start)
    plan = _plan_table(content[start:data_start])
    _require_end(content, data_start + plan.n_bytes)
    check_length(plan.n_pixel, path)
    flux, ivar, wave, andmask, ormask = (
        np.frombuffer(content, ">f4", plan.n_pixel, data_start + offset) for offset in plan.offsets
    )
    header = read_header(cards, Layout.TABLE, path)
    return assemble(header, path, flux=flux, ivar=ivar, wave=wave, andmask=andmask, ormask=ormask)


@lru_cache(maxsize=256)
def _plan_table(head: bytes) -> TablePlan:
    """Find the columns from the table's header; cached, for the survey has few headers."""
    cards, _ = read_cards(head, 0)
    names = {"XTENSION": "BINTABLE", "EXTNAME": "COADD"}
    sizes = {"BITPIX": 8, "NAXIS": 2, "NAXIS2": 1, "PCOUNT": 0, "GCOUNT": 1}
    if any(cards.get(keyword) != name for keyword, name in names.items()):
        raise UnusualError("table")
    if any(_whole(cards, keyword) != size for keyword, size in sizes.items()):
        raise UnusualError("table")
    if any(keyword.startswith(_TABLE_SCALING) for keyword in cards):
        raise UnusualError("scaling")
    places: dict[str, tuple[int, int]] = {}
    offset = 0
    for number in range(1, _whole(cards, "TFIELDS") + 1):
        name, form = cards.get(f"TTYPE{number}"), cards.get(f"TFORM{number}")
        match = _FLOAT_FORM.fullmatch(form) if isinstance(form, str) else None
        if match is None or not isinstance(name, str) or name.upper() in places:
            raise UnusualError("column")
        width = int(match[1] or 1)
        places[name.upper()] = (offset, width)
        offset += 4 * width
    if offset != _whole(cards, "NAXIS1") or not places.keys() >= set(COLUMNS):
        raise UnusualError("columns")
    widths = {places[name][1] for name in COLUMNS}
    if len(widths) != 1:
        raise UnusualError("widths")
    return TablePlan(tuple(places[name][0] for name in COLUMNS), widths.pop(), offset)


def _whole(cards: Cards, keyword: str) -> int:
    value = cards.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnusualError(keyword)
    return value


def _require_end(content: bytes, data_end: int) -> None:
    """Require that the file ends with the padding of this data."""
    if len(content) != -(-data_end // BLOCK_BYTES) * BLOCK_BYTES:
        raise UnusualError("length")
