"""Ways from files to p_b: what a user would write, and ours. Run in processes of their own."""

import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from plain_network import PlainNet
from torch.utils.data import DataLoader, TensorDataset

from pipeline.lamost.reader import read_spectrum
from pipeline.lamost.spectrum import Spectrum
from pipeline.network.checkpoint import load_model
from pipeline.network.predictor import Predictor
from pipeline.settings.infer import InferSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.prepare import network_input
from schemas.store import ROW_PIXELS

SPECTRA = SpectraSettings(frame="observed")
GRID = WaveGrid.from_settings(SPECTRA)
BLOCK = 512
"""Spectra that our way prepares at a time, as the stage does."""


class Outcome(NamedTuple):
    """What one process reports."""

    p_b_B: np.ndarray
    cpu_s: float
    part_s: dict[str, float]


class Clock:
    """Processor time by part."""

    def __init__(self) -> None:
        self.part_s: dict[str, float] = defaultdict(float)
        self._start = time.process_time()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time inside to this part."""
        start = time.process_time()
        yield
        self.part_s[name] += time.process_time() - start

    def outcome(self, p_b: list[np.ndarray]) -> Outcome:
        """Stop, and join the results."""
        return Outcome(np.concatenate(p_b), time.process_time() - self._start, dict(self.part_s))


def batches(items: list, size: int) -> Iterator[list]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


@cache
def kernel() -> np.ndarray:
    """Return the weights of the continuum as a dense matrix, (L, L) float32."""
    wave_L = GRID.wave_L
    return np.exp(-((wave_L[:, None] - wave_L) ** 2) / SPECTRA.sigma_angstrom**2).astype("f4")


@cache
def eager_model(path: Path) -> torch.nn.Module:
    return PlainNet(load_model(path)[0]).eval()


@cache
def predictor(path: Path, settings: InferSettings) -> Predictor:
    return Predictor(path, None, settings)


def read_with_astropy(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, memmap=False) as hdus:
            header = hdus[0].header
            if header["NAXIS"] == 2:
                image = hdus[0].data  # row 2 of the oldest files is no wavelength
                pixel_N = np.arange(image.shape[1])
                wave_N = 10 ** (header["COEFF0"] + header["COEFF1"] * pixel_N)
                return image[0], image[1], wave_N
            table = hdus[1].data
            return table["FLUX"][0], table["IVAR"][0], table["WAVELENGTH"][0]


def plain_files(paths: list[Path], model: Path, batch: int) -> Outcome:
    """Read by astropy, interpolate, divide by the dense product, eager float32 network."""
    torch.set_num_threads(1)
    network, log_wave_L = eager_model(model), np.log10(GRID.wave_L)
    clock, p_b = Clock(), []
    for some in batches(paths, batch):
        with clock.part("read"):
            read = [read_with_astropy(path) for path in some]
        with clock.part("normalise"):
            flux_BL = np.zeros((len(some), GRID.n_pixel), np.float32)
            good_BL = np.zeros(flux_BL.shape, np.float32)
            for row, (flux, ivar, wave) in enumerate(read):
                log_wave = np.log10(wave.astype(np.float64))
                good = (ivar > 0) & np.isfinite(flux)
                flux_BL[row] = np.interp(log_wave_L, log_wave, np.where(good, flux, 0), 0, 0)
                good_BL[row] = np.interp(log_wave_L, log_wave, good, 0, 0) == 1
            smooth_BL = (flux_BL * good_BL) @ kernel() / np.maximum(good_BL @ kernel(), 1e-9)
            use_BL = (good_BL > 0) & (smooth_BL > 0)
            flux_BL = np.where(use_BL, flux_BL / np.where(use_BL, smooth_BL, 1), 1)
        with clock.part("network"), torch.no_grad():
            p_b.append(torch.sigmoid(network(torch.from_numpy(flux_BL))).numpy())
    return clock.outcome(p_b)


def stacked(spectra: Iterable[Spectrum], n: int) -> tuple[np.ndarray, ...]:
    """Put `n` spectra into rows: flux_BN, ivar_BN, log10_first_B, n_pixel_B."""
    flux_BN = np.zeros((n, ROW_PIXELS), np.float32)
    ivar_BN = np.zeros(flux_BN.shape, np.float32)
    first_B, n_pixel_B = np.zeros(n), np.zeros(n, np.int32)
    for row, spectrum in enumerate(spectra):
        n_pixel_B[row] = size = spectrum.flux.size
        flux_BN[row, :size], ivar_BN[row, :size] = spectrum.flux, spectrum.ivar
        first_B[row] = np.log10(float(spectrum.wave[0]))
    return flux_BN, ivar_BN, first_B, n_pixel_B


def our_files(paths: list[Path], model: Path, settings: InferSettings) -> Outcome:
    """Go from files to p_b with the parts of ``pairspec ingest`` and ``pairspec infer``."""
    torch.set_num_threads(1)
    network = predictor(model, settings)
    clock, p_b = Clock(), []
    for some in batches(paths, BLOCK):
        with clock.part("read"):
            rows = stacked(map(read_spectrum, some), len(some))
        with clock.part("normalise"):
            ready = network_input(*rows, None, SPECTRA)
        with clock.part("network"):
            p_b.append(network.predict(ready.flux_BL)[1])
    return clock.outcome(p_b)


def plain_network(flux_path: Path, rows: slice, model: Path, batch: int, threads: int) -> Outcome:
    """Predict arrays with a DataLoader, as a user would write it."""
    torch.set_num_threads(threads)
    flux_BL, network = torch.from_numpy(np.load(flux_path)[rows].copy()), eager_model(model)
    loader = DataLoader(TensorDataset(flux_BL), batch_size=batch)
    clock = Clock()
    with torch.no_grad():
        p_b = [torch.sigmoid(network(some_BL)).numpy() for (some_BL,) in loader]
    return clock.outcome(p_b)


def our_network(flux_path: Path, rows: slice, model: Path, settings: InferSettings) -> Outcome:
    torch.set_num_threads(settings.threads or 1)
    flux_BL, network = np.load(flux_path)[rows].copy(), predictor(model, settings)
    clock = Clock()
    return clock.outcome([network.predict(flux_BL)[1]])


def matmul(dtype: torch.dtype, repeats: int = 30) -> float:
    """Measure a core's rate of products of 1024 x 1024 matrices, in GFLOP per second."""
    torch.set_num_threads(1)
    a, b = torch.randn(2, 1024, 1024).to(dtype)
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        a @ b
        best = min(best, time.process_time() - start)
    return 2 * 1024**3 / best / 1e9
