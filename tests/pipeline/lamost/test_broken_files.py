"""Whatever happens to a file's bytes: the same answer as astropy's, or a `SpectrumError`."""

import gzip
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.lamost.astropy_reader import read_with_astropy
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.reader import read_spectrum
from pipeline.lamost.spectrum import Spectrum

often = settings(
    database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def outcome(read, path: Path) -> Spectrum | Reason:
    try:
        return read(path)
    except SpectrumError as error:
        return error.reason


def assert_same_outcome(path: Path, content: bytes, identical) -> None:
    path.write_bytes(content)
    ours, reference = outcome(read_spectrum, path), outcome(read_with_astropy, path)
    if isinstance(ours, Spectrum) and isinstance(reference, Spectrum):
        assert identical(ours, reference)
    else:
        assert ours == reference


@often
@given(place=st.integers(0, 2**24))
def test_truncated_anywhere(place, any_layout, packing, tmp_path, identical):
    content = packing(any_layout)
    path = tmp_path / "cut"
    assert_same_outcome(path, content[: place % len(content)], identical)
    if packing is gzip.compress:
        assert outcome(read_spectrum, path) in {Reason.EMPTY, Reason.TRUNCATED, Reason.NOT_FITS}


@often
@given(
    places=st.lists(st.integers(0, 8639) | st.integers(0, 2**24), min_size=1, max_size=4),
    bits=st.tuples(*[st.integers(0, 7)] * 4),
)
def test_flipped_bits(places, bits, any_layout, packing, tmp_path, identical):
    content = bytearray(packing(any_layout))
    for place, bit in zip(places, bits, strict=False):
        content[place % len(content)] ^= 1 << bit
    assert_same_outcome(tmp_path / "flipped", bytes(content), identical)


@often
@given(
    card=st.integers(0, 71),
    column=st.sampled_from([0, 5, 8, 10, 11, 25, 29]),
    text=st.text("0123456789 .+-EDTF='/AaSNRG\x00\x7f\xff", min_size=1, max_size=12),
)
def test_headers_overwritten_with_text(card, column, text, any_layout, tmp_path, identical):
    content = bytearray(any_layout)
    written = text.encode("latin-1")
    place = 80 * card + column
    content[place : place + len(written)] = written
    assert_same_outcome(tmp_path / "edited", bytes(content), identical)


@pytest.mark.parametrize("text", ["0", " ", "'", "T"])
@pytest.mark.parametrize("column", [0, 10, 29])
def test_one_character_of_any_card(column, text, any_layout, tmp_path, identical):
    for card in range(any_layout.rindex(b"END".ljust(80)) // 80):
        content = bytearray(any_layout)
        content[80 * card + column] = ord(text)
        assert_same_outcome(tmp_path / "edited", bytes(content), identical)


@often
@given(noise=st.binary(max_size=400), start=st.sampled_from([b"", b"SIMPLE  =", b"\x1f\x8b\x08"]))
def test_noise(noise, start, tmp_path, identical):
    assert_same_outcome(tmp_path / "noise", start + noise, identical)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", ["flux", "ivar", "wave", "andmask", "ormask"])
@pytest.mark.parametrize("layout", ["image", "image64", "table"])
def test_a_signalling_nan_gives_no_warning(name, layout, synthetic, tmp_path, identical):
    made = synthetic()
    wide = layout == "image64"
    written, signalling = (">f8", "7ff4000000000001") if wide else (">f4", "7fa00001")
    content = bytearray(made.table() if layout == "table" else made.image(written))
    values = getattr(made, name).astype(written)
    place = content.index(values.tobytes()) + 60 * values.itemsize
    content[place : place + values.itemsize] = bytes.fromhex(signalling)
    assert_same_outcome(tmp_path / "signalling", bytes(content), identical)


def test_errors_travel_between_processes(tmp_path):
    with pytest.raises(SpectrumError) as caught:
        read_spectrum(tmp_path / "nowhere.fits")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert (copy.reason, copy.path) == (Reason.UNREADABLE, str(tmp_path / "nowhere.fits"))
    assert isinstance(copy, ValueError)
