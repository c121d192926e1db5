"""Hostile files: every one is answered in a second and 200 MB, with a reason."""

import gzip
import os
import time
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits

from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.reader import read_spectrum

MEGABYTE = 2**20


@pytest.fixture
def answer(tmp_path):
    """Reason for which a content is refused, None if it is read; measures time and memory."""

    def measured(content: bytes) -> Reason | None:
        path = tmp_path / "content"
        path.write_bytes(content)
        tracemalloc.start()
        began = time.process_time()
        try:
            read_spectrum(path)
            reason = None
        except SpectrumError as error:
            assert len(error.detail) <= 500
            reason = error.reason
        seconds = time.process_time() - began
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert seconds < 1
        assert peak < 200 * MEGABYTE
        return reason

    read_spectrum_once(tmp_path)  # astropy takes its time to be imported
    return measured


def read_spectrum_once(folder) -> None:
    (folder / "warm").write_bytes(b"SIMPLE  = T".ljust(2880))
    with pytest.raises(SpectrumError):
        read_spectrum(folder / "warm")


def card(keyword: str, value: object) -> bytes:
    return f"{keyword:<8}= {value:>20}".encode().ljust(80)


def header(*cards: bytes) -> bytes:
    content = b"".join([*cards, b"END".ljust(80)])
    return content.ljust(-(-len(content) // 2880) * 2880)


def primary(*cards: bytes) -> bytes:
    return header(card("SIMPLE", "T"), *cards)


def replaced(content: bytes, keyword: str, value: object, last: bool = False) -> bytes:
    head = f"{keyword:<8}=".encode()
    place = content.rindex(head) if last else content.index(head)
    return content[:place] + card(keyword, value) + content[place + 80 :]


EMPTY = (card("BITPIX", 8), card("NAXIS", 0))
BIG = 9223372036854775807


def test_gzip_that_inflates_to_much(answer):
    assert answer(gzip.compress(bytes(100 * MEGABYTE), 1)) is Reason.TOO_LARGE
    assert answer(gzip.compress(primary(*EMPTY) + bytes(100 * MEGABYTE), 1)) is Reason.TOO_LARGE
    members = gzip.compress(bytes(4 * MEGABYTE), 1) * 30
    assert answer(members) is Reason.TOO_LARGE


def test_gzip_of_many_members(answer, synthetic):
    assert answer(gzip.compress(b"") * 500_000) is Reason.TOO_LARGE
    content = synthetic().table()
    step = len(content) // 50
    parts = [content[at : at + step] for at in range(0, len(content), step)]
    assert answer(b"".join(map(gzip.compress, parts))) is None


def test_a_large_file(answer):
    assert answer(bytes(17 * MEGABYTE)) is Reason.TOO_LARGE
    assert answer(bytes(15 * MEGABYTE)) is Reason.NOT_FITS


def test_gzip_in_gzip_is_not_inflated_twice(answer):
    assert answer(gzip.compress(gzip.compress(bytes(MEGABYTE)))) is Reason.NOT_FITS


@pytest.mark.parametrize("keyword", ["NAXIS", "NAXIS1", "NAXIS2", "BITPIX", "PCOUNT", "GCOUNT"])
@pytest.mark.parametrize("value", [BIG, BIG + 1, "9" * 60, -1, "NaN", "1E30", "'2'"])
def test_sizes_that_an_image_claims(keyword, value, answer, synthetic):
    content = synthetic().image()
    head = f"{keyword:<8}=".encode()
    if head not in content:
        content = content.replace(b"EXTEN0  =", head)
    reason = answer(replaced(content, keyword, value))
    assert reason in {Reason.CORRUPT, Reason.TRUNCATED, Reason.UNKNOWN_LAYOUT}


@pytest.mark.parametrize("keyword", ["NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "TFIELDS"])
@pytest.mark.parametrize("value", [BIG, BIG + 1, "9" * 60, -1, "NaN", "1E30", "'2'"])
def test_sizes_that_a_table_claims(keyword, value, answer, synthetic):
    reason = answer(replaced(synthetic().table(), keyword, value, last=True))
    assert reason in {Reason.CORRUPT, Reason.TRUNCATED, Reason.UNKNOWN_LAYOUT}


@pytest.mark.parametrize("keyword", ["TFORM1", "TDIM1", "TSCAL1", "TZERO1", "THEAP"])
@pytest.mark.parametrize("value", ["'999999999E'", "'9E'", "'1PE(9)'", "'(9,9,9)'", BIG, 1e300, -1])
def test_columns_that_a_table_claims(keyword, value, answer, synthetic):
    content = synthetic().table()
    head = f"{keyword:<8}=".encode()
    if head not in content:
        content = content.replace(b"TTYPE6  =", head)
    reason = answer(replaced(content, keyword, value, last=True))
    assert reason is None or reason in {
        Reason.CORRUPT, Reason.TRUNCATED, Reason.UNKNOWN_LAYOUT, Reason.BAD_WAVELENGTH
    }  # fmt: skip


def test_as_many_axes_as_fits_allows(answer):
    axes = [card(f"NAXIS{axis + 1}", BIG) for axis in range(990)]
    assert answer(primary(card("BITPIX", 8), card("NAXIS", 990), *axes)) is Reason.CORRUPT
    axes = [card(f"NAXIS{axis + 1}", 1) for axis in range(990)]
    content = primary(card("BITPIX", 8), card("NAXIS", 990), *axes) + bytes(2880)
    assert answer(content) is Reason.UNKNOWN_LAYOUT


@pytest.mark.parametrize(
    "image",
    [b"COMMENT".ljust(80), card("OBSID", 5), card("HIERARCH", 1), b"\xff" * 80, bytes(80)],
    ids=["comment", "repeated", "hierarch", "bytes", "zeros"],
)
def test_thousands_of_cards(image, answer):
    assert answer(primary(*EMPTY, *[image] * 150_000)) is Reason.CORRUPT
    assert answer(primary(*EMPTY, *[image] * 990)) in {Reason.TRUNCATED, Reason.CORRUPT}


@pytest.mark.parametrize("keyword", ["LMJMLIST", "EXTEN0", "DATE-OBS", "DATA_V", "OBSID", "PLANID"])
def test_long_texts(keyword, answer, synthetic):
    chain = [f"CONTINUE  '{'12345678-' * 7}&'".encode().ljust(80)] * 900
    content = synthetic().image()
    place = content.index(f"{keyword:<8}=".encode())
    first = f"{keyword:<8}= '80436692&'".encode().ljust(80)
    end = content.index(b"END".ljust(80))
    cards = content[:place] + first + b"".join(chain) + content[place + 80 : end]
    data = content[-(-(end + 80) // 2880) * 2880 :]
    whole = header(*[cards[at : at + 80] for at in range(0, len(cards), 80)]) + data
    assert answer(whole) is (Reason.UNKNOWN_LAYOUT if keyword == "EXTEN0" else None)


def test_numbers_of_many_digits(answer, synthetic):
    made = synthetic()
    made.cards |= {"LMJMLIST": "9" * 900, "OBSID": "9" * 900}
    assert answer(made.image()) is None


def test_deep_lists_of_hdus(answer):
    extension = header(card("XTENSION", "'IMAGE   '"), *EMPTY, card("PCOUNT", 0), card("GCOUNT", 1))
    assert answer(primary(*EMPTY) + extension * 5000) is Reason.TOO_LARGE
    assert answer(primary(*EMPTY) + extension * 15) is Reason.UNKNOWN_LAYOUT
    long = header(card("XTENSION", "'IMAGE   '"), *EMPTY, *[card("OBSID", 1)] * 990)
    assert answer(primary(*EMPTY) + long * 15) is Reason.UNKNOWN_LAYOUT


def test_spectra_of_many_pixels(answer, fits_bytes, synthetic):
    rows = np.ones((5, 700_000), ">f4")
    assert answer(fits_bytes(synthetic().primary(rows))) is Reason.TOO_LARGE
    scaled = fits_bytes(synthetic().primary(np.ones((5, 3_000_000), "u1")))
    scaled = replaced(scaled.replace(b"EXTEN0  =", b"BSCALE  ="), "BSCALE", 0.5)
    assert answer(scaled) is Reason.TOO_LARGE
    made = synthetic(n_pixel=300_000)
    assert answer(made.table()) is Reason.TOO_LARGE
    made = synthetic(n_pixel=32_768)
    # In float32, wavelengths that long are not to be told apart any more.
    assert answer(made.image()) is Reason.BAD_WAVELENGTH


def test_columns_with_a_large_heap(answer, fits_bytes, synthetic):
    names = ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK")
    vector = np.empty(1, object)
    for size, reason in ((300_000, Reason.TOO_LARGE), (3_000_000, Reason.TOO_LARGE)):
        vector[0] = np.ones(size, "u1")
        columns = [fits.Column(name, "PB()", array=vector) for name in names]
        assert answer(fits_bytes(synthetic().primary(), synthetic().table_hdu(columns))) is reason


def test_columns_of_variable_length_are_read(answer, synthetic):
    made = synthetic()
    vector = np.empty(1, object)
    columns = []
    for column in made.columns()[:5]:
        vector[0] = column.array[0]
        columns.append(fits.Column(column.name, "PE()", array=vector.copy()))
    assert answer(made.table(columns)) is None


@pytest.mark.parametrize("kind", ["ZIMAGE", "ZTABLE"])
def test_packed_files_are_refused_with_what_to_do(kind, tmp_path, fits_bytes, synthetic):
    image = fits.CompImageHDU(np.ones((5, 300), np.float32), compression_type="GZIP_1")
    content = fits_bytes(synthetic().primary(), image)
    path = tmp_path / "image.fits.fz"
    path.write_bytes(content.replace(b"ZIMAGE  =", f"{kind:<8}=".encode()))
    with pytest.raises(SpectrumError, match="unpack it with funpack") as caught:
        read_spectrum(path)
    assert caught.value.reason is Reason.PACKED


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(SpectrumError) as caught:
            read_spectrum(path)
        assert caught.value.reason is Reason.UNREADABLE
