import csv
import gzip

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.tables.rows import open_rows
from pipeline.tables.table import open_table
from pipeline.tables.values import NULLS
from tests.pipeline.tables.kinds import KINDS, write_table

IDS = [2**60 + 1, 2**60 + 2, 2**63 - 1, None]
TABLE = pa.table(
    {
        "source_id": pa.array(IDS, pa.int64()),
        "ra": [0.1, 359.99999999, None, -1e-300],
        "name": ["a", "b c", None, 'it\'s, "é"'.replace("é", "e")],
    }
)
TYPES = {"source_id": pa.int64(), "name": pa.string()}


def read(path, **aliases):
    names = aliases or {name: (name,) for name in TABLE.column_names}
    return open_table(path, names, list(names), TYPES).read()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_rows(tmp_path, kind):
    path = write_table(TABLE, tmp_path, kind)
    found = read(path)
    assert found["source_id"].to_pylist() == (IDS if "fits" not in kind else [*IDS[:3], None])
    assert found["name"].to_pylist() == TABLE["name"].to_pylist()
    ra = found["ra"].to_numpy()
    np.testing.assert_array_equal(ra, [0.1, 359.99999999, np.nan, -1e-300])


@pytest.mark.parametrize("kind", KINDS)
def test_batches_are_small_and_whole(tmp_path, kind):
    ids = np.arange(1000) + 2**60
    path = write_table(pa.table({"id": ids, "x": ids * 1.0}), tmp_path, kind)
    batches = list(open_rows(path).batches(["id"], 128))
    assert max(batch.num_rows for batch in batches) <= 128
    values = [v for batch in batches for v in batch.column("id").to_pylist()]
    assert [int(value) for value in values] == ids.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_are_no_error(tmp_path, kind):
    path = write_table(TABLE.slice(0, 0), tmp_path, kind)
    assert read(path).num_rows == 0


def test_what_vizier_writes_is_read(tmp_path):
    path = tmp_path / "asu.tsv"
    path.write_text(
        "#RESOURCE=yCat_1355\n#Name: I/355/gaiadr3\n#Column\tSource\t(I19)\n\n"
        "Source\tPlx\t2MASS\n \tmas\t \n" + "-" * 19 + "\t------\t----\n"
        f"{IDS[0]}\t1.5\t0001-01\n{IDS[1]}\t      \t      \n\n#END# -ref=x\n"
    )
    found = read(path, source_id=["Source"], ra=["Plx"], name=["2MASS"])
    assert found.to_pydict() == {
        "source_id": IDS[:2],
        "ra": [1.5, None],
        "name": ["0001-01", None],
    }


@pytest.mark.parametrize(
    "text",
    [
        "source_id|ra\n{0}|1\n",
        "source_id;ra\r\n{0};1\r\n",
        "\ufeffsource_id,ra\n{0},1",
        '"source_id","ra"\n"{0}","1"\n',
        "# a note\n#\nsource_id, ra \n {0} , 1\n",
        "source_id,ra,ra\n{0},1,2\n",
        "source_id,ra\n\n{0},1\n\n",
    ],
)
def test_usual_kinds_of_text_are_read(tmp_path, text):
    path = tmp_path / "table.txt"
    path.write_bytes(text.format(IDS[0]).encode())
    found = read(path, source_id=["source_id"], ra=["ra"])
    assert found.to_pydict() == {"source_id": [IDS[0]], "ra": [1.0]}


@pytest.mark.parametrize("text", ["null", "NaN", "", "--", "NULL"])
def test_missing_values_of_archives_are_null(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(f"source_id,ra\n{IDS[0]},{text}\n{text},2\n")
    found = read(path, source_id=["source_id"], ra=["ra"])
    assert found.to_pydict() == {"source_id": [IDS[0], None], "ra": [None, 2.0]}


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"source_id,ra\n1,2,3\n", "not a regular table: .*Expected 2 columns, got 3"),
        (b"source_id,ra\n1,abc\n", "ra cannot be read as double: .*abc"),
        (b"source_id,ra\n1,\xff\xfe\n", "not a regular table: .*UTF8"),
        (b"source_id,r\xe9\n1,2\n", "not text in UTF-8"),
        (
            gzip.compress(b"source_id,ra\n" + b"1,2\n" * 99999, mtime=0)[:-9],
            "gzip stream is broken",
        ),
        (gzip.compress(b"source_id,ra\n1,2\n", mtime=0)[:15], "gzip stream is broken"),
        (b"\x1f\x8b not gzip at all", "gzip stream is broken"),
        (b"# only\n# comments\n", "no line with the names"),
    ],
)
def test_broken_text_is_named(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read(path, source_id=["source_id"], ra=["ra"])
    assert str(path) in str(caught.value)


def test_fits_has_nulls_and_scaled_integers_but_no_lists(tmp_path):
    columns = [
        fits.Column("source_id", "K", null=-5, array=np.array([IDS[0], -5])),
        fits.Column("big", "K", bzero=2**63, array=np.array([1, 2**63 + 1], np.uint64)),
        fits.Column("ra", "2E", array=np.zeros((2, 2))),
    ]
    path = tmp_path / "x.fits"
    fits.BinTableHDU.from_columns(columns).writeto(path)
    found = read(path, source_id=["source_id"])
    assert found["source_id"].to_pylist() == [IDS[0], None]
    (batch,) = open_rows(path).batches(["big"], 9)
    assert batch.column("big").to_pylist() == [1, 2**63 + 1]
    with pytest.raises(InputError, match="one value per row is wanted"):
        read(path, source_id=["source_id"], ra=["ra"])


def test_fits_and_votables_without_a_table_say_so(tmp_path):
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(tmp_path / "image.fits")
    with pytest.raises(InputError, match="FITS without a table"):
        open_rows(tmp_path / "image.fits")
    (tmp_path / "error.vot").write_text(
        '<?xml version="1.0"?><VOTABLE version="1.4"><RESOURCE type="results">'
        '<INFO name="QUERY_STATUS" value="ERROR">timeout</INFO></RESOURCE></VOTABLE>'
    )
    with pytest.raises(InputError, match="without a table; its QUERY_STATUS is ERROR"):
        open_rows(tmp_path / "error.vot")


@pytest.mark.parametrize("kind", ["parquet", "fits", "vot"])
def test_a_file_that_was_cut_off_is_broken(tmp_path, kind):
    ids = np.arange(20_000) + 2**60
    path = write_table(pa.table({"source_id": ids}), tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(InputError, match="broken"):
        read(path, source_id=["source_id"])


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            st.one_of(st.none(), st.floats(allow_nan=False)),
            st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=8),
        ),
        max_size=8,
    ),
    delimiter=st.sampled_from(",|\t;"),
)
def test_text_survives_a_round_trip(tmp_path_factory, rows, delimiter):
    path = tmp_path_factory.mktemp("text") / "t.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(["source_id", "ra", "name"])
        writer.writerows(
            ["" if a is None else a, "" if b is None else repr(b), c] for a, b, c in rows
        )
    found = read(path).to_pylist()
    assert [r["source_id"] for r in found] == [a for a, _, _ in rows]
    assert [r["ra"] for r in found] == [b for _, b, _ in rows]
    assert [r["name"] or "" for r in found] == [_text(c) for *_, c in rows]


def _text(text):
    # Arrow trims what Unicode calls white space, as Python does but for a few control characters.
    trimmed = pc.utf8_trim_whitespace(pa.scalar(text)).as_py()
    return "" if trimmed in NULLS else trimmed
