"""How unlike a spectrum is to those that a network was trained on, whatever the network says of it.

The normalised flux is averaged over bins of :data:`BIN` pixels, which takes most of the noise away,
and written as the mean of the training spectra plus their :data:`N_COMPONENT` principal components.
Two numbers say how unlike it is (Jackson & Mudholkar 1979): the distance from the mean within the
components, in units of their scatter and the spectrum's noise (T), and the rms of what they leave
over, in units of the noise (r). The score is the larger of T and r, each over its 99 % quantile in
training; the threshold is the :data:`QUANTILE` quantile of the validation spectra.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.network.named_file import read_named, write_named
from pipeline.spectra.arrays import host, place

if TYPE_CHECKING:
    from pipeline.network.loader import Labelled

BIN = 8
"""Pixels of a bin."""

N_COMPONENT = 16
QUANTILE = 0.995
"""Share of the validation spectra below the threshold."""

FLOOR = 0.005
"""Errors of calibration in a bin, in units of the continuum: no spectrum is better than that."""

FEWEST, MOST = 64, 16_384
"""Training spectra that are needed, and that are looked at."""

NOVELTY = "novelty.safetensors"

_TRAINING_QUANTILE = 0.99
_WEIGHT_W2 = np.array([[1 / 8] * 8, [0, 0, 0.5, 0.5, -0.5, -0.5, 0, 0]], np.float32).T
"""Mean of a bin, and the difference of two pairs of its pixels, which tells the noise: resampling
to the rest frame mixes neighbours, which takes noise from their own difference, not from a bin."""

_MEDIAN_OF_PAIRS = 0.6745
"""Median of the difference of two means of two pixels each, in units of a pixel's noise."""

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Novelty:
    """What a network's training spectra are like.

    Parameters
    ----------
    mean_H : ndarray of float32, (H,)
        Mean spectrum in bins of 8 pixels.
    component_IH : ndarray of float32, (I, H)
        Principal components.
    scatter_I : ndarray of float32, (I,)
        Standard deviation along each.
    limit_2 : ndarray of float32, (2,)
        Quantiles of T and r in training.
    threshold : float
        Spectra of a higher score are unlike those of the training.
    """

    mean_H: Float32
    component_IH: Float32
    scatter_I: Float32
    limit_2: Float32
    threshold: float

    def score(self, flux_BL: Any) -> Float32:
        """Return how unlike spectra are: (B,), NaN where a pixel is not finite.

        Parameters
        ----------
        flux_BL : ndarray or Tensor of float32, (B, L)
            Normalised flux (continuum = 1) on the grid of the training.
        """
        return np.asarray((self._measures(*_described(flux_BL)) / self.limit_2).max(axis=1))

    def unlike(self, flux_BL: Any) -> NDArray[np.bool_]:
        """Tell which spectra are unlike those of the training: (B,).

        Parameters
        ----------
        flux_BL : ndarray or Tensor of float32, (B, L)
            As for `score`.
        """
        return np.asarray(self.score(flux_BL) > self.threshold)

    def _measures(self, binned_BH: Float32, noise_B: Float32) -> Float32:
        """Return T and r: (B, 2)."""
        apart_BH = binned_BH - self.mean_H
        along_BI = apart_BH @ self.component_IH.T
        left_B = np.square(apart_BH).sum(axis=1) - np.square(along_BI).sum(axis=1)
        noise2_B = noise_B**2 / BIN
        spread2_BI = self.scatter_I**2 + noise2_B[:, None]
        within_B = np.sqrt((np.square(along_BI) / spread2_BI).sum(axis=1))
        rest_B = np.sqrt(np.maximum(left_B, 0) / self.mean_H.size / (noise2_B + FLOOR**2))
        return np.stack([within_B, rest_B], axis=1)


def fit_novelty(training: "Labelled", validation: "Labelled") -> Novelty | None:
    """Learn what the training spectra are like; None from fewer than `FEWEST`.

    Parameters
    ----------
    training, validation : Labelled
        Spectra in network form. Up to `MOST` of each are looked at, evenly over all.
    """
    if len(training) < FEWEST or not len(validation):
        return None
    binned_BH, noise_B = _described_part(training)
    mean_H = binned_BH.mean(axis=0)
    covariance_HH = np.cov(binned_BH, rowvar=False, dtype=np.float64)
    variance_H, vector_HH = np.linalg.eigh(covariance_HH)
    n = min(N_COMPONENT, mean_H.size - 1)
    last = slice(-1, -n - 1, -1)
    found = Novelty(
        mean_H,
        np.ascontiguousarray(vector_HH[:, last].T, np.float32),
        np.sqrt(np.maximum(variance_H[last], 1e-12)).astype(np.float32),
        np.ones(2, np.float32),
        np.inf,
    )
    measures_B2 = found._measures(binned_BH, noise_B)
    limit_2 = np.quantile(measures_B2, _TRAINING_QUANTILE, axis=0).astype(np.float32)
    held_B2 = found._measures(*_described_part(validation)) / limit_2
    threshold = float(np.quantile(held_B2.max(axis=1), QUANTILE))
    return Novelty(found.mean_H, found.component_IH, found.scatter_I, limit_2, threshold)


def write_novelty(folder: Path, novelty: Novelty) -> str:
    """Write it beside a network; return the file's SHA-256.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the network.
    novelty : Novelty
        As from `fit_novelty`.
    """
    arrays = vars(novelty) | {"threshold": np.array([novelty.threshold])}
    return write_named(folder / NOVELTY, arrays)


@lru_cache(maxsize=8)
def read_novelty(folder: Path, sha256: str) -> Novelty | None:
    """Read what the training spectra of a network are like, once per process.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the network.
    sha256 : str
        As its card says; empty where the card, of an earlier version, names no such file.

    Returns
    -------
    Novelty, optional
        None where the card names none.

    Raises
    ------
    InputError
        The file is missing or another one.
    """
    if not sha256:
        return None
    arrays = read_named(folder / NOVELTY, sha256, "what the training spectra are like")
    threshold = float(arrays.pop("threshold")[0])
    return Novelty(**arrays, threshold=threshold)


def _described(flux_BL: Any) -> tuple[Float32, Float32]:
    """Return spectra in bins, (B, H), and their noise per pixel, (B,)."""
    n, n_bin = len(flux_BL), flux_BL.shape[1] // BIN
    flux_HW = flux_BL[:, : n_bin * BIN].reshape(n * n_bin, BIN)
    both_H2 = host(flux_HW @ place(_WEIGHT_W2, flux_HW))
    binned_BH = np.ascontiguousarray(both_H2[:, 0]).reshape(n, n_bin)
    apart_BH = np.abs(both_H2[:, 1]).reshape(n, n_bin)
    noise_B = np.median(apart_BH, axis=1) / np.float32(_MEDIAN_OF_PAIRS)
    return binned_BH, noise_B


def _described_part(part: "Labelled") -> tuple[Float32, Float32]:
    rows = np.unique(np.linspace(0, len(part) - 1, min(len(part), MOST)).astype(np.int64))
    found = [
        _described(part.fetch(rows[start : start + 1024])[0].float().numpy())
        for start in range(0, len(rows), 1024)
    ]
    binned, noise = zip(*found, strict=True)
    return np.concatenate(binned), np.concatenate(noise)
