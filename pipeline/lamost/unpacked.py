"""Arrays of an image or a table, unpacked and scaled by astropy.

astropy never sees the file's header, only one written anew with the cards that are needed.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.lamost.hdus import MAX_COLUMNS, claimed_number, padded

Card = tuple[str, Any]

_IMAGE_CARDS = ["BSCALE", "BZERO", "BLANK"]
_COLUMN_CARDS = ("TFORM", "TSCAL", "TZERO", "TDIM")


def read_image(header: Any, data: bytes) -> npt.NDArray[np.generic]:
    """Return the image of a primary HDU, scaled, in the order of axes of NumPy.

    Raises
    ------
    ValueError, TypeError, astropy.io.fits.VerifyError
        If the cards are not what FITS allows.
    """
    from astropy.io import fits

    n_axes = claimed_number(header, "NAXIS")
    axes = [f"NAXIS{axis + 1}" for axis in range(n_axes)]
    size: list[Card] = [("SIMPLE", True), ("BITPIX", header["BITPIX"]), ("NAXIS", n_axes)]
    content = _join(size + _cards(header, axes + _IMAGE_CARDS), data)
    rows: npt.NDArray[np.generic] = fits.PrimaryHDU.fromstring(content, uint=True).data
    return rows


def read_table(header: Any, data: bytes, n_rows: int) -> Any:
    """Return astropy's `FITS_rec` of some rows of a table, with the heap if it follows them.

    Its columns are known by their position, as in ``field(0)``.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Header of the table.
    data : bytes
        Rows of the table, and the heap.
    n_rows : int
        How many rows.

    Raises
    ------
    ValueError, KeyError, TypeError, astropy.io.fits.VerifyError
        If the columns are not what FITS allows.
    """
    from astropy.io import fits

    row_bytes = claimed_number(header, "NAXIS1")
    n_columns = claimed_number(header, "TFIELDS", MAX_COLUMNS)
    size: list[Card] = [("XTENSION", "BINTABLE"), ("BITPIX", 8), ("NAXIS", 2)]
    size += [("NAXIS1", row_bytes), ("NAXIS2", n_rows)]
    size += [("PCOUNT", len(data) - n_rows * row_bytes), ("GCOUNT", 1), ("TFIELDS", n_columns)]
    numbers = range(1, n_columns + 1)
    # Names are ours: the file may lack one, or have one twice.
    names: list[Card] = [(f"TTYPE{number}", f"COLUMN{number}") for number in numbers]
    columns = [f"{card}{number}" for number in numbers for card in _COLUMN_CARDS]
    content = _join(size + names + _cards(header, [*columns, "THEAP"]), data)
    return fits.BinTableHDU.fromstring(content, uint=True).data


def _cards(header: Any, keywords: list[str]) -> list[Card]:
    return [(keyword, header[keyword]) for keyword in keywords if keyword in header]


def _join(cards: list[Card], data: bytes) -> bytes:
    from astropy.io import fits

    head: bytes = fits.Header(cards).tostring().encode("ascii")
    return head + data.ljust(padded(len(data)), b"\0")
