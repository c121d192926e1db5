import gzip
import io

import numpy as np
import pytest
from astropy.io import fits

from pipeline.simulate.writer import COLUMNS, compress, format_card, image_file, table_file

CARDS = [
    ("COMMENT", "", "--------FILE INFORMATION"),
    ("OBSID", 3703110, "Unique number ID of this spectrum"),
    ("PLANID", "B7708", "Plan ID in use"),
    ("DESIG", "O'Neill's", "quotes are doubled"),
    ("OFFSET", False, "logical"),
    ("Z", -5.617e-05, "Redshift of object"),
    ("MAG1", 99.0, "[mag] sentinel"),
    ("DUST", "", "Reservation"),
]


def arrays(n=3909):
    rng = np.random.default_rng(0)
    return [rng.normal(size=n).astype(np.float32) for _ in range(6)]


def check_cards(header):
    for keyword, value, comment in CARDS[1:]:
        assert header[keyword] == value
        assert header.comments[keyword] == comment
    assert "--------FILE INFORMATION" in str(header["COMMENT"])


def test_image_is_what_astropy_reads():
    rows = arrays()
    content = image_file(CARDS, rows)
    assert len(content) % 2880 == 0
    with fits.open(io.BytesIO(content)) as hdus:
        hdus.verify("exception")
        check_cards(hdus[0].header)
        assert hdus[0].data.dtype == np.dtype(">f4")
        np.testing.assert_array_equal(hdus[0].data, rows[:5])


@pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
def test_table_is_what_astropy_reads():
    rows = arrays(3748)
    content = table_file(CARDS, rows)
    assert len(content) % 2880 == 0
    with fits.open(io.BytesIO(content)) as hdus:
        check_cards(hdus[0].header)
        assert hdus[0].data is None
        assert hdus[1].name == "COADD"
        assert hdus[1].columns.formats == ["3748E"] * 6
        for name, row in zip(COLUMNS, rows, strict=True):
            np.testing.assert_array_equal(hdus[1].data[name][0], row)


def test_compression_has_no_date():
    content = image_file(CARDS, arrays())
    assert compress(content, 1) == compress(content, 1)
    assert gzip.decompress(compress(content, 2)) == content
    assert compress(content, 1)[4:8] == b"\0\0\0\0"


def test_too_long_a_text_is_refused():
    with pytest.raises(ValueError, match="too long.*x{60}"):
        format_card(("OBJNAME", "x" * 80, ""))
