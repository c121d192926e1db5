from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from pipeline.spectra.masking import bad_fraction, bad_pixels

FLUX_BN = np.array([[1, 0, -1, 1, 1, np.nan, np.inf, 1, -np.inf]], np.float32)
IVAR_BN = np.array([[1, 1e-14, 1, 0, -1, 1, 1, np.nan, 1]], np.float32)


def test_each_kind_of_bad_pixel(library: Callable[[np.ndarray], Any]) -> None:
    bad_BN = bad_pixels(library(FLUX_BN), library(IVAR_BN))
    assert bad_BN.tolist() == [[False, False, False, True, True, True, True, True, True]]


def test_infinite_ivar_is_bad(library: Callable[[np.ndarray], Any]) -> None:
    ivar_BN = np.array([[np.inf, 1.0]], np.float32)
    assert bad_pixels(library(np.ones_like(ivar_BN)), library(ivar_BN)).tolist() == [[True, False]]


def test_fraction_counts_each_row() -> None:
    bad_BL = np.array([[True, False, False, False], [True] * 4, [False] * 4])
    assert bad_fraction(bad_BL).tolist() == [0.25, 1.0, 0.0]
    assert bad_fraction(torch.from_numpy(bad_BL)).tolist() == [0.25, 1.0, 0.0]
    assert bad_fraction(bad_BL).dtype == np.float32
