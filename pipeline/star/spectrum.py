"""One stored spectrum on the network's grid, with its continuum."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.masking import bad_pixels
from pipeline.spectra.normalise import normalised_flux
from pipeline.spectra.resampling import resample
from pipeline.spectra.stored import read_blocks
from pipeline.store.store import open_store


@dataclass(frozen=True)
class OneSpectrum:
    """Fluxes on the common grid.

    Parameters
    ----------
    wave_L : ndarray of float64, (L,)
        Vacuum wavelength in Angstrom.
    normal_L, continuum_L : ndarray of float32, (L,)
        Normalised flux, exactly 1 at bad pixels, and what the flux was divided by.
    bad_L : ndarray of bool, (L,)
        Pixels without information.
    frame : str
        ``rest`` or ``observed``.
    """

    wave_L: NDArray[np.float64]
    normal_L: NDArray[np.float32]
    continuum_L: NDArray[np.float32]
    bad_L: NDArray[np.bool_]
    frame: str

    @property
    def flux_L(self) -> NDArray[np.float32]:
        """Flux in the survey's units, NaN at bad pixels: (L,)."""
        return np.where(self.bad_L, np.nan, self.normal_L * self.continuum_L).astype(np.float32)


def read_spectrum(
    store: Path, row: int, rv_kms: float | None, settings: SpectraSettings
) -> OneSpectrum:
    """Read one spectrum and normalise it as inference does.

    Parameters
    ----------
    store : pathlib.Path
        The store.
    row : int
        Row of the store.
    rv_kms : float, optional
        Radial velocity; without one the spectrum stays where it is.
    settings : SpectraSettings
        Those that the network was trained with.
    """
    found = open_store(store)
    (block,) = read_blocks(
        found, pd.DataFrame({"row": [row]}), int(found["flux"].encoding["chunks"][0])
    )
    one = block.arrays
    padding_N = np.arange(one["flux"].shape[1]) >= one["n_pixel"][:, None]
    grid = WaveGrid.from_settings(settings)
    flux_BL, ivar_BL, bad_BL = resample(
        one["flux"],
        one["ivar"],
        bad_pixels(one["flux"], one["ivar"]) | padding_N,
        one["log10_first"],
        grid,
        np.array([rv_kms or 0.0]) if settings.frame == "rest" else None,
    )
    normal_BL, bad_BL, continuum_BL = normalised_flux(
        flux_BL, ivar_BL, bad_BL, grid.wave_L, settings
    )
    return OneSpectrum(
        np.asarray(grid.wave_L), normal_BL[0], continuum_BL[0], bad_BL[0], settings.frame
    )
