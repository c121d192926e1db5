"""One star and its spectra, some without an OBSID."""

import pytest

from pipeline.star.star import Star

FAINT = {"row": 0, "obsid": None, "snr_g": 12.0, "p_b": 0.9}
BRIGHT = {"row": 1, "obsid": None, "snr_g": 150.0, "p_b": 0.1}
NAMED = {"row": 2, "obsid": 777, "snr_g": 50.0, "p_b": 0.5}
UNJUDGED = {"row": 4, "obsid": 778, "snr_g": 200.0, "p_b": None}
UNKNOWN = {"row": 3, "obsid": None, "snr_g": None, "p_b": None}


@pytest.mark.parametrize(
    ("spectra", "obsid", "chosen"),
    [
        ([FAINT, BRIGHT, NAMED], None, BRIGHT),
        ([FAINT, NAMED], None, NAMED),
        ([FAINT, BRIGHT, NAMED], 777, NAMED),
        ([FAINT, BRIGHT, NAMED], 5, BRIGHT),
        ([UNKNOWN, FAINT], None, FAINT),
        ([UNJUDGED, FAINT, BRIGHT], None, BRIGHT),
        ([UNJUDGED, UNKNOWN], None, UNJUDGED),
        ([UNKNOWN], None, UNKNOWN),
    ],
)
def test_the_spectrum_is_that_of_the_obsid_else_of_the_highest_s_n(spectra, obsid, chosen):
    row = {"star_id": "x", "obsid_best": None, "obsid_max": None}
    assert Star(row, tuple(spectra), None).chosen(obsid) is chosen


def test_the_highest_p_b_needs_no_obsid():
    assert Star({}, (UNKNOWN, BRIGHT, FAINT), None).highest("p_b") is FAINT
