"""What the rows of an image file hold, as its EXTEN0 card says."""

import os
import re

from pipeline.lamost.cards import CardValue
from pipeline.lamost.errors import Reason, SpectrumError

_WORDS = re.compile(r"[a-z]+")
WAVELENGTH_ROWS = ["flux", "inverse", "wavelength", "andmask", "ormask"]
SUBCONTINUUM_ROWS = ["flux", "inverse", "subcontinuum", "andmask", "ormask"]


def has_subcontinuum(exten0: CardValue, path: str | os.PathLike[str]) -> bool:
    """Whether row 2 is DR1's sub-continuum instead of the wavelength.

    A file without the card is taken at its word: row 2 must then stand the check of wavelengths.

    Raises
    ------
    SpectrumError
        If the card names other rows.
    """
    if exten0 is None:
        return False
    rows = _WORDS.findall(str(exten0).lower())
    if rows not in (WAVELENGTH_ROWS, SUBCONTINUUM_ROWS):
        detail = f"EXTEN0 names the rows {exten0!r}; expected {', '.join(WAVELENGTH_ROWS)}"
        raise SpectrumError(Reason.UNKNOWN_LAYOUT, path, f"{detail}; no reader knows this file")
    return rows == SUBCONTINUUM_ROWS
