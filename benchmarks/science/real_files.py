"""Sums of real stars written as LAMOST files, to be read by ``pairspec ingest`` and ``infer``."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from real_folds import Stars

from pipeline.composites.couples import pair_light
from pipeline.composites.exposure import mean_snr, noisy, relative_variance
from pipeline.composites.pairing import Couples
from pipeline.composites.sums import Light, masked
from pipeline.settings.load import Settings
from pipeline.spectra.grid import WaveGrid
from pipeline.stars.orbits import draw_orbits, velocities

UNIT = 1e5
"""Brings the light of a dwarf, 10^(-0.4 M_G), to counts of the usual size."""


def couple_light(
    rng: np.random.Generator, stars: Stars, couples: Couples, settings: Settings
) -> tuple[Light, np.ndarray, np.ndarray]:
    """Add up couples as `expose_couples` does, up to the light with its noise.

    Returns
    -------
    tuple
        Light of the pairs, twins and unequal ones in turn; labels; rows of the couples used.
    """
    composites, spectra, pool = settings.composites, settings.spectra, stars.pool
    primary = couples.primary_D
    orbits = draw_orbits(
        rng, pool.mass_msun[primary], pool.mass_msun[couples.companion_D],
        settings.simulate.population,
    )  # fmt: skip
    apart = np.subtract(*velocities(orbits, 0.0).T)
    pairs = [
        pair_light(pool, stars.stored, primary, second, apart, composites, spectra)
        for second in (couples.twin_D, couples.companion_D)
    ]
    bad = pairs[0].bad_BL | pairs[1].bad_BL
    pairs = [masked(pair, bad) for pair in pairs]
    own = np.maximum(*(relative_variance(pair, spectra) for pair in pairs))
    reached = mean_snr(own, bad, spectra)
    highest = np.minimum(composites.snr_max, composites.snr_share * reached)
    bright = highest > composites.snr_min
    snr = np.exp(rng.uniform(np.log(composites.snr_min), np.log(np.maximum(highest, 26))))
    wanted = own * ((reached / snr) ** 2)[:, None].astype(np.float32)
    made = [noisy(pair, wanted, rng, spectra) for pair in pairs]
    used = np.flatnonzero(bright & (bad.mean(axis=1) <= 0.8 * spectra.max_bad_fraction))
    whole = Light(
        *(
            np.stack([one[used], two[used]], axis=1).reshape(2 * len(used), -1)
            for one, two in zip(*made, strict=True)
        )
    )
    return whole, np.tile([0, 1], len(used)), used


def write_files(light: Light, folder: Path, like: Path, settings: Settings) -> None:
    """Write each spectrum as an image file with the header of a real one, at rest.

    The number of the row is the OBSID less one; positions are a degree apart.
    """
    grid = WaveGrid.from_settings(settings.spectra)
    with fits.open(like) as file:
        header = file[0].header.copy()
    folder.mkdir(parents=True, exist_ok=True)
    none = np.zeros(grid.n_pixel)
    for row in range(len(light.flux_BL)):
        variance = light.variance_BL[row] * UNIT**2
        ivar = np.where(variance > 0, 1 / np.where(variance > 0, variance, 1), 0)
        rows = [light.flux_BL[row] * UNIT, ivar, grid.wave_L, none, none]
        own = header.copy()
        own["OBSID"], own["LMJD"], own["FIBERID"] = row + 1, 50_000 + row // 250, row % 250 + 1
        own["RA"], own["DEC"] = float(row % 360), float(row // 360)
        own["COEFF0"] = own["CRVAL1"] = grid.log10_first
        own["Z"] = 0.0
        for band in "UGRIZ":
            own[f"SNR{band}"] = 50.0
        name = f"spec-{own['LMJD']}-{own['PLANID']}_sp01-{own['FIBERID']:03d}.fits"
        own["FILENAME"] = name
        image = fits.PrimaryHDU(np.stack(rows).astype(np.float32), own)
        image.writeto(folder / name, overwrite=True)
