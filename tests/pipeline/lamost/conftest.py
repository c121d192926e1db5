"""Synthetic files of every layout, made with astropy."""

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from pipeline.lamost.spectrum import Spectrum

ARRAYS = ("flux", "ivar", "wave", "andmask", "ormask")
CARDS = {
    "OBSID": 101005,
    "DATA_V": "LAMOST DR13 Q1",
    "LMJD": 55859,
    "PLANID": "F5902",
    "SPID": 1,
    "FIBERID": 5,
    "RA": 332.535456,
    "DEC": -2.116436,
    "CLASS": "STAR",
    "SUBCLASS": "G0",
    "Z": -0.00025044,
    "Z_ERR": 2.635e-05,
    "SNRU": 0.71,
    "SNRG": 8.08,
    "SNRR": -9999.0,
    "SNRI": 23.05,
    "SNRZ": 11,
    "DATE-OBS": "2011-10-24T12:30:00",
    "LMJMLIST": "80436692-80436737-80436775",
    "EXPTIME": 5400.0,
    "HELIO_RV": 25.04442,
    "FIBERTYP": "Obj",
    "FIBERMAS": 64,
    "VERSPIPE": "v2.9.7",
    "DATE": "2019-06-13T08:03:16",
    "FILENAME": "spec-55859-F5902_sp01-005.fits",
    "DESIG": "LAMOST J221008.50-020659.1",
    "COEFF0": 3.5682,
    "COEFF1": 0.0001,
    "EXTEN0": "Flux, Inverse, Wavelength, Andmask, Ormask",
}


@dataclass
class Synthetic:
    """One spectrum to be written in any layout."""

    n_pixel: int = 300
    cards: dict[str, Any] = field(default_factory=lambda: dict(CARDS))

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.n_pixel)
        self.flux = random.normal(100, 30, self.n_pixel).astype(np.float32)
        self.ivar = random.uniform(0, 1, self.n_pixel).astype(np.float32)
        self.ivar[::7] = 0
        self.wave = (10 ** (3.5682 + 1e-4 * np.arange(self.n_pixel))).astype(np.float32)
        self.andmask = np.zeros(self.n_pixel, np.float32)
        self.andmask[3:9] = 5
        self.ormask = self.andmask.copy()
        self.ormask[20:30] = 2**20

    def primary(self, data: Any = None) -> fits.PrimaryHDU:
        hdu = fits.PrimaryHDU(data)
        for keyword, value in self.cards.items():
            hdu.header[keyword] = (value, "what it says / and more")
        return hdu

    def image(self, dtype: str = ">f4") -> bytes:
        rows = np.stack([getattr(self, name) for name in ARRAYS]).astype(dtype)
        return write(self.primary(rows))

    def columns(self) -> list[fits.Column]:
        names = ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK")
        form = f"{self.n_pixel}E"
        columns = [
            fits.Column(name, form, array=getattr(self, key)[None])
            for name, key in zip(names, ARRAYS, strict=True)
        ]
        short = np.full((1, 11), -9999, np.float32)
        return [*columns, fits.Column("NORMALIZATION", "11E", array=short)]

    def table(self, columns: list[fits.Column] | None = None) -> bytes:
        content = write(self.primary(), self.table_hdu(columns))
        # The survey's primary headers carry sizes of axes that do not exist.
        naxis = content.index(b"NAXIS   =")
        illegal = b"".join(
            card.ljust(80) for card in (b"NAXIS1  =                 3909", b"NAXIS2  = 5")
        )
        end = content.index(b"END".ljust(80))
        moved = content[naxis + 80 : end]
        head = content[: naxis + 80] + illegal + moved + b"END"
        rest = content[-(-(end + 80) // 2880) * 2880 :]
        return head.ljust(-(-len(head) // 2880) * 2880) + rest

    def table_hdu(self, columns: list[fits.Column] | None = None) -> fits.BinTableHDU:
        return fits.BinTableHDU.from_columns(columns or self.columns(), name="COADD")


class Content(bytes):
    """Bytes that do not fill the screen when a test fails."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def write(*hdus: Any) -> bytes:
    buffer = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(buffer, output_verify="silentfix")
    return buffer.getvalue()


def same(left: Spectrum, right: Spectrum) -> bool:
    """Equal headers, and arrays equal bit for bit, in native types."""
    if left.header != right.header:
        return False
    for name in ARRAYS:
        one, other = getattr(left, name), getattr(right, name)
        if one.dtype != other.dtype or not one.dtype.isnative or one.tobytes() != other.tobytes():
            return False
    return True


@pytest.fixture
def synthetic() -> type[Synthetic]:
    return Synthetic


@pytest.fixture
def fits_bytes() -> Callable[..., bytes]:
    return write


@pytest.fixture
def identical() -> Callable[[Spectrum, Spectrum], bool]:
    return same


@pytest.fixture(params=["image", "image64", "subcontinuum", "table"])
def any_layout(request: pytest.FixtureRequest) -> bytes:
    """Content of one file, of each layout in turn."""
    made = Synthetic()
    if request.param == "image64":
        return Content(made.image(">f8"))
    if request.param == "subcontinuum":
        made.cards["EXTEN0"] = "Flux Inverse Subcontinuum Andmask Ormask"
        made.wave = made.flux
    return Content(made.table() if request.param == "table" else made.image())


@pytest.fixture(params=["plain", "gzip"])
def packing(request: pytest.FixtureRequest) -> Callable[[bytes], bytes]:
    return gzip.compress if request.param == "gzip" else bytes
