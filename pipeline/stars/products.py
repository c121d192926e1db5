"""Matrix products that give the same bits for any number of threads of BLAS."""

import numpy as np
from numpy.typing import NDArray

ROWS = 32
BLOCK_SIZE = 200_000
"""Multiplications in one block. OpenBLAS shares a product among threads above 262,144, and then
cuts it elsewhere, which changes the rounding."""

VECTOR_SIZE = 8_192
"""The same for a product with one row; OpenBLAS's limit is 9,216."""


def product(left_BI: NDArray[np.float32], right_IN: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply two matrices block by block.

    Parameters
    ----------
    left_BI : ndarray of float32, (B, I)
        Left factor.
    right_IN : ndarray of float32, (I, N)
        Right factor.

    Returns
    -------
    ndarray of float32, (B, N)
        Their product.
    """
    n_row, n_inner = left_BI.shape
    n_column = right_IN.shape[1]
    result_BN = np.empty((n_row, n_column), dtype=np.float32)
    size = max(min(BLOCK_SIZE // (ROWS * n_inner), VECTOR_SIZE // n_inner), 1)
    for top in range(0, n_row, ROWS):
        rows = slice(top, top + ROWS)
        for first in range(0, n_column, size):
            columns = slice(first, first + size)
            np.matmul(left_BI[rows], right_IN[:, columns], out=result_BN[rows, columns])
    return result_BN


def interpolate_knots(knots_BJ: NDArray[np.float64], n_pixel: int) -> NDArray[np.float32]:
    """Interpolate linearly between evenly spaced knots, the first and last at the ends.

    Parameters
    ----------
    knots_BJ : ndarray of float64, (B, J)
        Values at the knots.
    n_pixel : int
        Number of pixels, N.

    Returns
    -------
    ndarray of float32, (B, N)
        Values at the pixels.
    """
    position = np.linspace(0, knots_BJ.shape[1] - 1, n_pixel)
    below = np.minimum(position.astype(np.intp), knots_BJ.shape[1] - 2)
    fraction = (position - below).astype(np.float32)
    knots = knots_BJ.astype(np.float32)
    step = np.diff(knots, axis=1)
    result: NDArray[np.float32] = knots[:, below] + step[:, below] * fraction
    return result
