"""Small dust maps in SFD's own format, which the package `dustmaps` reads."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

SIZE = 512


def write_sfd(folder: Path) -> Path:
    """Write both hemispheres: E(B-V) = 0.1 + galactic latitude / 1000."""
    folder.mkdir(parents=True, exist_ok=True)
    for pole, sign in (("ngp", 1), ("sgp", -1)):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["GLON-ZEA", "GLAT-ZEA"]
        wcs.wcs.crval = [90.0, 90.0 * sign]
        wcs.wcs.crpix = [SIZE / 2 + 0.5] * 2
        wcs.wcs.cd = np.diag([-0.35, 0.35])
        y, x = np.mgrid[:SIZE, :SIZE]
        with np.errstate(invalid="ignore"):
            latitude = wcs.wcs_pix2world(x.ravel(), y.ravel(), 0)[1].reshape(SIZE, SIZE)
        header = wcs.to_header()
        header["LAM_NSGP"], header["LAM_SCAL"] = sign, SIZE // 2
        data = np.nan_to_num(0.1 + latitude / 1000).astype(np.float32)
        fits.PrimaryHDU(data, header).writeto(folder / f"SFD_dust_4096_{pole}.fits")
    return folder
