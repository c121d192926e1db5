"""Files of other surveys as their data models describe them, written by astropy and pyarrow."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

DESI_ARMS = {"B": (3600.0, 2751), "R": (5760.0, 2326), "Z": (7520.0, 2881)}
"""First wavelength and pixels of each arm; 0.8 Angstrom a pixel."""


def star(wave: np.ndarray) -> np.ndarray:
    """A smooth continuum with one broad line."""
    continuum = 100 * np.exp(-0.5 * ((wave - 6000) / 3000) ** 2)
    return continuum * (1 - 0.3 * np.exp(-0.5 * ((wave - 6562.8) / 8) ** 2))


def noisy(wave: np.ndarray, seed: int, ivar: float = 1.0) -> np.ndarray:
    return star(wave) + np.random.default_rng(seed).normal(0, ivar**-0.5, wave.shape)


def write_sdss(path: Path, seed: int = 0, *, vacuum: bool = True, **spall) -> Path:
    """``spec-PLATE-MJD-FIBER.fits`` of BOSS in its lite form."""
    loglam = np.round(3.5500 + 1e-4 * np.arange(4620), 4)
    flux = noisy(10**loglam, seed)
    n = loglam.size
    ivar, masks = np.ones(n), np.zeros(n, np.int32)
    ivar[1000], masks[1000] = 0, 1 << 23
    coadd = fits.BinTableHDU.from_columns(
        [
            fits.Column("flux", "E", array=flux, unit="1E-17 erg/cm^2/s/Ang"),
            fits.Column("loglam", "E", array=loglam),
            fits.Column("ivar", "E", array=ivar),
            fits.Column("and_mask", "J", array=masks),
            fits.Column("or_mask", "J", array=masks | 2),
            fits.Column("wdisp", "E", array=np.ones(n)),
            fits.Column("sky", "E", array=np.zeros(n)),
            fits.Column("model", "E", array=star(10**loglam)),
        ],
        name="COADD",
    )
    values = {
        "PLATE": 4055, "MJD": 55359, "FIBERID": 1 + seed, "RA": 241.2 + seed, "DEC": 20.5,
        "CLASS": "STAR", "SUBCLASS": "G2", "Z": 1e-4, "Z_ERR": 1e-5, "RUN2D": "v5_13_2",
        "SN_MEDIAN": np.array([5.0, 42.0, 50, 48, 30]), "SPECTROGRAPHID": 1,
    } | spall  # fmt: skip
    forms = {int: "J", float: "D", str: "12A", np.ndarray: "5E"}
    row = fits.BinTableHDU.from_columns(
        [fits.Column(k, forms[type(v)], array=[v]) for k, v in values.items()], name="SPALL"
    )
    primary = fits.PrimaryHDU()
    primary.header["TAI-BEG"], primary.header["TAI-END"] = 4783017600.0, 4783021200.0
    primary.header["EXPTIME"], primary.header["VACUUM"] = 3600.0, vacuum
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([primary, coadd, row]).writeto(path, overwrite=True)
    return path


def write_desi(path: Path, n: int = 6, *, redrock: bool = True, first: int = 0) -> Path:
    """``coadd-SURVEY-PROGRAM-PIXNUM.fits`` with its redrock beside it."""
    targets = 39_627_000_000_000_000 + first + np.arange(n)
    kinds = ["TGT"] * (n - 1) + ["SKY"]
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("TARGETID", "K", array=targets),
            fits.Column("COADD_FIBERSTATUS", "J", array=np.zeros(n, int)),
            fits.Column("TARGET_RA", "D", array=150 + 0.01 * np.arange(n)),
            fits.Column("TARGET_DEC", "D", array=np.full(n, 30.0)),
            fits.Column("OBJTYPE", "3A", array=kinds),
            fits.Column("COADD_EXPTIME", "E", array=np.full(n, 900.0)),
            fits.Column("MEAN_MJD", "D", array=np.full(n, 59500.25)),
        ],
        name="FIBERMAP",
    )
    hdus = [fits.PrimaryHDU(), table]
    for arm, (start, size) in DESI_ARMS.items():
        wave = start + 0.8 * np.arange(size)
        flux = np.stack([noisy(wave, i + ord(arm)) for i in range(n)]).astype("f4")
        ivar, mask = np.ones((n, size), "f4"), np.zeros((n, size), "i4")
        ivar[:, 900], mask[:, 900] = 0, 4
        hdus += [
            fits.ImageHDU(wave, name=f"{arm}_WAVELENGTH"),
            fits.ImageHDU(flux, name=f"{arm}_FLUX"),
            fits.ImageHDU(ivar, name=f"{arm}_IVAR"),
            fits.CompImageHDU(mask, name=f"{arm}_MASK", compression_type="GZIP_2"),
        ]
        hdus[-4].header["BUNIT"] = "Angstrom"
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)
    if redrock:
        found = fits.BinTableHDU.from_columns(
            [
                fits.Column("TARGETID", "K", array=targets[::-1]),
                fits.Column("Z", "D", array=1e-5 * np.arange(n)[::-1]),
                fits.Column("ZERR", "D", array=np.full(n, 1e-6)),
                fits.Column("SPECTYPE", "6A", array=["STAR"] * n),
                fits.Column("SUBTYPE", "20A", array=["G"] * n),
            ],
            name="REDSHIFTS",
        )
        beside = path.with_name(path.name.replace("coadd-", "redrock-"))
        fits.HDUList([fits.PrimaryHDU(), found]).writeto(beside, overwrite=True)
    return path


def write_table(path: Path, wave: np.ndarray, n: int = 5, **columns) -> Path:
    """A user's own table; ``wave`` as it is to stand there."""
    rows = {
        "obsid": list(range(1, n + 1)),
        "flux": [noisy(10 ** (3.56 + 1e-4 * np.arange(wave.size)), i) for i in range(n)],
        "ivar": [np.ones(wave.size)] * n,
        "wave": [wave] * n,
        "ra_deg": [10.0 + i for i in range(n)],
        "dec_deg": [5.0] * n,
        "rv_kms": [30.0] * n,
    } | columns
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(rows), path, row_group_size=2)
    return path
