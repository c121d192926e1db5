"""From the spectra of the sample to its stars: one star is one Gaia source."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.parquet import read_table
from pipeline.photometry.intrinsic import Measured
from schemas.photometry import PHOTOMETRY
from schemas.quality import PhotometryFlag
from schemas.sample import SAMPLE

_COLUMNS = ["shard", "row", "obsid", "source_id", "feh", "g_ks_0", "m_g", "flags"]

_MEDIANS = ["feh", "g_ks_0", "m_g"]

_MEASURED = {
    f"{band}{end}": f"{band}_mag{end}" for band in ("g", "bp", "rp", "ks") for end in ("", "_err")
} | {name: name for name in ("e_bv", "distance_pc", "distance_err_pc")}
"""What was measured, and its column of the photometry."""


@dataclass(frozen=True)
class Stars:
    """S stars.

    Parameters
    ----------
    source_S : ndarray of int64, (S,)
        Gaia sources, rising.
    feh_S, colour_S, m_g_S : ndarray of float64, (S,)
        Medians over the star's spectra: [Fe/H] in dex, (G-Ks)0 and M_G in magnitudes; NaN where
        none has a value.
    blended_S : ndarray of bool, (S,)
        The bit BLENDED is set for one of its spectra.
    """

    source_S: NDArray[np.int64]
    feh_S: NDArray[np.float64]
    colour_S: NDArray[np.float64]
    m_g_S: NDArray[np.float64]
    blended_S: NDArray[np.bool_]

    @property
    def complete_S(self) -> NDArray[np.bool_]:
        """Stars that have all that the ridge needs: (S,)."""
        return np.isfinite(self.feh_S) & np.isfinite(self.colour_S) & np.isfinite(self.m_g_S)


def read_spectra(folder: Path, *, training: bool) -> pa.Table:
    """Read the spectra of the sample that have a star, ordered by row.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the table of the sample.
    training : bool
        Only those of the training sample; the filter is applied on reading.

    Returns
    -------
    pyarrow.Table
        The columns that labels need: 44 bytes per spectrum.
    """
    wanted = pc.field("source_id").is_valid()
    if training:
        wanted &= pc.field("training")
    table = read_table(folder, SAMPLE, _COLUMNS, wanted)
    return table.sort_by("row").combine_chunks()


def gather_stars(spectra: pa.Table, missing_values: tuple[float, ...]) -> Stars:
    """Combine the spectra of each star.

    Parameters
    ----------
    spectra : pyarrow.Table
        As from :func:`read_spectra`.
    missing_values : tuple of float
        Numbers that stand for a missing value.

    Returns
    -------
    Stars
        Ordered by source.
    """
    frame = pd.DataFrame({name: spectra[name].to_numpy() for name in ("source_id", *_MEDIANS)})
    values = frame[_MEDIANS].astype("float64")
    frame[_MEDIANS] = values.mask(values.isin(list(missing_values)) | ~np.isfinite(values))
    blended = (spectra["flags"].to_numpy() & int(PhotometryFlag.BLENDED)) != 0
    grouped = frame.assign(blended=blended).groupby("source_id", sort=True)
    median = grouped[_MEDIANS].median()
    feh, colour, m_g = (median[name].to_numpy(np.float64) for name in _MEDIANS)
    any_blended = grouped["blended"].any().to_numpy(bool)
    return Stars(median.index.to_numpy(np.int64), feh, colour, m_g, any_blended)


def read_measured(folder: Path, source_S: NDArray[np.int64]) -> Measured:
    """Read what the brightness of stars was made of: magnitudes, reddening, distance, errors.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the table of the photometry.
    source_S : ndarray of int64, (S,)
        Gaia sources; the filter is applied on reading.

    Returns
    -------
    Measured
        Medians over the spectra of each star, NaN where none has a value.
    """
    wanted = pc.field("source_id").isin(pa.array(source_S))
    table = read_table(folder, PHOTOMETRY, ["source_id", *_MEASURED.values()], wanted)
    columns = {name: table[column].to_numpy() for name, column in _MEASURED.items()}
    frame = pd.DataFrame(columns | {"source_id": table["source_id"].to_numpy()})
    median = frame.groupby("source_id").median().reindex(source_S)
    return Measured(**{name: median[name].to_numpy(np.float64) for name in _MEASURED})
