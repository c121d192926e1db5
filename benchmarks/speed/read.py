"""How fast spectra are read: ours, astropy, fitsio and the bound of inflating alone.

Usage: ``python benchmarks/speed/read.py [FOLDER] [--rounds N]``. Every reader must deliver the same
five arrays in native order and the same header keys. Rounds are interleaved, so that a busy
machine hits all readers alike; one core; files warm in the page cache. Rates are medians.
"""

import argparse
import os
import statistics
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import fitsio
import numpy as np
from astropy.io import fits
from isal import isal_zlib
from rates import Rate, keep

from pipeline.lamost.content import GZIP_MAGIC, read_content
from pipeline.lamost.identity import KEYWORDS
from pipeline.lamost.names import is_spectrum_name
from pipeline.lamost.reader import read_spectrum

KEYS = sorted(KEYWORDS | {"EXTEN0", "COEFF0", "COEFF1"})
COLUMNS = ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK")


def native(arrays):
    return [np.asarray(values, np.float32) for values in arrays]


def with_astropy(path: Path):
    # astropy inflates gzip itself, by content.
    with fits.open(path, memmap=False) as hdus:
        header = hdus[0].header
        keys = {key: header.get(key) for key in KEYS}
        if header["NAXIS"] == 2:
            return keys, native(hdus[0].data)
        table = hdus[1].data
        return keys, native([table[name][0] for name in COLUMNS])


def with_fitsio(path: Path):
    # cfitsio picks its gzip driver by content; table columns in one read.
    with fitsio.FITS(str(path)) as hdus:
        header = hdus[0].read_header()
        keys = {key: header.get(key) for key in KEYS}
        if header["NAXIS"] == 2:
            return keys, native(hdus[0].read())
        row = hdus[1].read(columns=list(COLUMNS))
        return keys, native([row[name][0] for name in COLUMNS])


def inflate_with(decompress: Callable[..., bytes]) -> Callable[[Path], bytes]:
    """Read a file and inflate it in one call, the least that any reader must do."""

    def read(path: Path) -> bytes:
        content = path.read_bytes()
        return decompress(content, 31) if content.startswith(GZIP_MAGIC) else content

    return read


READERS: dict[str, Callable[[Path], object]] = {
    "read_spectrum": read_spectrum,
    "astropy": with_astropy,
    "fitsio": with_fitsio,
    "inflate only, isal": inflate_with(isal_zlib.decompress),
    "inflate only, zlib": inflate_with(zlib.decompress),
}


def default_folder() -> Path:
    beside = Path(__file__).resolve().parents[3] / "shared" / "data" / "lamost"
    return Path(os.environ.get("PAIRSPEC_REAL_DATA") or beside) / "spectra"


def readable(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if is_spectrum_name(path.name))


def measure(paths: list[Path], rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    rates: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in READERS}
    for _ in range(rounds):
        for name, read in READERS.items():
            wall, busy = time.perf_counter(), time.process_time()
            for path in paths:
                read(path)
            rates[name][0].append(len(paths) / (time.perf_counter() - wall))
            rates[name][1].append(len(paths) / (time.process_time() - busy))
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=default_folder())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="write the result file")
    options = parser.parse_args()
    paths = readable(options.folder)
    if not paths:
        parser.error(f"no spectra under {options.folder}: name a folder of LAMOST files")
    warnings.simplefilter("ignore")
    for path in paths:
        read_content(path)  # into the page cache
    rates = measure(paths, options.rounds)
    own_wall, own_busy = (statistics.median(values) for values in rates["read_spectrum"])
    print(f"{len(paths)} files, {options.rounds} interleaved rounds, one core, medians")
    print(f"{'reader':20} {'files/s':>9} {'ours/it':>8} {'files/CPU s':>12} {'ours/it':>8}")
    for name, (wall_rates, busy_rates) in rates.items():
        wall, busy = statistics.median(wall_rates), statistics.median(busy_rates)
        print(f"{name:20} {wall:9.0f} {own_wall / wall:8.2f} {busy:12.0f} {own_busy / busy:8.2f}")
    if options.keep:
        own = rates["read_spectrum"][1]
        what = ("read a spectrum", f"{len(paths):,} files", "files/core-s", own)
        keep(__file__, [Rate(*what, name, rates[name][1]) for name in list(rates)[1:]])


if __name__ == "__main__":
    main()
