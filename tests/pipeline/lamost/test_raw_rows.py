"""Broken and hostile tables: an error that names the file, in bounded time and memory."""

import gzip
import io
import time

import numpy as np
import pytest
from astropy.io import fits

from pipeline.lamost.catalogue import read_catalogue


@pytest.fixture
def content():
    columns = [
        fits.Column("obsid", "K", array=np.arange(1, 4)),
        fits.Column("teff", "E", array=np.full(3, 5777.0)),
    ]
    buffer = io.BytesIO()
    table = fits.BinTableHDU.from_columns(columns)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(buffer)
    return buffer.getvalue()


def replace(content, keyword, value):
    start = content.rindex(f"{keyword:<8}=".encode())
    return content[:start] + f"{keyword:<8}= {value:>20}".encode().ljust(80) + content[start + 80 :]


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("NAXIS", "9223372036854775807"),
        ("NAXIS1", "9223372036854775807"),
        ("NAXIS1", "0"),
        ("NAXIS1", "11"),
        ("NAXIS2", "-1"),
        ("NAXIS2", "9223372036854775807"),
        ("NAXIS2", "NaN"),
        ("TFIELDS", "9223372036854775807"),
        ("TFIELDS", "0"),
        ("TFORM1", "'999999999K'"),
        ("TFORM1", "'1PE(300)'"),
        ("TFORM1", "'C'"),
        ("TFORM1", "'2J'"),
        ("TFORM1", "5"),
        ("TTYPE1", "T"),
    ],
)
def test_a_table_that_cannot_be_is_refused_by_name(keyword, value, content, tmp_path):
    path = tmp_path / "c.fits"
    path.write_bytes(replace(content, keyword, value))
    began = time.process_time()
    with pytest.raises(ValueError, match=str(path)):
        read_catalogue(path)
    assert time.process_time() - began < 1


def test_a_primary_array_of_any_size_is_skipped_in_pieces(content, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.lamost.raw_rows.MAX_BATCH_BYTES", 2880)
    image = io.BytesIO()
    fits.PrimaryHDU(np.zeros((40, 400), np.float32)).writeto(image)
    (tmp_path / "c.fits").write_bytes(image.getvalue() + content[2880:])
    assert read_catalogue(tmp_path / "c.fits")["obsid"].to_pylist() == [1, 2, 3]


def test_columns_without_a_name_are_passed_over(content, tmp_path):
    start = content.index(b"TTYPE2")
    (tmp_path / "c.fits").write_bytes(content[:start] + b" " * 80 + content[start + 80 :])
    table = read_catalogue(tmp_path / "c.fits")
    assert table["obsid"].to_pylist() == [1, 2, 3]
    assert table["teff_k"].null_count == 3


def test_endless_headers_and_lines_are_not_read_to_the_end(tmp_path):
    path = tmp_path / "c"
    path.write_bytes(gzip.compress(b"obsid," * 20_000_000, 1))
    with pytest.raises(ValueError, match="first line of more than 65536 bytes"):
        read_catalogue(path)
    cards = b"COMMENT".ljust(80) * 1_000_000
    path.write_bytes(gzip.compress(b"SIMPLE  =                    T".ljust(80) + cards, 1))
    with pytest.raises(ValueError, match="no END among the first 20000 cards"):
        read_catalogue(path)
    path.write_bytes(b"obsid,teff\n" + b"1" * 3_000_000 + b",5\n")
    with pytest.raises(ValueError, match="not a regular table"):
        read_catalogue(path)
