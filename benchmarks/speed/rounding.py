"""Rounding errors of float16 and bfloat16 in normalised spectra, compared with their noise.

Usage: ``python benchmarks/speed/rounding.py SPECTRA``, a folder of LAMOST files, of which those
that cannot be read, or are mostly bad, are counted and left out.
"""

import argparse
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from infer_ways import SPECTRA, stacked

from pipeline.lamost.errors import SpectrumError
from pipeline.lamost.reader import read_spectrum
from pipeline.lamost.spectrum import Spectrum
from pipeline.spectra.prepare import network_input


def readable(paths: list[Path]) -> Iterator[Spectrum]:
    """Read what can be read."""
    for path in paths:
        with suppress(SpectrumError):
            yield read_spectrum(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spectra", type=Path, help="folder of LAMOST files")
    args = parser.parse_args()
    paths = sorted(args.spectra.rglob("*.fits.gz"))
    if not paths:
        parser.error(f"no spectra under {args.spectra}: name a folder of LAMOST files")
    spectra = list(readable(paths))
    made = network_input(*stacked(spectra, len(spectra)), None, SPECTRA, with_ivar=True)
    flux_BL = torch.from_numpy(made.flux_BL[made.usable_B])
    good_BL = made.ivar_BL[made.usable_B] > 0
    sigma_BL = np.sqrt(1 / np.where(good_BL, made.ivar_BL[made.usable_B], 1))
    print(f"{len(paths)} files, {len(spectra)} read, {len(flux_BL)} used")
    print("rms rounding over the continuum; its share of the noise: median, and 99 in 100 below")
    for dtype in (torch.float16, torch.bfloat16):
        error_BL = np.abs((flux_BL.to(dtype).float() - flux_BL).numpy())
        share = (error_BL / sigma_BL)[good_BL]
        rms = np.sqrt((error_BL[good_BL] ** 2).mean())
        print(f"{dtype}: {rms:.1e}; {np.median(share):.4f}, {np.quantile(share, 0.99):.3f}")


if __name__ == "__main__":
    main()
