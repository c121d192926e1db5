"""What counts as missing in a catalogue: nulls of FITS, and numbers that no column holds."""

import io

import numpy as np
import pytest
from astropy.io import fits

from pipeline.lamost.catalogue import read_catalogue
from pipeline.lamost.columns import COLUMNS, ERROR_OF
from pipeline.lamost.multi_epoch import read_multi_epoch

INTEGERS = ["obsid", "lmjd", "mjd", "spid", "fiberid", "fibermask", "ps_id", "gaia_source_id"]
ID = 4_611_686_018_427_387_905
TOPCAT = -(2**63)


def write_table(path, columns):
    buffer = io.BytesIO()
    table = fits.BinTableHDU.from_columns(columns)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(buffer)
    path.write_bytes(buffer.getvalue())
    return path


def one_column(tmp_path, name, column):
    columns = [column] if name == "obsid" else [fits.Column("obsid", "K", array=[1, 2, 3]), column]
    return read_catalogue(write_table(tmp_path / "c.fits", columns))[name].to_pylist()


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize(
    ("form", "null"), [("K", TOPCAT), ("K", 999999), ("J", -(2**31)), ("I", -1), ("B", 255)]
)
def test_a_fits_null_is_null(name, form, null, tmp_path):
    column = fits.Column(name, form, array=np.array([5, null, 7]), null=null)
    assert one_column(tmp_path, name, column) == [5, None, 7]


@pytest.mark.parametrize(("form", "zero"), [("I", 2**15), ("J", 2**31), ("K", 2**63)])
def test_a_fits_null_of_an_unsigned_column(form, zero, tmp_path):
    """TNULL is the stored value, which TZERO is not yet added to."""
    dtype = np.dtype({"I": "u2", "J": "u4", "K": "u8"}[form])
    column = fits.Column("ps_id", form, bzero=zero, array=np.array([5, 9, 7], dtype))
    path = write_table(tmp_path / "c.fits", [fits.Column("obsid", "J", array=[1, 2, 3]), column])
    content = path.read_bytes()
    place = content.index(b"TZERO2  =")
    end = content.index(b"END".ljust(80), place) + 80  # blank cards follow
    null = f"TNULL2  = {9 - zero:>20}".encode().ljust(80)
    path.write_bytes(content[:place] + null + content[place:end] + content[end + 80 :])
    assert read_catalogue(path)["ps_id"].to_pylist() == [5, None, 7]


def test_a_value_that_is_no_null_stays(tmp_path):
    column = fits.Column("ps_id", "J", array=np.array([5, 0, 7]), null=6)
    assert one_column(tmp_path, "ps_id", column) == [5, 0, 7]


def test_ids_below_one_are_no_ids(tmp_path):
    ids = [0, -1, TOPCAT]
    column = fits.Column("gaia_source_id", "K", array=np.array(ids))
    assert one_column(tmp_path, "gaia_source_id", column) == [None] * 3
    rows = "".join(f"{number},{written}\n" for number, written in enumerate([*ids, ID]))
    (tmp_path / "c.csv").write_text(f"obsid,gaia_source_id\n{rows}")
    assert read_catalogue(tmp_path / "c.csv")["gaia_source_id"].to_pylist() == [None] * 3 + [ID]


LIMITS = {"lmjd": 2**31, "spid": 2**15, "fiberid": 2**15, "fibermask": 2**31}
NUMBERS = [column.name for column in COLUMNS if column.dtype != "string"]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_its_column_cannot_hold_is_null(name, tmp_path):
    limit = LIMITS.get(name, 2**63)
    texts = ["1e400", "-1e400", "inf", "-Infinity", "12", "1.2e1"]
    if name in INTEGERS:
        texts = [str(limit), str(-limit - 1), "9" * 25, "-" + "9" * 400, "12", "00012"]
    # An error is not taken without its value.
    head = list(dict.fromkeys(["obsid", ERROR_OF.get(name, "obsid"), name]))
    rows = [",".join([*["1"] * (len(head) - 1), text]) for text in texts]
    (tmp_path / "c.csv").write_text("\n".join([",".join(head), *rows]))
    read = read_catalogue(tmp_path / "c.csv")[name].to_pylist()
    assert read == [None, None, None, None, 12, 12]


@pytest.mark.parametrize("name", ["snr_g", "teff_k", "logg", "feh", "rv_kms"])
def test_floats_that_become_float32_are_limited_to_it(name, tmp_path):
    (tmp_path / "c.csv").write_text(f"obsid,{name}\n1,3.5e38\n1,-1e39\n1,3.4e38\n1,-3.4e38\n")
    read = read_catalogue(tmp_path / "c.csv")[name].to_pylist()
    assert read == [None, None, 3.4e38, -3.4e38]
    column = fits.Column(name, "D", array=np.array([np.inf, 1e39, 12.0]))
    assert one_column(tmp_path, name, column) == [None, None, 12.0]


def test_a_redshift_is_limited_to_what_its_velocity_may_be(tmp_path):
    (tmp_path / "c.csv").write_text("obsid,z\n1,1e34\n1,1e32\n")
    assert read_catalogue(tmp_path / "c.csv")["z"].to_pylist() == [None, 1e32]


def test_identifiers_in_unsigned_and_float_columns(tmp_path):
    unsigned = np.array([5, 2**63, 2**64 - 1], np.uint64)
    column = fits.Column("gaia_source_id", "K", bzero=2**63, array=unsigned)
    assert one_column(tmp_path, "gaia_source_id", column) == [5, None, None]
    column = fits.Column("ps_id", "D", array=np.array([5, np.inf, 1e30]))
    assert one_column(tmp_path, "ps_id", column) == [5, None, None]
    column = fits.Column("ps_id", "D", array=np.array([5, 1e17, np.nan]))
    with pytest.raises(ValueError, match="lost their last digits"):
        one_column(tmp_path, "ps_id", column)


def test_text_that_is_no_ascii_does_not_stop_a_catalogue(tmp_path):
    texts = np.array([b"G1", "é".encode(), b"\xff"])
    column = fits.Column("uid", "2A", array=texts)
    read = one_column(tmp_path, "uid", column)
    assert read == ["G1", "é", "\ufffd"]


def test_nulls_of_the_multi_epoch_catalogue(tmp_path):
    def columns(numbers):
        return [
            fits.Column("uid", "2A", array=["G1", "G2"]),
            fits.Column("obs_number", "J", array=np.array(numbers), null=-9),
            fits.Column("obsid_list", "K", array=np.array([11, TOPCAT]), null=TOPCAT),
            fits.Column("midmjm_list", "3A", array=["100", ""]),
            fits.Column("rv_list", "4A", array=["-5.5", ""]),
        ]

    path = write_table(tmp_path / "m.fits", columns([1, 0]))
    table = read_multi_epoch(path).to_pydict()
    assert (table["uid"], table["obsid"], table["rv_kms"]) == (["G1"], [11], [-5.5])
    with pytest.raises(ValueError, match="star G2: obs_number is None"):
        read_multi_epoch(write_table(tmp_path / "m.fits", columns([1, -9])))


def test_numbers_of_the_multi_epoch_catalogue(tmp_path):
    head = "uid|obs_number|obsid_list|midmjm_list|rv_list\n"
    path = tmp_path / "m.csv"
    path.write_text(f"{head}G1|3|{2**63},-9999,12|1e400,5,6|1.0,-1e400,2\n")
    table = read_multi_epoch(path).to_pydict()
    assert table["obsid"] == [None, None, 12]
    assert table["midmjm"] == [None, 5, 6]
    assert table["rv_kms"] == [1, None, 2]
    path.write_text(f"{head}G1|1e400|1|2|3\n")
    with pytest.raises(ValueError, match="star G1: obs_number is 1e400"):
        read_multi_epoch(path)
