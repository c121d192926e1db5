"""Names of positions, beside a plain function of one position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.photometry.naming import designations


def designation(ra_deg: float, dec_deg: float) -> str:
    """Return the name of a position, ``JHHMMSS.ss+DDMMSS.s`` (truncated, as the IAU asks)."""
    centiseconds = int((ra_deg % 360.0) / 15.0 * 360000.0 + 1e-7) % 8640000
    deciseconds = int(abs(dec_deg) * 36000.0 + 1e-7)
    hours, rest = divmod(centiseconds, 360000)
    minutes, centi = divmod(rest, 6000)
    degrees, arc = divmod(deciseconds, 36000)
    arcmin, deci = divmod(arc, 600)
    sign = "-" if dec_deg < 0 else "+"
    return (
        f"J{hours:02d}{minutes:02d}{centi // 100:02d}.{centi % 100:02d}"
        f"{sign}{degrees:02d}{arcmin:02d}{deci // 10:02d}.{deci % 10}"
    )


@pytest.mark.parametrize(
    ("ra", "dec", "name"),
    [
        (0.0, 0.0, "J000000.00+000000.0"),
        (99.316263, 27.23237, "J063715.90+271356.5"),
        (359.9999999, -0.5, "J235959.99-003000.0"),
        (138.080956, -89.99999, "J091219.42-895959.9"),
    ],
)
def test_designations_are_truncated_as_lamost_does(ra, dec, name):
    assert designation(ra, dec) == name
    assert designations(np.array([ra]), np.array([dec])).to_pylist() == [name]


@given(st.lists(st.tuples(st.floats(0, 359.9999999), st.floats(-90, 90)), max_size=20))
def test_names_of_positions_are_those_of_the_plain_function(places):
    ra, dec = (np.array([place[i] for place in places], float) for i in (0, 1))
    assert designations(ra, dec).to_pylist() == [designation(*place) for place in places]


def test_no_position_has_no_name():
    assert designations(np.array([np.nan, 1.0]), np.array([1.0, np.nan])).to_pylist() == [None] * 2
