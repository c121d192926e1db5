"""What a run knows of its spectra, one row per file."""

from collections.abc import Callable

import numpy as np
import pandas as pd

_ROWS = """
    SELECT * FROM (
        SELECT o.row, o.obsid, o.ra_deg, o.dec_deg, o.snr_g, o.rv_kms, {p_b}
        FROM observations AS o {join}
    ) WHERE (
        {where}
    ) ORDER BY row
"""


def known_spectra(
    sql: Callable[[str], pd.DataFrame], where: str, *, predicted: bool
) -> pd.DataFrame:
    """Return what is known of the spectra, in order of row.

    Parameters
    ----------
    sql : callable
        Answers a query on the tables of the run.
    where : str
        A condition in SQL on the columns; empty for all spectra.
    predicted : bool
        The run has predictions; else p_b is unknown.

    Returns
    -------
    pandas.DataFrame
        ``row`` and ``obsid`` (-1 where there is none), ``ra_deg``, ``dec_deg``, ``snr_g``,
        ``rv_kms`` and ``p_b``, NaN where unknown.
    """
    frame = sql(
        _ROWS.format(
            p_b="p.p_b" if predicted else "NULL::FLOAT AS p_b",
            join="LEFT JOIN predictions AS p USING (row)" if predicted else "",
            where=where or "true",
        )
    )
    plain = {"row": "int64", "obsid": "int64"} | dict.fromkeys(
        ("ra_deg", "dec_deg", "rv_kms", "snr_g", "p_b"), "float64"
    )
    for name, dtype in plain.items():
        missing = -1 if dtype == "int64" else np.nan
        frame[name] = frame[name].to_numpy(dtype, na_value=missing)
    return frame
