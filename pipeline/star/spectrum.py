"""One stored spectrum on the network's grid, with its continuum."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.stored import prepare, read_blocks
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
    wanted = pd.DataFrame({"row": [row], "rv_kms": [np.nan if rv_kms is None else rv_kms]})
    (block,) = read_blocks(found, wanted, int(found["flux"].encoding["chunks"][0]))
    ready = prepare(block, settings, None, with_continuum=True)
    wave_L = np.asarray(WaveGrid.from_settings(settings).wave_L)
    return OneSpectrum(
        wave_L, ready.flux_BL[0], np.asarray(ready.continuum_BL)[0], ready.bad_BL[0], settings.frame
    )
