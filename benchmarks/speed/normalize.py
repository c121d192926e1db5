"""Smoothing 4,096 masked spectra, side by side with the ways in common use.

    OMP_NUM_THREADS=1 python benchmarks/speed/normalize.py

All ways run in this one process with the same number of threads (default 1, as a worker has) on
the same spectra, in turns; the best of several turns counts. Ways that take long run on the first
few spectra only, and their rate is per spectrum of those: the table says how many.
"""

import argparse
import os

THREADS = os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.update(OPENBLAS_NUM_THREADS=THREADS, MKL_NUM_THREADS=THREADS)
for slowing in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(slowing, None)

import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import NamedTuple  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from rates import Rate, keep  # noqa: E402

from pipeline.settings.spectra import SpectraSettings  # noqa: E402
from pipeline.spectra.arrays import row_blocks  # noqa: E402
from pipeline.spectra.continuum import smoothed_flux  # noqa: E402
from pipeline.spectra.grid import WaveGrid  # noqa: E402
from pipeline.spectra.masking import bad_pixels  # noqa: E402
from pipeline.spectra.prepare import network_input  # noqa: E402
from pipeline.spectra.resampling import resample  # noqa: E402

SETTINGS = SpectraSettings()
GRID = WaveGrid.from_settings(SETTINGS)
N_SPECTRUM, N_STORED, N_EXACT = 4096, 3909, 256


class Way(NamedTuple):
    """One way of smoothing, and on how many spectra it is timed."""

    name: str
    smooth: Callable[[np.ndarray, np.ndarray], np.ndarray]
    n_spectrum: int


def stored_spectra() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Continua of several shapes with noise, 2 % of single bad pixels, and gaps."""
    rng = np.random.default_rng(0)
    x_N = np.linspace(-1, 1, N_STORED, dtype=np.float32)
    shape_B3 = rng.normal(0, 0.3, (N_SPECTRUM, 3)).astype(np.float32)
    flux_BN = 2 + shape_B3 @ np.stack([x_N, x_N**2, np.sin(9 * x_N)])
    flux_BN += 0.05 * rng.standard_normal(flux_BN.shape, dtype=np.float32)
    flux_BN *= (10 ** rng.uniform(-0.4, 8, (N_SPECTRUM, 1))).astype(np.float32)
    ivar_BN = (rng.random(flux_BN.shape, dtype=np.float32) > 0.02).astype(np.float32)
    for row, gap in enumerate(rng.integers(0, N_STORED - 150, N_SPECTRUM)):
        ivar_BN[row, gap : gap + 150] = 0
    log10_first_B = np.full(N_SPECTRUM, 3.5682)
    n_pixel_B = np.full(N_SPECTRUM, N_STORED)
    return flux_BN, ivar_BN, log10_first_B, n_pixel_B, rng.normal(0, 100, N_SPECTRUM)


def resampled(stored: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Flux on the grid, and bad pixels; in the blocks in which network_input() works."""
    flux_BN, ivar_BN, log10_first_B, _, velocity_B = stored
    flux_BL = np.empty((N_SPECTRUM, GRID.n_pixel), np.float32)
    bad_BL = np.empty(flux_BL.shape, bool)
    for rows in row_blocks(N_SPECTRUM, flux_BN):
        bad_BN = bad_pixels(flux_BN[rows], ivar_BN[rows])
        flux_BL[rows], _, bad_BL[rows] = resample(
            flux_BN[rows], None, bad_BN, log10_first_B[rows], GRID, velocity_B[rows]
        )
    return flux_BL, bad_BL


def ways_of_smoothing() -> list[Way]:
    exact_LL = np.exp(-((GRID.wave_L[:, None] - GRID.wave_L) ** 2) / SETTINGS.sigma_angstrom**2)
    single_LL = exact_LL.astype(np.float32)

    def ours(flux_BL: np.ndarray, weight_BL: np.ndarray) -> np.ndarray:
        return smoothed_flux(flux_BL, weight_BL, GRID.wave_L, SETTINGS.sigma_angstrom)

    def ours_torch(flux_BL: np.ndarray, weight_BL: np.ndarray) -> np.ndarray:
        return ours(torch.from_numpy(flux_BL), torch.from_numpy(weight_BL)).numpy()

    def dense(flux_BL: np.ndarray, weight_BL: np.ndarray) -> np.ndarray:
        return ((flux_BL * weight_BL) @ single_LL) / (weight_BL @ single_LL)

    def dense_torch(flux_BL: np.ndarray, weight_BL: np.ndarray) -> np.ndarray:
        flux, weight = torch.from_numpy(flux_BL), torch.from_numpy(weight_BL)
        kernel = torch.from_numpy(single_LL)
        return (((flux * weight) @ kernel) / (weight @ kernel)).numpy()

    def thecannon(flux_BL: np.ndarray, weight_BL: np.ndarray) -> np.ndarray:
        weight_BL = weight_BL.astype(np.float64)
        return np.dot(flux_BL * weight_BL, exact_LL.T) / np.dot(weight_BL, exact_LL.T)

    def loop(flux_BL: np.ndarray, weight_BL: np.ndarray) -> np.ndarray:
        out_BL = np.empty(flux_BL.shape)
        for row in range(len(flux_BL)):
            flux_L, weight_L = flux_BL[row].astype(float), weight_BL[row].astype(float)
            out_BL[row] = (exact_LL @ (flux_L * weight_L)) / (exact_LL @ weight_L)
        return out_BL

    return [
        Way("smoothed_flux, NumPy", ours, N_SPECTRUM),
        Way("smoothed_flux, torch", ours_torch, N_SPECTRUM),
        Way("dense product, float32, NumPy", dense, N_SPECTRUM),
        Way("dense product, float32, torch", dense_torch, N_SPECTRUM),
        Way("dense product, float64 (as TheCannon)", thecannon, 512),
        Way("loop over spectra, float64", loop, 64),
    ]


def seconds(call: Callable[[], object], turns: int = 3) -> float:
    best = np.inf
    for _ in range(turns):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return float(best)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", action="store_true", help="write the result file")
    options = parser.parse_args()
    stored = stored_spectra()
    flux_BL, bad_BL = resampled(stored)
    weight_BL = (~bad_BL).astype(np.float32)
    ways = ways_of_smoothing()
    exact_BL = next(way for way in ways if "loop" in way.name).smooth(
        flux_BL[:N_EXACT], weight_BL[:N_EXACT]
    )
    turns: dict[str, list[float]] = {}
    for _ in range(3):
        for way in ways:
            some = slice(0, way.n_spectrum)
            time_s = seconds(lambda w=way, s=some: w.smooth(flux_BL[s], weight_BL[s]), turns=1)
            turns.setdefault(way.name, []).append(way.n_spectrum / time_s)
    rates = {name: max(found) for name, found in turns.items()}

    print(
        f"Smoothing {N_SPECTRUM} spectra of {GRID.n_pixel} pixels, {bad_BL.mean():.1%} bad, sigma "
        f"{SETTINGS.sigma_angstrom:g} Angstrom; {THREADS} thread(s) for every way\n"
    )
    header = (
        f"{'way':40}{'timed on':>9}{'spectra/s':>11}{'ours NumPy is':>15}{'max rel. diff.':>16}"
    )
    print(f"{header}\n{'-' * len(header)}")
    ours = rates[ways[0].name]
    for way in ways:
        got_BL = way.smooth(flux_BL[:N_EXACT], weight_BL[:N_EXACT])
        error = np.abs(got_BL / exact_BL - 1).max()
        rate = rates[way.name]
        print(f"{way.name:40}{way.n_spectrum:9}{rate:11.0f}{ours / rate:13.1f} x{error:16.1e}")

    tensors = [torch.from_numpy(column) for column in stored]
    whole_s = seconds(lambda: network_input(*stored, SETTINGS))
    resample_s = seconds(lambda: resampled(stored))
    rest_s = max(whole_s - resample_s - N_SPECTRUM / ours, 0.0)
    torch_s = seconds(lambda: network_input(*tensors, SETTINGS))
    print(
        f"\nnetwork_input, NumPy: {N_SPECTRUM / whole_s:.0f} spectra/s "
        f"({whole_s / N_SPECTRUM * 1e6:.0f} us each: mask and resample "
        f"{resample_s / whole_s:.0%}, smooth {N_SPECTRUM / ours / whole_s:.0%}, "
        f"rest {rest_s / whole_s:.0%}); torch on the CPU: {N_SPECTRUM / torch_s:.0f} spectra/s"
    )
    if options.keep:
        first, *others = ways
        what = ("continuum", f"{N_SPECTRUM:,} spectra", "spectra/core-s", turns[first.name])
        keep(__file__, [Rate(*what, way.name, turns[way.name]) for way in others])


if __name__ == "__main__":
    main()
