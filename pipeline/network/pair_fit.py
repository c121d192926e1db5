"""Two stars against one by chi^2, weighed into a network's log-odds.

A network learns pairs; the model of :mod:`pipeline.pairfit` learns single stars alone, and knows
the noise of a spectrum. So each knows something that the other does not. The log-odds become
a z + b arcsinh(g / 10) + c, with z those of the network and g the gain in chi^2 by a second star;
a, b and c are those of the highest likelihood on the validation spectra.
"""

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.network.named_file import read_named, write_named
from pipeline.pairfit.evidence import Evidence
from pipeline.pairfit.grid import LabelGrid
from pipeline.pairfit.model import StarModel

PAIR_FIT = "pair_fit.safetensors"

GAIN_SCALE = 10.0
"""Below this gain in chi^2 the log-odds rise linearly, above it with its logarithm."""

Float32 = NDArray[np.float32]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PairFit:
    """A model of single stars, and what its evidence weighs beside that of a network.

    Parameters
    ----------
    model : StarModel
        Single stars.
    grid : LabelGrid
        Labels of single stars and pairs.
    weight_3 : ndarray of float64, (3,)
        a, b and c.
    """

    model: StarModel
    grid: LabelGrid
    weight_3: FloatArray

    @cached_property
    def evidence(self) -> Evidence:
        """Ready for many spectra."""
        return Evidence(self.model, self.grid)

    def combined(self, logit_B: Float32, flux_BL: Float32) -> Float32:
        """Weigh the evidence of spectra into log-odds.

        Parameters
        ----------
        logit_B : ndarray of float32, (B,)
            Log-odds of the network; NaN stays NaN.
        flux_BL : ndarray of float32, (B, L)
            Normalised flux (continuum = 1), exactly 1 at bad pixels.

        Returns
        -------
        ndarray of float32, (B,)
            Log-odds of a pair.
        """
        known = np.isfinite(logit_B)
        both_B = np.full(logit_B.shape, np.nan, np.float32)
        if known.any():
            gain_B = self.evidence.gain(flux_BL[known] - 1)
            both_B[known] = weighed_terms(logit_B[known], gain_B) @ self.weight_3
        return both_B


def write_pair_fit(folder: Path, fit: PairFit) -> str:
    """Write it beside a network; return the file's SHA-256.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the network.
    fit : PairFit
        What it is.
    """
    arrays = vars(fit.model) | vars(fit.grid) | {"weight_3": fit.weight_3}
    return write_named(folder / PAIR_FIT, arrays)


@lru_cache(maxsize=8)
def read_pair_fit(folder: Path, sha256: str) -> PairFit | None:
    """Read the pair fit of a network, once per process.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the network.
    sha256 : str
        As its card says; empty where it has none.

    Returns
    -------
    PairFit, optional
        None where the card names none.

    Raises
    ------
    InputError
        The file is missing or another one.
    """
    if not sha256:
        return None
    arrays = read_named(folder / PAIR_FIT, sha256, "how single stars look, for the fit of pairs")
    model = StarModel(**{f.name: arrays[f.name] for f in fields(StarModel)})
    grid = LabelGrid(**{f.name: arrays[f.name] for f in fields(LabelGrid)})
    return PairFit(model, grid, arrays["weight_3"])


def weighed_terms(logit_B: Float32, gain_B: FloatArray) -> FloatArray:
    """Return what is weighed: (B, 3).

    Parameters
    ----------
    logit_B : ndarray of float32, (B,)
        Log-odds of the network.
    gain_B : ndarray of float64, (B,)
        Gain in chi^2 by a second star.
    """
    return np.stack([logit_B, np.arcsinh(gain_B / GAIN_SCALE), np.ones(len(gain_B))], axis=1)
