"""Draw simulated spectra beside real ones: docs/figures/simulated-vs-real.png.

``python scripts/figure_simulated_vs_real.py --real DIR --out FILE``, where DIR holds real files,
``inventory.csv`` and ``tables/dr10_stellar_subset.csv``. It also prints the numbers behind it.
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from pipeline.lamost.reader import read_spectrum
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.simulate.examples import labelled_spectra
from pipeline.simulate.fibres import N_PIXEL
from pipeline.spectra.prepare import network_input
from pipeline.spectra.velocity import SPEED_OF_LIGHT_KMS

TEFFS_K = (4600.0, 5300.0, 5900.0, 6400.0)
BIN = 20
SPECTRA = SpectraSettings()


@dataclass
class Spectra:
    """Stored spectra with labels (Teff, log g, [Fe/H], S/N)."""

    flux: np.ndarray
    ivar: np.ndarray
    log10_first: np.ndarray
    n_pixel: np.ndarray
    rv_kms: np.ndarray
    labels: np.ndarray

    def prepared(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Normalised flux and its inverse variance on the common grid, and which are usable."""
        result = network_input(
            self.flux[rows], self.ivar[rows], self.log10_first[rows], self.n_pixel[rows],
            self.rv_kms[rows], SPECTRA, with_ivar=True,
        )  # fmt: skip
        flux, ivar = np.asarray(result.flux_BL), np.asarray(result.ivar_BL)
        return flux, ivar, np.asarray(result.usable_B)


def read_real(folder: Path) -> tuple[Spectra, dict[str, np.ndarray]]:
    """Dwarfs with published parameters, and the statistics of all files."""
    with (folder / "tables" / "dr10_stellar_subset.csv").open() as file:
        parameters = {row["obsid"]: row for row in csv.DictReader(file)}
    with (folder / "inventory.csv").open() as file:
        files = list(csv.DictReader(file))
    columns: list[list] = [[] for _ in range(6)]
    for row in files:
        known = parameters.get(row["obsid"].split(".")[0])
        if known is None or float(known["logg"]) < 4 or float(known["snrg"]) < 20:
            continue
        spectrum = read_spectrum(folder / row["path"])
        n = len(spectrum.flux)
        padding = (0, N_PIXEL - n)
        label = [float(known[name]) for name in ("teff", "logg", "feh", "snrg")]
        values = (
            np.pad(spectrum.flux, padding), np.pad(spectrum.ivar, padding),
            np.log10(float(spectrum.wave[0])), n, float(known["z"]) * SPEED_OF_LIGHT_KMS, label,
        )  # fmt: skip
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    statistics = {
        "S/N in g": np.array([float(row["snrg"] or "nan") for row in files]),
        "bad pixels": np.array([float(r["n_ivar_zero"]) / float(r["n_pixel"]) for r in files]),
        "pixels": np.array([float(row["n_pixel"]) for row in files]),
    }
    return Spectra(*(np.array(column) for column in columns)), statistics


def simulate(n: int) -> tuple[Spectra, dict[str, np.ndarray]]:
    made = labelled_spectra(n, 20, SimulateSettings(), snr_range=(10, 200), binary_fraction=0.3)
    labels = np.stack([made.teff_k, made.logg, made.feh, made.snr_g], axis=1)
    padding = N_PIXEL - made.n_pixel_B
    statistics = {
        "S/N in g": made.snr_g,
        "bad pixels": ((made.ivar_BN == 0).sum(axis=1) - padding) / made.n_pixel_B,
        "pixels": made.n_pixel_B.astype(float),
    }
    spectra = Spectra(
        made.flux_BN, made.ivar_BN, made.log10_first_B, made.n_pixel_B, made.rv_kms_B, labels
    )
    return spectra, statistics


def star_scatter(spectra: Spectra) -> np.ndarray:
    """Scatter of bins of 20 pixels about a quadratic fit in the labels, without photon noise."""
    label = spectra.labels
    rows = np.flatnonzero(
        (label[:, 0] > 4800) & (label[:, 0] < 6500) & (label[:, 1] > 4) & (label[:, 3] > 60)
    )
    flux, ivar, usable = spectra.prepared(rows)
    flux, ivar, label = flux[usable], ivar[usable], label[rows][usable]
    x = (label[:, :3] - [5700, 4.4, -0.2]) / [500, 0.2, 0.3]
    products = [x[:, i : i + 1] * x[:, i:] for i in range(3)]
    terms = np.concatenate([np.ones((len(x), 1)), x, *products], axis=1)
    flux = flux.astype(np.float64)
    residual = flux - terms @ np.linalg.lstsq(terms, flux, rcond=None)[0]
    n_bin = flux.shape[1] // BIN
    shape = (len(flux), n_bin, BIN)
    good = (ivar[:, : n_bin * BIN].reshape(shape) > 0).all(axis=2)
    mean = np.where(good, residual[:, : n_bin * BIN].reshape(shape).mean(axis=2), np.nan)
    variance = 1 / np.where(ivar > 0, ivar, np.inf)[:, : n_bin * BIN].reshape(shape)
    photon = np.nanmedian(np.where(good, variance.mean(axis=2) / BIN, np.nan), axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(mean - np.nanmedian(mean, axis=0)), axis=0)
    return np.sqrt(np.clip(spread**2 - photon, 0, None))


def draw(real: Spectra, made: Spectra, statistics: list[dict], scatter: list, out: Path) -> None:
    figure = plt.figure(figsize=(13, 13), layout="constrained")
    grid = figure.add_gridspec(6, 3, height_ratios=[1.4] * 4 + [1.2, 1.2])
    wave = SPECTRA.wave_min_angstrom * 10 ** (1e-4 * np.arange(5000))
    for row, teff in enumerate(TEFFS_K):
        axis = figure.add_subplot(grid[row, :])
        for spectra, name, shift, colour in (
            (real, "real", 0.0, "tab:blue"),
            (made, "simulated", -0.45, "tab:orange"),
        ):
            label = spectra.labels
            distance = np.abs(label[:, 0] - teff) / 100 + np.abs(label[:, 2]) / 0.1
            distance += np.where(label[:, 3] < 60, 10, 0)
            star = np.array([int(np.argmin(distance))])
            flux = spectra.prepared(star)[0][0]
            text = f"{name}: {label[star[0], 0]:.0f} K, [Fe/H] {label[star[0], 2]:+.2f}"
            text += f", S/N {label[star[0], 3]:.0f}"
            axis.plot(wave[: len(flux)], flux + shift, lw=0.5, color=colour, label=text)
        axis.set(xlim=(3900, 8800), ylim=(-0.1, 1.35), ylabel="normalised flux")
        axis.legend(loc="lower right", fontsize=8)
    axis = figure.add_subplot(grid[4, :])
    for values, name, colour in zip(
        scatter, ("real", "simulated"), ("tab:blue", "tab:orange"), strict=True
    ):
        axis.plot(wave[: len(values) * BIN : BIN], values, color=colour, label=name, lw=1)
    axis.set(xlim=(3900, 8800), ylim=(5e-4, 0.1), yscale="log", xlabel="wavelength (Angstrom)")
    axis.set_ylabel("star-to-star scatter")
    axis.legend(fontsize=8)
    bins = {
        "S/N in g": np.geomspace(3, 600, 30),
        "bad pixels": np.linspace(0, 0.15, 31),
        "pixels": np.arange(3740, 3915, 5),
    }
    for column, (name, edges) in enumerate(bins.items()):
        axis = figure.add_subplot(grid[5, column])
        for values, colour in zip(statistics, ("tab:blue", "tab:orange"), strict=True):
            weight = np.full(len(values[name]), 1 / len(values[name]))
            axis.hist(values[name], edges, weights=weight, histtype="step", color=colour)
        axis.set(xlabel=name, ylabel="fraction", yscale="linear" if name == "S/N in g" else "log")
        if name == "S/N in g":
            axis.set_xscale("log")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/figures/simulated-vs-real.png"))
    parser.add_argument("--spectra", type=int, default=2048)
    options = parser.parse_args()
    (real, of_real), (made, of_made) = read_real(options.real), simulate(options.spectra)
    scatter = [star_scatter(real), star_scatter(made)]
    draw(real, made, [of_real, of_made], scatter, options.out)
    for name in of_real:
        shares = (5, 25, 50, 75, 95)
        for kind, values in (("real", of_real), ("simulated", of_made)):
            text = " ".join(f"{x:9.4g}" for x in np.nanpercentile(values[name], shares))
            print(f"{name:12} {kind:10} percentiles {shares}: {text}")
    wave = SPECTRA.wave_min_angstrom * 10 ** (1e-4 * BIN * np.arange(len(scatter[0])))
    for low, high in ((3900, 4200), (4200, 5500), (5500, 6500), (6500, 7550), (7700, 8750)):
        inside = (wave >= low) & (wave < high)
        pair = [float(np.nanmedian(values[inside])) for values in scatter]
        print(f"scatter {low}-{high}: real {pair[0]:.4f} simulated {pair[1]:.4f}")


if __name__ == "__main__":
    main()
