import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.file_names import name_as_text, name_on_disk


@given(st.lists(st.sampled_from([b"\\", b"x", b"ff", b"5c", b"\xff", b"\xb9\xfa", "é".encode()])))
def test_every_name_has_one_text_and_the_way_back(parts):
    name = os.fsdecode(b"".join(parts))
    text = name_as_text(name)
    text.encode()
    assert name_on_disk(text) == name


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"spec-55859-F5902_sp01-001.fits.gz", "spec-55859-F5902_sp01-001.fits.gz"),
        ("星表.fits".encode(), "星表.fits"),
        (rb"C:\spectra.fits", r"C:\spectra.fits"),
        (b"spec-\xff.fits", r"spec-\xff.fits"),
        ("星表.fits".encode("gbk"), r"\xd0Ǳ\xed.fits"),
        (rb"spec-\xff.fits", r"spec-\x5cxff.fits"),
        (b"a\\b\xff.fits", r"a\x5cb\xff.fits"),
    ],
)
def test_names_in_utf8_stay_as_they_are(content, text):
    assert name_as_text(os.fsdecode(content)) == text
    assert os.fsencode(name_on_disk(text)) == content
