"""What the readers of other surveys share: their words in LAMOST's, and reasons of refusal."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from pipeline.formats.pixels import Pixels
from pipeline.lamost.arrays import assemble
from pipeline.lamost.cards import CardValue
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.identity import MJD_EPOCH, MJD_RANGE, read_header
from pipeline.lamost.spectrum import Layout, Spectrum


def spectrum_of(
    pixels: Pixels,
    row: int,
    cards: Mapping[str, CardValue],
    layout: Layout,
    path: str | os.PathLike[str],
) -> Spectrum:
    """Make the spectrum of one row; what its columns cannot hold is null, as for LAMOST.

    Parameters
    ----------
    pixels : Pixels
        Spectra on the grid.
    row : int
        Which of them.
    cards : mapping
        Identity and results under the names of LAMOST's header cards.
    layout : Layout
        Where it comes from.
    path : str or path-like
        File, for messages.

    Raises
    ------
    SpectrumError
        It has no identity.
    """
    header = read_header(cards, layout, path)
    return assemble(
        header,
        path,
        flux=pixels.flux_BN[row],
        ivar=pixels.ivar_BN[row],
        wave=pixels.wave_N,
        andmask=pixels.andmask_BN[row],
        ormask=pixels.ormask_BN[row],
    )


def iso_time(mjd: object) -> str | None:
    """Return a modified Julian date as ISO 8601; None where it is no date of a survey."""
    low, high = MJD_RANGE
    if not isinstance(mjd, int | float) or not low < mjd < high:
        return None
    return (MJD_EPOCH + timedelta(days=float(mjd))).isoformat()


def size_of(path: Path) -> int:
    """Return the size of a file in bytes.

    Raises
    ------
    SpectrumError
        It is a folder, a pipe or a device, which could be waited for without end.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SpectrumError(Reason.UNREADABLE, path, "no regular file; remove or replace it")
    return status.st_size


@contextmanager
def refusing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let whatever a reader fails with be the reason of a refusal: no file may stop a shard.

    Raises
    ------
    SpectrumError
        In place of every other error but a lack of memory.
    """
    try:
        yield
    except (SpectrumError, MemoryError):
        raise
    except Exception as error:
        # What libraries say of broken contents has no number of an error of the system.
        if isinstance(error, OSError) and error.errno is not None:
            detail = f"{error.strerror}; check that the file is there and may be read"
            raise SpectrumError(Reason.UNREADABLE, path, detail) from error
        detail = f"cannot be read ({type(error).__name__}: {error}); fetch the file again"
        raise SpectrumError(Reason.CORRUPT, path, detail) from error
