import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.lamost.names import (
    ExposureName,
    archive_path,
    format_name,
    is_spectrum_name,
    parse_name,
)

plans = st.from_regex(r"[A-Z][A-Za-z0-9_-]{0,25}", fullmatch=True)
exposures = st.builds(
    ExposureName,
    lmjd=st.integers(50_000, 99_999),
    planid=plans,
    spid=st.integers(1, 16),
    fiberid=st.integers(1, 250),
    medium_resolution=st.booleans(),
)


@given(exposures, st.sampled_from([".fits", ".fits.gz", ".fits.fits", ".fit", "_dr9.fits.gz"]))
def test_round_trip(name, extension):
    written = format_name(name, extension)
    assert parse_name(written) == name
    assert is_spectrum_name(written)


def test_archive_path():
    name = ExposureName(55859, "F5902", 1, 5)
    assert archive_path(name).as_posix() == "20111024/F5902/spec-55859-F5902_sp01-005.fits.gz"


def test_plans_with_dashes_and_underscores():
    parsed = parse_name("spec-55940-GAC_103N06_V3-2_sp11-105.fits")
    assert parsed == ExposureName(55940, "GAC_103N06_V3-2", 11, 105)


@given(st.integers(0, 10**12))
def test_numbered_names(obsid):
    assert parse_name(f"{obsid}.fits") == obsid


@pytest.mark.parametrize(
    "name",
    ["example.fits", "med-58270-HIP95119KP01_sp12-076.fits.gz", "a.FITS", "1.fit", "x.fits.fits"],
)
def test_names_that_are_tried(name):
    assert is_spectrum_name(name)


@pytest.mark.parametrize(
    "name", [".hidden.fits", "a.fits.gz.part", "a.csv", "fits", ".fits", "a.fits~", ""]
)
def test_names_that_are_not_tried(name):
    assert not is_spectrum_name(name)
    assert parse_name(name) is None
