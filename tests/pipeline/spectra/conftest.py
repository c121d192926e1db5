"""What several tests of spectra need: real rows, plain float64 formulas, both libraries."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.lamost.reader import read_spectrum

N_STORED = 3909


class Rows(NamedTuple):
    flux_BN: np.ndarray
    ivar_BN: np.ndarray
    log10_first_B: np.ndarray
    n_pixel_B: np.ndarray
    z_B: np.ndarray


@pytest.fixture(scope="session")
def real_rows(real_data: Path) -> Rows:
    """Real spectra as the store keeps them: every 40th file, and the ones worst masked."""
    inventory = pd.read_csv(real_data / "inventory.csv")
    inventory["bad"] = inventory["n_ivar_zero"] / inventory["n_pixel"]
    chosen = pd.concat([inventory.iloc[::40], inventory.nlargest(8, "bad")])
    chosen = chosen.drop_duplicates("path")
    flux_BN = np.zeros((len(chosen), N_STORED), np.float32)
    ivar_BN = np.zeros_like(flux_BN)
    first, count = [], []
    for row, path in enumerate(chosen["path"]):
        spectrum = read_spectrum(real_data / path)
        size = spectrum.flux.size
        flux_BN[row, :size] = spectrum.flux
        ivar_BN[row, :size] = spectrum.ivar
        first.append(np.log10(float(spectrum.wave[0])))
        count.append(size)
    z_B = chosen["z"].to_numpy()
    z_B = np.where(np.abs(z_B) < 0.01, z_B, 0.0)
    return Rows(flux_BN, ivar_BN, np.array(first), np.array(count), z_B)


@lru_cache(maxsize=2)
def plain_kernel(wave: bytes, sigma_angstrom: float, half: bool) -> np.ndarray:
    wave_L = np.frombuffer(wave)
    exponent_LL = (wave_L[:, None] - wave_L) ** 2 / sigma_angstrom**2
    return np.exp(-exponent_LL / 2 if half else -exponent_LL)


@pytest.fixture(scope="session")
def plain_smoothed_flux() -> Callable[..., np.ndarray]:
    """The formula as it is written, with the whole kernel, in float64."""

    def smooth(
        flux_BL: np.ndarray,
        weight_BL: np.ndarray,
        wave_L: np.ndarray,
        sigma_angstrom: float,
        half: bool = False,
    ) -> np.ndarray:
        kernel_LL = plain_kernel(wave_L.tobytes(), sigma_angstrom, half)
        weight_BL = weight_BL.astype(np.float64)
        with np.errstate(invalid="ignore"):
            return ((flux_BL.astype(np.float64) * weight_BL) @ kernel_LL) / (weight_BL @ kernel_LL)

    return smooth


@pytest.fixture(params=["numpy", "torch"])
def library(request: pytest.FixtureRequest) -> Callable[[np.ndarray], Any]:
    """Put a NumPy array into one of the two libraries."""
    return torch.from_numpy if request.param == "torch" else np.asarray
