"""The common wavelength grid of all spectra."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from pipeline.settings.spectra import SpectraSettings

Wavelengths = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class WaveGrid:
    """Log-linear vacuum wavelengths; two grids with the same numbers are equal and hash alike.

    Parameters
    ----------
    log10_first : float
        log10 of the first wavelength in Angstrom.
    log10_step : float
        Step in log10(wavelength), dex.
    n_pixel : int
        Number of pixels.
    """

    log10_first: float
    log10_step: float
    n_pixel: int

    @classmethod
    def from_settings(cls, settings: SpectraSettings) -> Self:
        """Grid of all multiples of the step between the two wavelengths of the settings.

        The survey's own pixels are at such multiples, so a spectrum that is not shifted in
        velocity is copied and not interpolated.

        Parameters
        ----------
        settings : SpectraSettings
            Wavelength limits and step.

        Returns
        -------
        WaveGrid
            The grid.

        Raises
        ------
        ValueError
            Fewer than two pixels lie between the two wavelengths.
        """
        step = settings.log10_step
        # A thousandth of a pixel of slack keeps a limit that is itself a grid point.
        first = math.ceil(math.log10(settings.wave_min_angstrom) / step - 1e-3)
        last = math.floor(math.log10(settings.wave_max_angstrom) / step + 1e-3)
        if last <= first:
            raise ValueError(
                f"no grid between {settings.wave_min_angstrom} and {settings.wave_max_angstrom} "
                f"Angstrom: set wave_max_angstrom above wave_min_angstrom by several pixels"
            )
        return cls(log10_first=first * step, log10_step=step, n_pixel=last - first + 1)

    @cached_property
    def log10_wave_L(self) -> Wavelengths:
        """log10 of the wavelengths in Angstrom: ndarray of float64, (L,)."""
        pixel_L = np.arange(self.n_pixel, dtype=np.float64)
        log10_wave_L: Wavelengths = self.log10_first + self.log10_step * pixel_L
        log10_wave_L.flags.writeable = False
        return log10_wave_L

    @cached_property
    def wave_L(self) -> Wavelengths:
        """Vacuum wavelengths in Angstrom: ndarray of float64, (L,)."""
        wave_L: Wavelengths = 10.0**self.log10_wave_L
        wave_L.flags.writeable = False
        return wave_L
