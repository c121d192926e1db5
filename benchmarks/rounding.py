"""What float16 and bfloat16 do to normalised spectra, beside their noise.

Usage: ``python benchmarks/rounding.py SPECTRA``, a folder of LAMOST files, of which those that
cannot be read, or are mostly bad, are counted and left out.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from pipeline.lamost.errors import SpectrumError
from pipeline.lamost.reader import read_spectrum
from pipeline.spectra.prepare import network_input
from pipeline.spectra.settings import SpectraSettings
from schemas.store import ROW_PIXELS

SETTINGS = SpectraSettings(frame="observed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spectra", type=Path)
    args = parser.parse_args()
    paths = sorted(args.spectra.rglob("*.fits.gz"))
    flux_BN = np.zeros((len(paths), ROW_PIXELS), np.float32)
    ivar_BN = np.zeros_like(flux_BN)
    first_B, length_B = np.zeros(len(paths)), np.zeros(len(paths), np.int32)
    for row, path in enumerate(paths):
        try:
            spectrum = read_spectrum(path)
        except SpectrumError:
            continue
        n = len(spectrum.flux)
        flux_BN[row, :n], ivar_BN[row, :n] = spectrum.flux, spectrum.ivar
        first_B[row], length_B[row] = np.log10(float(spectrum.wave[0])), n
    read_B = length_B > 0
    made = network_input(
        flux_BN[read_B], ivar_BN[read_B], first_B[read_B], length_B[read_B], None, SETTINGS,
        with_ivar=True,
    )  # fmt: skip
    flux_BL = torch.from_numpy(made.flux_BL[made.usable_B])
    good_BL = made.ivar_BL[made.usable_B] > 0
    sigma_BL = np.sqrt(1 / np.where(good_BL, made.ivar_BL[made.usable_B], 1))
    print(f"{len(paths)} files, {read_B.sum()} read, {len(flux_BL)} used")
    print("rms rounding over the continuum; its share of the noise: median, and 99 in 100 below")
    for dtype in (torch.float16, torch.bfloat16):
        error_BL = np.abs((flux_BL.to(dtype).float() - flux_BL).numpy())
        share = (error_BL / sigma_BL)[good_BL]
        rms = np.sqrt((error_BL[good_BL] ** 2).mean())
        print(f"{dtype}: {rms:.1e}; {np.median(share):.4f}, {np.quantile(share, 0.99):.3f}")


if __name__ == "__main__":
    main()
