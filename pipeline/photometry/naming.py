"""Names of positions, for many stars at once."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def designations(ra_deg_S: NDArray[np.float64], dec_deg_S: NDArray[np.float64]) -> pa.Array:
    """Return ``JHHMMSS.ss+DDMMSS.s``, truncated as the IAU asks; null without a position.

    Parameters
    ----------
    ra_deg_S, dec_deg_S : ndarray of float64, (S,)
        Positions in degrees; NaN where there is none.
    """
    known = np.isfinite(ra_deg_S) & np.isfinite(dec_deg_S)
    ra, dec = np.where(known, ra_deg_S, 0.0), np.where(known, dec_deg_S, 0.0)
    centiseconds = (np.mod(ra, 360.0) / 15.0 * 360000.0 + 1e-7).astype(np.int64) % 8640000
    deciseconds = (np.abs(dec) * 36000.0 + 1e-7).astype(np.int64)
    hours, minutes, seconds, centi = _sexagesimal(centiseconds, 100)
    degrees, arcmin, arcsec, deci = _sexagesimal(deciseconds, 10)
    sign = pc.if_else(pa.array(dec < 0), "-", "+")
    parts = [
        "J", _digits(hours), _digits(minutes), _digits(seconds), ".", _digits(centi), sign,
        _digits(degrees), _digits(arcmin), _digits(arcsec), ".", _digits(deci, 1), "",
    ]  # fmt: skip
    return pc.if_else(pa.array(known), pc.binary_join_element_wise(*parts), None)


def _sexagesimal(units: NDArray[np.int64], per_second: int) -> tuple[NDArray[np.int64], ...]:
    seconds, fraction = np.divmod(units, per_second)
    minutes, second = np.divmod(seconds, 60)
    whole, minute = np.divmod(minutes, 60)
    return whole, minute, second, fraction


def _digits(number: NDArray[np.int64], width: int = 2) -> Any:
    return pc.utf8_lpad(pa.array(number).cast(pa.string()), width, "0")
