"""How a stored spectrum becomes network input."""

from typing import Literal

from pydantic import Field

from pipeline.settings.section import Section


class SpectraSettings(Section):
    """Cleaning, resampling and normalisation of spectra."""

    wave_min_angstrom: float = Field(3900.0, gt=0)
    """First wavelength of the common grid, vacuum. [assumed]"""

    wave_max_angstrom: float = Field(8800.0, gt=0)
    """Last wavelength of the common grid, vacuum. [assumed]"""

    log10_step: float = Field(1e-4, gt=0)
    """Step of the common grid in log10(wavelength). [source: LAMOST's own sampling]"""

    frame: Literal["rest", "observed"] = "rest"
    """Shift spectra to the rest frame by the catalogue's velocity, or leave them. [assumed]"""

    max_bad_fraction: float = Field(0.06, ge=0, le=1)
    """Spectra with a larger fraction of bad pixels in the grid are not classified.
    [assumed, after Ho et al. 2017]"""

    sigma_angstrom: float = Field(350.0, gt=0)
    """Width of the Gaussian that smooths the flux into a continuum. [paper: 35 nm]"""

    half: bool = False
    """Put the extra 1/2 into the exponent, as TheCannon's code does. [paper: no]"""

    ivar_weighted: bool = False
    """Weight pixels by inverse variance in the continuum. [paper: no; Ho et al. 2017: yes]"""
