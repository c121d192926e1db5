import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from pipeline.lamost import astropy_reader
from pipeline.lamost.arrays import UNCLEAR_MASK
from pipeline.lamost.astropy_reader import read_with_astropy
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.reader import read_spectrum
from pipeline.lamost.spectrum import Layout

ARRAYS = ("flux", "ivar", "wave", "andmask", "ormask")


@pytest.fixture
def store(tmp_path):
    """Write content under a name that says nothing."""

    def write(content: bytes) -> Path:
        path = tmp_path / "content.bin"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def no_astropy(monkeypatch):
    """Fail where the short way gives up."""

    def refuse(content, path):
        raise AssertionError(f"{path} went to astropy")

    monkeypatch.setattr(astropy_reader, "parse_with_astropy", refuse)


def refusal(path: Path) -> Reason:
    with pytest.raises(SpectrumError) as one:
        read_spectrum(path)
    with pytest.raises(SpectrumError) as other:
        read_with_astropy(path)
    assert one.value.reason == other.value.reason
    assert str(path) in str(one.value)
    return one.value.reason


def test_both_readers_agree_on_every_layout(any_layout, packing, store, identical):
    path = store(packing(any_layout))
    assert identical(read_spectrum(path), read_with_astropy(path))


def test_survey_layouts_take_the_short_way(any_layout, store, no_astropy):
    assert read_spectrum(store(any_layout)).flux.size == 300


@pytest.mark.parametrize("kind", ["image", "table"])
def test_values_are_those_that_were_written(kind, synthetic, store):
    made = synthetic()
    spectrum = read_spectrum(store(getattr(made, kind)()))
    for name in ARRAYS:
        values = getattr(spectrum, name)
        assert values.dtype == (np.uint32 if "mask" in name else np.float32)
        assert values.dtype.isnative
        np.testing.assert_array_equal(values, getattr(made, name))
    header = spectrum.header
    assert header.layout is spectrum.layout is Layout(kind)
    assert (header.obsid, header.lmjd, header.planid) == (101005, 55859, "F5902")
    assert (header.spid, header.fiberid, header.fibermask) == (1, 5, 64)
    assert (header.snr_u, header.snr_r, header.snr_z) == (0.71, None, 11.0)
    assert (header.obj_class, header.subclass, header.fibertype) == ("STAR", "G0", "Obj")
    assert (header.pipeline_version, spectrum.release) == ("2.9.7", "DR13-Q1")
    assert header.filename == "spec-55859-F5902_sp01-005.fits"


def test_time_is_the_mean_of_the_exposures_in_utc(synthetic, store):
    made = synthetic()
    minutes = np.array([80436692, 80436737, 80436775])
    header = read_spectrum(store(made.image())).header
    assert header.mjd_utc == pytest.approx(minutes.mean() / 1440 - 1 / 3, abs=1e-9)
    made.cards["LMJMLIST"] = "unknown"
    from_date = read_spectrum(store(made.image())).header.mjd_utc
    assert from_date == pytest.approx(55858 + 12.5 / 24, abs=1e-9)
    del made.cards["DATE-OBS"]
    assert read_spectrum(store(made.image())).header.mjd_utc is None


def test_first_release_has_its_wavelength_in_the_header(synthetic, store):
    made = synthetic()
    made.cards |= {"EXTEN0": "Flux Inverse Subcontinuum Andmask Ormask", "VERSPIPE": "v2.6.4"}
    del made.cards["DATA_V"], made.cards["OBSID"]
    expected = made.wave
    made.wave = made.flux
    spectrum = read_spectrum(store(made.image()))
    np.testing.assert_array_equal(spectrum.wave, expected)
    assert spectrum.obsid is None
    assert spectrum.release == "DR1"
    del made.cards["COEFF0"]
    assert refusal(store(made.image())) is Reason.BAD_WAVELENGTH


def test_second_release_is_float64_with_a_fiber_number_as_text(synthetic, store):
    made = synthetic()
    made.cards |= {"FIBERID": "6", "VERSPIPE": "2.7.5", "SN_G": 5.74}
    for keyword in ("DATA_V", "OBSID", "SNRG"):
        del made.cards[keyword]
    spectrum = read_spectrum(store(made.image(">f8")))
    assert (spectrum.header.fiberid, spectrum.release) == (6, "DR2")
    assert spectrum.header.snr_g == 5.74
    np.testing.assert_array_equal(spectrum.ivar, made.ivar)


def test_wavelength_column_wins_over_coefficients(synthetic, store):
    made = synthetic()
    made.wave = (3700.0 * 10 ** (1e-4 * np.arange(300))).astype(np.float32)
    np.testing.assert_array_equal(read_spectrum(store(made.table())).wave, made.wave)


def test_columns_in_any_order(synthetic, store, no_astropy):
    made = synthetic()
    spectrum = read_spectrum(store(made.table(made.columns()[::-1])))
    np.testing.assert_array_equal(spectrum.ivar, made.ivar)
    np.testing.assert_array_equal(spectrum.ormask, made.ormask)


def test_scaled_columns_and_images_are_scaled(synthetic, store, identical):
    made = synthetic()
    columns = made.columns()
    columns[3] = fits.Column("ANDMASK", "300J", bzero=2**31, array=made.andmask.astype("u4")[None])
    path = store(made.table(columns))
    assert identical(read_spectrum(path), read_with_astropy(path))
    np.testing.assert_array_equal(read_spectrum(path).andmask, made.andmask)

    plain = made.image()
    scaled = plain.replace(b"EXTEN0  =", b"BSCALE  =                  2.0".ljust(80) + b"EXTEN0  =")
    assert len(scaled) == len(plain) + 80
    end = scaled.index(b"END".ljust(80)) + 80
    scaled = scaled[:end] + scaled[end + 80 :]  # one blank card less
    path = store(scaled)
    np.testing.assert_array_equal(read_spectrum(path).flux, 2 * made.flux)
    assert identical(read_spectrum(path), read_with_astropy(path))


def test_a_missing_wavelength_column_is_replaced_by_coefficients(synthetic, store):
    made = synthetic()
    columns = [column for column in made.columns() if column.name != "WAVELENGTH"]
    np.testing.assert_array_equal(read_spectrum(store(made.table(columns))).wave, made.wave)


def test_odd_values_survive(synthetic, store, identical):
    made = synthetic()
    made.flux[:3] = np.nan, np.inf, -5
    made.ivar[:3] = np.nan, -np.inf, -1
    made.andmask[:5] = np.nan, -1, 0.5, np.inf, 2**32
    for content in (made.image(), made.table(), made.image(">f8")):
        path = store(content)
        spectrum = read_spectrum(path)
        assert identical(spectrum, read_with_astropy(path))
        assert spectrum.flux[:3].tobytes() == made.flux[:3].tobytes()
        assert spectrum.ivar[:3].tobytes() == made.ivar[:3].tobytes()
        assert (spectrum.andmask[:5] == UNCLEAR_MASK).all()
        np.testing.assert_array_equal(spectrum.andmask[5:], made.andmask[5:])


@pytest.mark.parametrize(
    "text", ["it''s", "a / b", "O'Neil's / star", "'", "", "   lead", "x: 1.5"], ids=repr
)
def test_strings_with_quotes_and_slashes(text, synthetic, store, identical):
    made = synthetic()
    made.cards["DESIG"] = text
    path = store(made.image())
    spectrum = read_spectrum(path)
    assert identical(spectrum, read_with_astropy(path))
    if ":" not in text:
        assert spectrum.header.desig == (text.strip() or None)


@pytest.mark.parametrize("written", ["8.08", "8.08E0", "808D-2", "+8.08", "  8.0800 / x"])
def test_numbers_as_fits_writes_them(written, synthetic, store, identical):
    made = synthetic()
    content = made.image()
    start = content.index(b"SNRG    =")
    card = f"SNRG    = {written}".encode().ljust(80)
    path = store(content[:start] + card + content[start + 80 :])
    assert read_spectrum(path).header.snr_g == 8.08
    assert identical(read_spectrum(path), read_with_astropy(path))


def test_members_and_padding_of_gzip(any_layout, store, identical):
    whole = read_spectrum(store(any_layout))
    half = len(any_layout) // 2
    members = gzip.compress(any_layout[:half]) + gzip.compress(any_layout[half:])
    assert identical(read_spectrum(store(members + bytes(512))), whole)
    assert refusal(store(members + b"more")) is Reason.CORRUPT


def test_gzip_checksum_and_length_are_verified(any_layout, store):
    packed = bytearray(gzip.compress(any_layout))
    for place in (-8, -1, len(packed) // 2):
        broken = packed.copy()
        broken[place] ^= 1
        assert refusal(store(bytes(broken))) in {Reason.CORRUPT, Reason.TRUNCATED}
    assert refusal(store(bytes(packed[:-1]))) is Reason.TRUNCATED
    assert refusal(store(bytes(packed[:2]))) is Reason.TRUNCATED


def test_reasons_of_refusal(synthetic, store, fits_bytes, tmp_path):
    made = synthetic()
    assert refusal(store(b"")) is Reason.EMPTY
    assert refusal(store(gzip.compress(b""))) is Reason.EMPTY
    assert refusal(store(b"version https://")) is Reason.NOT_FITS
    assert refusal(tmp_path / "nowhere.fits") is Reason.UNREADABLE
    assert refusal(tmp_path) is Reason.UNREADABLE
    assert refusal(store(made.image()[:2000])) is Reason.TRUNCATED
    assert refusal(store(made.image()[:-3000])) is Reason.TRUNCATED
    assert refusal(store(made.table()[:-3000])) is Reason.TRUNCATED
    medium = fits_bytes(
        made.primary(),
        *(fits.BinTableHDU.from_columns(made.columns(), name=f"COADD_{arm}") for arm in "BR"),
    )
    assert refusal(store(medium)) is Reason.MEDIUM_RESOLUTION
    assert refusal(store(fits_bytes(made.primary(np.zeros((3, 9)))))) is Reason.UNKNOWN_LAYOUT
    assert refusal(store(made.table(made.columns()[:3]))) is Reason.UNKNOWN_LAYOUT
    made.cards["EXTEN0"] = "Flux Wavelength"
    assert refusal(store(made.image())) is Reason.UNKNOWN_LAYOUT


@pytest.mark.parametrize("layout", ["image", "table"])
def test_wavelengths_are_checked(layout, synthetic, store):
    made = synthetic()
    good = made.wave.copy()
    for spoiled in (
        good[::-1],
        good + np.where(np.arange(300) == 150, 0.02, 0).astype(np.float32),
        np.where(np.arange(300) == 7, np.nan, good),
        good / 10,
        np.linspace(good[0], good[-1], 300),
    ):
        made.wave = spoiled.astype(np.float32)
        assert refusal(store(getattr(made, layout)())) is Reason.BAD_WAVELENGTH
    made.wave = good + np.where(np.arange(300) == 150, 0.005, 0).astype(np.float32)
    assert read_spectrum(store(getattr(made, layout)())).wave.size == 300


def test_identity_is_required(synthetic, store):
    made = synthetic()
    del made.cards["OBSID"]
    assert read_spectrum(store(made.image())).obsid is None
    del made.cards["PLANID"]
    assert refusal(store(made.image())) is Reason.MISSING_IDENTITY
    made.cards["OBSID"] = 7
    assert read_spectrum(store(made.image())).header.planid is None


def test_nothing_is_invented(synthetic, store):
    made = synthetic()
    made.cards |= {"Z": -9999.0, "Z_ERR": -1.0, "SUBCLASS": "Non", "CLASS": "", "HELIO_RV": -9999}
    for keyword in ("RA", "EXPTIME", "FIBERTYP", "FIBERMAS", "DATA_V", "DATE", "VERSPIPE"):
        del made.cards[keyword]
    header = read_spectrum(store(made.table())).header
    unknown = (header.z, header.z_err, header.subclass, header.obj_class, header.helio_rv_kms)
    assert {*unknown, header.ra_deg, header.exptime_s, header.fibertype} == {None}
    assert {header.fibermask, header.data_release, header.created} == {None}
    assert header.pipeline_version is None


def test_sizes_that_no_spectrum_has_are_not_read(any_layout, store, monkeypatch):
    monkeypatch.setattr("pipeline.lamost.content.MAX_BYTES", len(any_layout) - 1)
    assert refusal(store(any_layout)) is Reason.TOO_LARGE
    assert refusal(store(gzip.compress(any_layout))) is Reason.TOO_LARGE
