"""What a user calls a star."""

import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.photometry.naming import designations
from pipeline.star.wanted import Name, Number, Position, parse_wanted


@given(ra=st.floats(0, 359.99), dec=st.floats(-90, 90), comma=st.sampled_from([" ", ", ", "  "]))
@settings(max_examples=60)
def test_positions_in_degrees_and_sexagesimal(ra, dec, comma):
    degrees = parse_wanted(f" {ra:.6f}{comma}{dec:+.6f} ")
    assert degrees == pytest.approx((ra, dec), abs=1e-6)
    place = SkyCoord(ra, dec, unit="deg")
    hours = place.ra.to_string("hour", sep=":", precision=4, pad=True)
    sexagesimal = parse_wanted(
        f"{hours}{comma}{place.dec.to_string(sep=':', precision=3, pad=True, alwayssign=True)}"
    )
    assert isinstance(sexagesimal, Position)
    assert SkyCoord(*sexagesimal, unit="deg").separation(place).arcsec < 0.002


@given(ra=st.floats(0, 359.99), dec=st.floats(-89.9, 89.9))
@settings(max_examples=40)
def test_a_designation_says_its_place(ra, dec):
    import numpy as np

    name = designations(np.array([ra]), np.array([dec]))[0].as_py()
    for text in (name, f"LAMOST {name}", name.lower()):
        wanted = parse_wanted(text)
        assert (wanted.text, str(wanted)) == (name, name)
        # Truncated to 0.01 s and 0.1 arcsec.
        separation = SkyCoord(*wanted.position, unit="deg").separation(
            SkyCoord(ra, dec, unit="deg")
        )
        assert separation.arcsec < 0.25


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1152921504612089907", Number(1152921504612089907)),
        (" 4204004", Number(4204004)),
        ("Gaia 1152921504612089907", Name("Gaia 1152921504612089907", None)),
        ("spectrum 17", Name("spectrum 17", None)),
        ("-0:00:30 1", Name("-0:00:30 1", None)),
        ("-10 20", Position(350.0, 20.0)),
        ("00:00:00 -00:30:00", Position(0.0, -0.5)),
    ],
)
def test_numbers_and_names(text, wanted):
    assert parse_wanted(text) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "say which star"),
        ("10 95", "no position: .* -90 to 90"),
        ("400 10", "is no position"),
        ("99999999999999999999", "too large"),
    ],
)
def test_what_is_no_star_is_said(text, message):
    with pytest.raises(InputError, match=message):
        parse_wanted(text)
