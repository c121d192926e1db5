"""How much better two stars fit a spectrum than one, for many spectra.

With V the variance of noise and scatter of each pixel and C that of the common components, chi^2 of
a spectrum x at a point p of the labels is (x - pB)' (V + C'C)^-1 (x - pB). The Woodbury identity
makes it a quadratic form of the few numbers in p.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.pairfit.grid import LabelGrid
from pipeline.pairfit.model import StarModel

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]

SMALLEST_NOISE, LARGEST_NOISE, NOISE_STEP = 0.001, 1.0, 0.1
"""Noise of a spectrum is rounded to steps in its logarithm, so that a few weights serve all."""

NOISE_PIXELS = 4
"""Each fourth pixel tells the noise well enough."""

FILLINGS = 3
"""How often the fit that tells the noise is made, bad pixels filled by the one before."""

CHUNK = 64
"""Spectra that are compared with the whole grid at a time."""

_MEDIAN_OF_NORMAL = 0.6745


class Evidence:
    """A model and a grid, ready for many spectra; the weights of each noise are kept.

    Parameters
    ----------
    model : StarModel
        Single stars.
    grid : LabelGrid
        Single stars and pairs.
    """

    def __init__(self, model: StarModel, grid: LabelGrid) -> None:
        self._model, self._grid = model, grid
        self._n_basis = len(model.basis_IL)
        self._shape_FL = np.concatenate([model.basis_IL, model.common_CL])
        self._axes_lF = np.linalg.qr(self._shape_FL[:, ::NOISE_PIXELS].T)[0].astype(np.float32)
        self._upper = np.triu_indices(self._n_basis)
        twice_X = np.where(self._upper[0] == self._upper[1], 1.0, 2.0)
        place_GI = grid.place_GI
        products_GX = place_GI[:, self._upper[0]] * place_GI[:, self._upper[1]] * twice_X
        self._grid_XG = np.concatenate([products_GX, -2 * place_GI], axis=1).T.astype(np.float32)
        self._weighted: dict[int, tuple[Float32, FloatArray]] = {}

    def gain(self, flux_BL: Float32) -> FloatArray:
        """Return chi^2 of the best single star less that of the best pair: (B,).

        Parameters
        ----------
        flux_BL : ndarray of float32, (B, L)
            As for `chi2`.
        """
        gain_B = np.empty(len(flux_BL))
        for start in range(0, len(flux_BL), CHUNK):
            rows = slice(start, start + CHUNK)
            gain_B[rows] = self._grid.gain(self.chi2(flux_BL[rows]))
        return gain_B

    def chi2(self, flux_BL: Float32) -> Float32:
        """Return chi^2 at every point of the grid, but for a constant of the spectrum: (B, G).

        Parameters
        ----------
        flux_BL : ndarray of float32, (B, L)
            Normalised flux less 1; pixels of exactly 0 are bad and do not count.
        """
        normal_BII, right_BI = self._forms(flux_BL)
        packed_BX = np.concatenate([normal_BII[:, *self._upper], right_BI], axis=1)
        return np.asarray(packed_BX.astype(np.float32) @ self._grid_XG)

    def noise(self, flux_BL: Float32) -> FloatArray:
        """Tell the noise of spectra from what the model leaves over: (B,).

        Parameters
        ----------
        flux_BL : ndarray of float32, (B, L)
            As for `chi2`.

        Returns
        -------
        ndarray of float64, (B,)
            Standard deviation of a pixel of profile 1, in units of the continuum; the largest one
            where no pixel tells it.
        """
        model, axes_lF = self._model, self._axes_lF
        some_Bl = flux_BL[:, ::NOISE_PIXELS]
        good_Bl, filled_Bl = some_Bl != 0, some_Bl
        for _ in range(FILLINGS):
            fitted_Bl = (filled_Bl @ axes_lF) @ axes_lF.T
            filled_Bl = np.where(good_Bl, some_Bl, fitted_Bl)
        rest_Bl = np.abs(some_Bl - fitted_Bl)
        rest_Bl /= np.sqrt(model.profile_L[::NOISE_PIXELS]).astype(np.float32)
        all_B = np.full(len(flux_BL), LARGEST_NOISE)
        for row in np.flatnonzero(good_Bl.any(axis=1)):
            all_B[row] = np.median(rest_Bl[row, good_Bl[row]]) / _MEDIAN_OF_NORMAL
        own = float(np.median(model.scatter_L / model.profile_L))
        noise_B = np.sqrt(np.maximum(all_B**2 - own, SMALLEST_NOISE**2))
        return np.minimum(noise_B, LARGEST_NOISE)

    def _forms(self, flux_BL: Float32) -> tuple[FloatArray, FloatArray]:
        """Return N, (B, I, I), and r, (B, I), of chi^2 = p' N p - 2 p' r."""
        n_spectra, n_shape = len(flux_BL), len(self._shape_FL)
        step_B = np.rint(np.log(self.noise(flux_BL) / SMALLEST_NOISE) / NOISE_STEP).astype(int)
        product_BFF = np.empty((n_spectra, n_shape, n_shape))
        right_BF = np.empty((n_spectra, n_shape))
        for step in np.unique(step_B):
            rows = np.flatnonzero(step_B == step)
            weighted_FL, whole_FF = self._weights(int(step))
            right_BF[rows] = flux_BL[rows] @ weighted_FL.T
            for row in rows:
                bad = np.flatnonzero(flux_BL[row] == 0)
                product_BFF[row] = whole_FF - weighted_FL[:, bad] @ self._shape_FL[:, bad].T
        b, c = slice(self._n_basis), slice(self._n_basis, None)
        inner_BCC = np.eye(n_shape - self._n_basis) + product_BFF[:, c, c]
        across_BCI, across_BIC = product_BFF[:, c, b], product_BFF[:, b, c]
        both_BCX = np.concatenate([across_BCI, right_BF[:, c, None]], axis=2)
        solved_BIX = across_BIC @ np.linalg.solve(inner_BCC, both_BCX)
        return product_BFF[:, b, b] - solved_BIX[:, :, :-1], right_BF[:, b] - solved_BIX[:, :, -1]

    def _weights(self, step: int) -> tuple[Float32, FloatArray]:
        """Return the shapes over the variance of a noise, and their products with each other."""
        if step not in self._weighted:
            model = self._model
            noise = SMALLEST_NOISE * np.exp(step * NOISE_STEP)
            weighted_FL = self._shape_FL / (noise**2 * model.profile_L + model.scatter_L)
            self._weighted[step] = weighted_FL.astype(np.float32), weighted_FL @ self._shape_FL.T
        return self._weighted[step]
