"""How fast spectra are simulated, in memory and as files, on one core.

``python benchmarks/speed/simulate.py [--spectra N]``. Beside it, what a user would write without
the kernel: one spectrum at a time, float64, the Gaussian as a dense sum over wavelength, and files
by astropy with gzip.
"""

import argparse
import gzip
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io import fits

from pipeline.settings.simulate import SimulateSettings, SurveySettings
from pipeline.settings.stars import ScatterSettings
from pipeline.simulate.examples import labelled_spectra
from pipeline.simulate.fibres import FIRST, N_PIXEL
from pipeline.simulate.field import SimulateJob, simulate_field
from pipeline.simulate.writer import compress, image_file
from pipeline.spectra.velocity import SPEED_OF_LIGHT_KMS
from pipeline.stars.composite import composite_flux
from pipeline.stars.templates import continuum, load_templates, normalised_flux


def timed(work: Callable[[], int]) -> tuple[float, float]:
    """Spectra per second of wall time and of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    n = work()
    return n / (time.perf_counter() - wall), n / (time.process_time() - cpu)


def kernel(n: int) -> int:
    labelled_spectra(n, 2, SimulateSettings())
    return n


def plain_kernel(n: int) -> int:
    """Noise-free single stars only: no scatter, no second star, no instrument."""
    model = load_templates()
    grid = FIRST + 1e-4 * np.arange(N_PIXEL)
    sigma = np.sqrt(1800.0**-2 - 2500.0**-2) / 2.3548 / np.log(10)
    rng = np.random.default_rng(0)
    for _ in range(n):
        label = np.array([[rng.uniform(4000, 6400), 4.5, 0.0]])
        flux = (normalised_flux(label) * continuum(label))[0].astype(np.float64)
        shifted = model.log10_wave_P + np.log10(1 + rng.normal(0, 40) / SPEED_OF_LIGHT_KMS)
        first = np.searchsorted(shifted, grid - 5 * sigma)
        window = first[:, None] + np.arange(40)
        weight = np.exp(-0.5 * ((shifted[window] - grid[:, None]) / sigma) ** 2)
        (weight * flux[window]).sum(axis=1) / weight.sum(axis=1)
    return n


def noise_free(n: int) -> int:
    """Do by the kernel what ``plain_kernel`` does."""
    from pipeline.stars.composite import Components
    from pipeline.stars.scatter import StarScatter

    rng = np.random.default_rng(0)
    labels = np.stack([rng.uniform(4000, 6400, n), np.full(n, 4.5), np.zeros(n)], axis=1)
    quiet = StarScatter(np.zeros((n, 30), np.float32), np.zeros(n, np.float32), np.zeros(n))
    stars = Components(np.arange(n), labels, np.ones(n), rng.normal(0, 40, n), quiet)
    composite_flux(
        stars, np.full(n, 1800.0), np.full(n, FIRST), N_PIXEL, ScatterSettings(enabled=False)
    )
    return n


def survey(folder: Path, n: int) -> int:
    settings = SimulateSettings(n_stars=n, survey=SurveySettings(field_stars=200, hats=False))
    job = SimulateJob(folder, settings)
    return sum(simulate_field(k, job)[1]["spectra"] for k in range(-(-n // 200)))


def our_files(rows: list[np.ndarray], n: int) -> int:
    for number in range(n):
        compress(image_file([("OBSID", number, "")], rows), 1)
    return n


def astropy_files(rows: list[np.ndarray], n: int) -> int:
    for number in range(n):
        hdu = fits.PrimaryHDU(np.stack(rows))
        hdu.header["OBSID"] = number
        buffer = io.BytesIO()
        hdu.writeto(buffer)
        gzip.compress(buffer.getvalue(), 1, mtime=0)
    return n


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spectra", type=int, default=1024)
    n = parser.parse_args().spectra
    example = labelled_spectra(256, 1, SimulateSettings())
    rows = [example.flux_BN[0], example.ivar_BN[0], *(example.flux_BN[k] for k in (1, 2, 3))]
    with tempfile.TemporaryDirectory() as folder:
        survey(Path(folder) / "warm", 10)
        table = {
            "labelled spectra in memory": timed(lambda: kernel(n)),
            "survey with files written": timed(lambda: survey(Path(folder) / "out", n)),
            "noise-free single stars, kernel": timed(lambda: noise_free(n)),
            "noise-free single stars, plain float64": timed(lambda: plain_kernel(n // 16)),
            "FITS bytes and gzip, own writer": timed(lambda: our_files(rows, n)),
            "FITS bytes and gzip, astropy": timed(lambda: astropy_files(rows, n // 4)),
        }
    print(f"{'':42}{'spectra/s':>12}{'per core s':>12}")
    for name, (wall, cpu) in table.items():
        print(f"{name:42}{wall:12,.0f}{cpu:12,.0f}")


if __name__ == "__main__":
    main()
