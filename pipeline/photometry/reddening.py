"""E(B-V) from a dust map."""

import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import InputError

_GALACTIC_POLES = np.array([192.86, 12.86]), np.array([27.13, -27.13])
"""Right ascension and declination in degrees of the centres of the two files."""


def open_dust_map(name: str, folder: Path | None) -> Any:
    """Open a map of the package ``dustmaps``.

    Parameters
    ----------
    name : str
        ``sfd``: Schlegel, Finkbeiner & Davis 1998.
    folder : pathlib.Path, optional
        Folder of the map's files; by default the one that ``dustmaps`` is configured with.

    Raises
    ------
    InputError
        The package is not installed, or has no such map, or the files are not there.
    """
    if name != "sfd":
        raise InputError(f"no dust map {name!r}; there is sfd")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has no configuration file, which is fine
            from dustmaps.sfd import SFDQuery
    except ImportError as error:
        raise InputError(
            f'photometry.reddening = "map" needs the package dustmaps ({error}); '
            "pip install 'pairspec[dust]', or set photometry.reddening to lamost_column or "
            "gaia_column, with the column's name in photometry.reddening_column"
        ) from None
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")  # of a bad file, which is told below
            dust = SFDQuery(map_dir=None if folder is None else str(folder))
            poles = e_bv_from_map(dust, *_GALACTIC_POLES)
    except Exception as error:
        raise _unreadable(folder, str(error)) from error
    if not np.isfinite(poles).all():
        raise _unreadable(folder, "it has no value at the galactic poles")
    return dust


def _unreadable(folder: Path | None, why: str) -> InputError:
    return InputError(
        f"no SFD map that can be read in {folder or 'the folder that dustmaps is configured with'} "
        f"(photometry.dust_folder): {why}; fetch it with "
        "pairspec acquire dust --out data and name the folder (data/dust/sfd) that holds "
        "SFD_dust_4096_ngp.fits and SFD_dust_4096_sgp.fits, or set photometry.reddening to "
        "lamost_column or gaia_column, with the column's name in photometry.reddening_column"
    )


def e_bv_from_map(
    dust: Any, ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return E(B-V) in magnitudes, NaN where there is no position on the sky.

    Parameters
    ----------
    dust : callable
        Dust map, as from `open_dust_map`.
    ra_deg : ndarray of float64, (S,)
        Right ascension in degrees.
    dec_deg : ndarray of float64, (S,)
        Declination in degrees.
    """
    from astropy import units
    from astropy.coordinates import SkyCoord

    e_bv = np.full(len(ra_deg), np.nan)
    known = np.isfinite(ra_deg) & (np.abs(dec_deg) <= 90)
    if known.any():
        place = SkyCoord(ra_deg[known] * units.deg, dec_deg[known] * units.deg)
        e_bv[known] = dust(place)
    return e_bv
