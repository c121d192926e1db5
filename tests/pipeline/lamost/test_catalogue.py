import gzip
import io
import json

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits

from pipeline.lamost.catalogue import catalogue_columns, iter_catalogue, read_catalogue
from pipeline.lamost.columns import COLUMNS, MISSING_KEY

ID = 4_611_686_018_427_387_905  # 2^62 + 1, which no float64 holds
HEAD = ["obsid", "uid", "snrg", "class", "subclass", "gaia_source_id", "gaia_g_mean_mag", "teff"]
HEAD += ["rv", "rv_err", "z", "z_err"]
ROWS = [
    ["101", "G1", "20.5", "STAR", "G0", str(ID), "14.5", "5800.5", "-12.5", "1.5", "-4e-5", "1e-5"],
    ["102", " ", "-9999", "STAR", "Non", "-9999", "99.0", "-9999.0", "1.0", "0", "-9999", "-1"],
    ["103", "G3", "", "", "", "", "", "nan", "", "-9999", "0.0", ""],
]
EXPECTED = {
    "obsid": [101, 102, 103],
    "uid": ["G1", None, "G3"],
    "snr_g": [20.5, None, None],
    "obj_class": ["STAR", "STAR", None],
    "subclass": ["G0", None, None],
    "gaia_source_id": [ID, None, None],
    "gaia_g_mag": [14.5, None, None],
    "teff_k": [5800.5, None, None],
    "rv_kms": [-12.5, 1.0, None],
    "rv_err_kms": [1.5, None, None],
    "z": [-4e-5, None, 0.0],
    "z_err": [1e-5, None, None],
}


def text(delimiter: str = ",", rows=ROWS, head=HEAD) -> bytes:
    return "".join(delimiter.join(row) + "\n" for row in [head, *rows]).encode()


def table_fits() -> bytes:
    columns = [
        fits.Column("obsid", "J", array=[101, 102, 103]),
        fits.Column("uid", "4A", array=["G1", " ", "G3"]),
        fits.Column("snrg", "E", array=[20.5, -9999, np.nan]),
        fits.Column("class", "6A", array=["STAR", "STAR", ""]),
        fits.Column("subclass", "4A", array=["G0", "Non", ""]),
        fits.Column("gaia_source_id", "K", array=np.array([ID, -9999, -9999])),
        fits.Column("gaia_g_mean_mag", "D", array=[14.5, 99.0, np.nan]),
        fits.Column("teff", "D", array=[5800.5, -9999, np.nan]),
        fits.Column("rv", "D", array=[-12.5, 1, np.nan]),
        fits.Column("rv_err", "D", array=[1.5, 0, -9999]),
        fits.Column("z", "D", array=[-4e-5, -9999, 0]),
        fits.Column("z_err", "D", array=[1e-5, -1, np.nan]),
    ]
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)])

    buffer = io.BytesIO()
    hdus.writeto(buffer)
    return buffer.getvalue()


CONTENTS = {
    "comma": text(),
    "bar": text("|"),
    "csv.gz": gzip.compress(text()),
    "fits": table_fits(),
    "fits.gz": gzip.compress(table_fits()),
    "windows": b"\xef\xbb\xbf" + text().replace(b"\n", b"\r\n"),
}


@pytest.fixture(params=CONTENTS)
def path(request, tmp_path):
    (tmp_path / "catalogue").write_bytes(CONTENTS[request.param])
    return tmp_path / "catalogue"


def test_every_format_gives_the_same_table(path):
    table = read_catalogue(path)
    assert table.schema.names == [column.name for column in COLUMNS]
    assert {name: table[name].to_pylist() for name in EXPECTED} == EXPECTED
    absent = set(table.schema.names) - set(EXPECTED)
    assert all(table[name].null_count == 3 for name in absent)
    assert set(json.loads(table.schema.metadata[MISSING_KEY])) == absent
    assert set(catalogue_columns(path).missing) == absent


def test_batches_are_bounded_and_complete(path):
    batches = list(iter_catalogue(path, 2))
    assert [batch.num_rows for batch in batches] == [2, 1]
    assert pa.Table.from_batches(batches).equals(read_catalogue(path))
    with pytest.raises(ValueError, match="batch_rows"):
        next(iter_catalogue(path, 0))


def test_prefixed_and_repeated_names(tmp_path):
    head = ["combined_obsid", "combined_snru", "combined_snru", "combined_ra_obs"]
    (tmp_path / "c").write_bytes(text(",", [["7", "1.5", "2.5", "10.25"]], head))
    table = read_catalogue(tmp_path / "c")
    assert (table["obsid"][0].as_py(), table["snr_u"][0].as_py()) == (7, 1.5)
    assert table["ra_obs"].to_pylist() == [10.25]


def test_a_missing_required_column_is_named(tmp_path):
    (tmp_path / "c").write_bytes(b"star,teff\n1,2\n")
    with pytest.raises(ValueError, match=r"'obsid' \(tried obsid, obs_id.*has star, teff"):
        read_catalogue(tmp_path / "c")


def test_an_error_without_its_value_is_not_taken(tmp_path):
    (tmp_path / "c").write_bytes(b"obsid,rv_err\n1,2\n")
    assert read_catalogue(tmp_path / "c")["rv_err_kms"].to_pylist() == [None]


@pytest.mark.parametrize("written", ["4.6e18", "12.5", "abc"])
def test_identifiers_are_not_rounded(written, tmp_path):
    (tmp_path / "c").write_bytes(f"obsid,gaia_source_id\n1,{written}\n".encode())
    with pytest.raises(ValueError, match="gaia_source_id"):
        read_catalogue(tmp_path / "c")


def test_whole_numbers_written_as_floats(tmp_path):
    (tmp_path / "c").write_bytes(b"obsid,gaia_source_id\n1.0,12.00\n")
    assert read_catalogue(tmp_path / "c")["gaia_source_id"].to_pylist() == [12]


def test_broken_catalogues(tmp_path):
    path = tmp_path / "c"
    packed = gzip.compress(text(rows=ROWS * 100))
    for content in (packed[:-9], b"obsid,z\n1,2\n1,2,3\n", table_fits()[:-2880]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=str(path)):
            read_catalogue(path)


def test_no_rows(tmp_path):
    (tmp_path / "c").write_bytes(b"obsid,teff\n")
    assert read_catalogue(tmp_path / "c").num_rows == 0


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("dr10_stellar_subset.csv", 831),
        ("dr12_gaia_edr3_subset.csv", 79),
        ("dr8_repeat_observations.csv", 220),
    ],
)
def test_real_catalogues(name, rows, real_data):
    table = read_catalogue(real_data / "tables" / name)
    assert table.num_rows == rows
    assert table["obsid"].null_count == 0
    assert table["snr_g"].null_count < rows
