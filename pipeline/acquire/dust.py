"""The dust map of Schlegel, Finkbeiner & Davis 1998 (ApJ 500, 525), as ``dustmaps`` reads it."""

from pathlib import Path

from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.request import Outcomes, Request, fetch
from pipeline.acquire.transfer import Kind, Wanted

FOLDER = "dust/sfd"
_POLES = {"ngp": 1, "sgp": -1}
"""Names of the halves, and the keyword LAM_NSGP of each."""
FILES = {pole: f"SFD_dust_4096_{pole}.fits" for pole in _POLES}
_SHAPE = (4096, 4096)
_BLOCK_BYTES = 2880


def acquire_dust(request: Request) -> Outcomes:
    """Fetch both halves of the map.

    Parameters
    ----------
    request : Request
        Where to.
    """
    url, folder = request.settings.dust_url, request.out / FOLDER
    wanted = [Wanted(pole, f"{url}/{name}", folder / name) for pole, name in FILES.items()]
    outcomes = fetch(request, Kind("dust", _check), wanted, 4 * _SHAPE[0] * _SHAPE[1])
    if not (request.dry_run or outcomes.n_missing):
        outcomes.lines.append(f"  -> {folder}")
    return outcomes


def _check(path: Path, pole: str) -> None:
    from astropy.io import fits

    # astropy only warns of a file whose padding is cut.
    if path.stat().st_size % _BLOCK_BYTES:
        raise FetchError(Reason.CORRUPT, "not a whole number of FITS blocks")
    try:
        with fits.open(path, memmap=False) as hdus:
            shape, side = hdus[0].data.shape, hdus[0].header.get("LAM_NSGP")
    except (OSError, TypeError, ValueError, AttributeError) as error:
        raise FetchError(Reason.CORRUPT, f"no FITS image: {error}") from None
    if shape != _SHAPE or side != _POLES[pole]:
        raise FetchError(Reason.NOT_WANTED, f"a map of {shape} with LAM_NSGP = {side}")
