"""What a network was trained on: the range of its stars' parameters, and which stars they were."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.network.named_file import read_named, write_named

PARAMETERS = ("teff_k", "logg", "feh", "snr_g")
"""What the range is given of."""

PERCENTILES = (0.5, 99.5)
"""Of the training spectra: single outliers do not teach a network."""

STARS = "training_stars.safetensors"

Range = tuple[float, float]


@dataclass(frozen=True)
class Domain:
    """What the training part holds.

    Parameters
    ----------
    ranges : mapping of str to tuple of float
        Lowest and highest value by parameter (``PARAMETERS``); those that are not known are absent.
    star_S : ndarray of int64, (S,)
        Gaia sources, rising; none for simulated stars.
    n_nameless : int
        Further stars, which have no Gaia source.
    """

    ranges: Mapping[str, Range]
    star_S: NDArray[np.int64]
    n_nameless: int = 0


def find_domain(columns: Sequence[Mapping[str, NDArray[Any]]], *, real: bool) -> Domain:
    """Find the range of the parameters of some spectra, and their stars.

    Parameters
    ----------
    columns : sequence of mapping of str to ndarray
        Columns of each source of spectra: ``PARAMETERS`` as far as known, ``star``, ``star2``.
    real : bool
        The stars are real ones, with Gaia sources or negative numbers.
    """
    ranges: dict[str, Range] = {}
    for name in PARAMETERS:
        values = [np.asarray(c[name], np.float64) for c in columns if name in c]
        known = np.concatenate([v[np.isfinite(v)] for v in values]) if values else np.empty(0)
        if known.size:
            low, high = np.percentile(known, PERCENTILES)
            ranges[name] = (float(low), float(high))
    stars = [np.asarray(c[n], np.int64) for c in columns for n in ("star", "star2") if n in c]
    star_S = np.unique(np.concatenate(stars)) if stars and real else np.empty(0, np.int64)
    return Domain(ranges, star_S[star_S > 0], int((star_S <= 0).sum()))


def write_stars(folder: Path, star_S: NDArray[np.int64]) -> str:
    """Write the stars beside a network; return the file's SHA-256.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the network.
    star_S : ndarray of int64, (S,)
        Gaia sources, rising.
    """
    return write_named(folder / STARS, {"source_id": star_S})


@lru_cache(maxsize=8)
def read_stars(folder: Path, sha256: str) -> NDArray[np.int64]:
    """Read the stars of a network, once per process.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the network.
    sha256 : str
        As its card says; empty where the card names no stars.

    Returns
    -------
    ndarray of int64, (S,)
        Gaia sources, rising.

    Raises
    ------
    InputError
        The file is missing or another one.
    """
    if not sha256:
        return np.empty(0, np.int64)
    arrays = read_named(folder / STARS, sha256, "which stars the network was trained on")
    return np.asarray(arrays["source_id"])
