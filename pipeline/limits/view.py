"""How model spectra are seen, so that they can be compared with an observed one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.prepare import Prepared, network_input

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """How B spectra are seen: fibre, mask, noise and preprocessing.

    Parameters
    ----------
    resolution_B, log10_first_B : ndarray of float64, (B,)
        Resolving power, and log10 of the first vacuum wavelength in Angstrom.
    n_pixel_B : ndarray of int64, (B,)
        Number of pixels.
    ivar_BN : ndarray of float32, (B, N)
        Inverse variance on that grid, 0 at bad pixels, for a mean flux of 1 in g.
    rv_kms_B : ndarray of float64, (B,)
        Velocity by which the preprocessing goes to the rest frame.
    settings : SpectraSettings
        Preprocessing.
    """

    resolution_B: Float64
    log10_first_B: Float64
    n_pixel_B: NDArray[np.int64]
    ivar_BN: Float32
    rv_kms_B: Float64
    settings: SpectraSettings

    def prepared(self, flux_BN: Float32) -> Float32:
        """Bring flux into network form.

        Parameters
        ----------
        flux_BN : ndarray of float32, (B, N)
            Flux, mean 1 in g.

        Returns
        -------
        ndarray of float32, (B, L)
            Normalised flux (continuum = 1).
        """
        return np.asarray(self._prepare(flux_BN, with_ivar=False).flux_BL)

    def weighed(self, flux_BN: Float32) -> tuple[Float32, Float32]:
        """Bring flux into network form, with its inverse variance.

        Parameters
        ----------
        flux_BN : ndarray of float32, (B, N)
            Flux, mean 1 in g.

        Returns
        -------
        flux_BL, ivar_BL : ndarray of float32, (B, L)
            Normalised flux (continuum = 1) and its inverse variance.
        """
        ready = self._prepare(flux_BN, with_ivar=True)
        return np.asarray(ready.flux_BL), np.asarray(ready.ivar_BL)

    def _prepare(self, flux_BN: Float32, *, with_ivar: bool) -> Prepared:
        return network_input(
            flux_BN, self.ivar_BN, self.log10_first_B, self.n_pixel_B, self.rv_kms_B,
            self.settings, with_ivar=with_ivar,
        )  # fmt: skip
