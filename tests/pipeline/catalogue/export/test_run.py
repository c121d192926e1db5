"""What is exported is opened by the programs that it is for, and holds the same."""

import csv
import io
import warnings

import duckdb
import lsdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import parse, validate
from astropy.table import Table
from astropy.units import Unit
from typer.testing import CliRunner

from pipeline.catalogue.answer import write_answer
from pipeline.catalogue.export.run import export
from pipeline.cli.app import app
from pipeline.core.atomic import sweep
from schemas.catalogue import STARS

ASCII = [c.name for c in STARS.columns if not pa.types.is_string(c.type)] + ["star_id"]
NUMBERS = [c for c in STARS.columns if c.name in ASCII and c.name != "star_id"]


@pytest.fixture
def made(stars_root, tmp_path):
    """Export some columns of all stars: ``made(format, columns)``."""
    root, _ = stars_root

    def make(form, columns=None, where=None):
        path = tmp_path / f"stars.{form}"
        line = export(root.path, form, path, where, columns)
        assert sorted(tmp_path.iterdir()) == [path]
        return path, line

    return make


def by_star(table):
    """Position of each star."""
    names = [n.decode() if isinstance(n, bytes) else str(n) for n in table["star_id"]]
    return {name: i for i, name in enumerate(names)}


def same_values(found, table):
    """Compare an astropy table with the rows of the catalogue, nulls included."""
    place = by_star(found)
    order = [place[name] for name in table["star_id"].to_pylist()]
    assert len(found) == table.num_rows
    for column in NUMBERS:
        expected = table[column.name]
        got = np.ma.MaskedArray(found[column.name])[order]
        null = np.ma.getmaskarray(got)
        if np.issubdtype(got.dtype, np.floating):
            null = null | np.isnan(got.filled(np.nan))
        np.testing.assert_array_equal(null, expected.is_null().to_numpy(), column.name)
        values = np.asarray(got.data)[~null]
        np.testing.assert_array_equal(values, expected.drop_null().to_numpy(), column.name)


def test_fits_opens_in_astropy(made, stars_root):
    _, table = stars_root
    path, line = made("fits", ASCII)
    assert line == f"3,000 stars, {len(ASCII)} columns -> {path}"
    with warnings.catch_warnings(), fits.open(path) as hdus:
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Column 'in_sample' contains NULL")
        hdus.verify("exception")
        header = hdus[1].header
        for number, name in enumerate(ASCII, start=1):
            column = next(c for c in STARS.columns if c.name == name)
            assert header[f"TTYPE{number}"] == name
            in_dex = column.unit == "dex"
            assert header.get(f"TUNIT{number}", "") == ("" if in_dex else column.unit)
            assert header.get(f"TUCD{number}", "") == column.ucd
            text = f"{column.description}; in dex" if in_dex else column.description
            assert header[f"TCOMM{number}"] == text
        history = "".join(header["HISTORY"])
        assert "catalogue: 0123456789abcdef" in history
        assert "selection: all stars" in history
        truth = hdus[1].data.field("in_sample")
        assert truth.sum() == table["in_sample"].to_pylist().count(True)
    assert path.stat().st_size % 2880 == 0
    found = Table.read(path)
    found["in_sample"] = np.ma.MaskedArray(found["in_sample"], mask=raw_nulls(path, "in_sample"))
    same_values(found, table)
    assert found["source_id"].dtype.newbyteorder("=") == np.int64


def raw_nulls(path, name):
    """Where a column of truth has the byte 0, which astropy reads as False."""
    with fits.open(path, character_as_bytes=True) as hdus:
        return hdus[1].data.view(np.ndarray)[name].view("u1") == 0


def test_texts_that_fits_cannot_hold_are_refused(made):
    with pytest.raises(ValueError, match=r"the column designation .* not ASCII"):
        made("fits")


def test_votable_opens_in_astropy_and_is_valid(made, stars_root, tmp_path):
    _, table = stars_root
    path, _ = made("votable")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parsed = parse(path, verify="exception")
    fields = parsed.get_first_table().fields
    for field, column in zip(fields, STARS.columns, strict=True):
        assert (field.name, field.ucd or "") == (column.name, column.ucd)
        # The standard has no dex: it stands in the text.
        in_dex = column.unit == "dex"
        assert (field.unit or "") == Unit("" if in_dex else column.unit) or not column.unit
        text = f"{column.description}; in dex" if in_dex else column.description
        assert " ".join(field.description.split()) == text
    infos = {info.name: info.value for info in parsed.get_first_table().infos}
    assert infos["catalogue"] == "0123456789abcdef"
    assert validate(str(path), output=io.StringIO())
    found = parsed.get_first_table().to_table()
    same_values(found, table)
    place = by_star(found)
    for name in ("designation", "label"):
        expected = table[name].to_pylist()
        for star, text in zip(table["star_id"].to_pylist(), expected, strict=True):
            assert str(found[name].filled("")[place[star]]) == (text or "")


def test_ecsv_opens_in_astropy(made, stars_root):
    _, table = stars_root
    path, _ = made("ecsv")
    found = Table.read(path)
    same_values(found, table)
    for column in STARS.columns:
        assert (found[column.name].unit or "") == (Unit(column.unit) if column.unit else "")
        assert found[column.name].description == column.description
        assert found[column.name].meta.get("ucd", "") == column.ucd
    assert found.meta["provenance"]["catalogue"] == "0123456789abcdef"


def test_csv_holds_every_digit(made, stars_root):
    _, table = stars_root
    path, _ = made("csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3000
    ids = {row["star_id"]: row["source_id"] for row in rows}
    expected = zip(table["star_id"].to_pylist(), table["source_id"].to_pylist(), strict=True)
    assert ids == {star: "" if source is None else str(source) for star, source in expected}
    with duckdb.connect() as db:
        counted = db.sql(f"SELECT count(*), count(p_b) FROM read_csv('{path}')").fetchall()
    assert counted == [(3000, 3000 - table["p_b"].null_count)]


@pytest.mark.filterwarnings("ignore")
def test_hats_opens_in_lsdb(made, stars_root):
    _, table = stars_root
    path, line = made("hats", ["star_id", "source_id"], "dec_deg > 0")
    north = table.filter(pa.compute.greater(table["dec_deg"], 0))
    assert line.startswith(f"{north.num_rows:,} stars, 5 columns")
    catalogue = lsdb.open_catalog(str(path))
    found = catalogue.compute()
    assert sorted(found["star_id"]) == sorted(north["star_id"].to_pylist())
    assert set(found["source_id"].dropna()) == set(north["source_id"].drop_null().to_pylist())
    schema = pq.read_schema(next(path.rglob("*.parquet")))
    assert schema.field("dec_deg").metadata[b"unit"] == b"deg"
    assert schema.metadata[b"provenance selection"] == b"dec_deg > 0"
    near = catalogue.cone_search(north["ra_deg"][3].as_py(), north["dec_deg"][3].as_py(), 5)
    assert near.compute()["star_id"].tolist() == [north["star_id"][3].as_py()]


@pytest.mark.filterwarnings("ignore")
def test_a_margin_finds_the_matches_across_the_edges_of_partitions(stars_root, tmp_path):
    root, table = stars_root
    out = tmp_path / "collection"
    export(root.path, "hats", out, None, ["star_id"], margin_arcsec=250)
    assert sorted(path.name for path in out.iterdir()) == [
        "collection.properties", "stars", "stars_250arcs",
    ]  # fmt: skip
    stars = lsdb.open_catalog(str(out))
    assert stars.margin.hc_structure.catalog_info.margin_threshold == 250
    # The same stars 200 arcsec to the north, in partitions of their own.
    moved = table.select(["star_id", "ra_deg", "dec_deg"]).to_pandas()
    moved["dec_deg"] += 200 / 3600
    moved = moved[moved["dec_deg"] < 89.5]
    left = lsdb.from_dataframe(moved, ra_column="ra_deg", dec_column="dec_deg")

    def matched(right):
        near = {"n_neighbors": 3, "radius_arcsec": 240, "suffixes": ("_l", "_r")}
        found = left.crossmatch(right, **near).compute()
        return (found["star_id_l"] == found["star_id_r"]).sum()

    assert matched(stars) == len(moved)
    assert matched(lsdb.open_catalog(str(out / "stars"))) < len(moved)
    within = {name for part in (out / "stars_250arcs").rglob("Npix*.parquet")
              for name in pq.read_table(part)["star_id"].to_pylist()}  # fmt: skip
    assert 0 < len(within) < table.num_rows / 10


@pytest.mark.filterwarnings("ignore")
def test_a_margin_without_stars_opens_too(stars_root, tmp_path):
    root, _ = stars_root
    export(root.path, "hats", tmp_path / "c", "dec_deg > 88", ["star_id"], margin_arcsec=60)
    assert len(lsdb.open_catalog(str(tmp_path / "c")).compute()) > 0
    for margin, form, message in ((0.5, "hats", "from 1 to 250"), (5, "fits", "is for --format")):
        with pytest.raises(ValueError, match=message):
            export(root.path, form, tmp_path / "d", None, None, margin)


def test_rows_and_columns_are_chosen(made, stars_root):
    _, table = stars_root
    path, line = made("fits", ["p_b", "star_id"], "p_b > 0.5 -- as published")
    found = Table.read(path)
    assert found.colnames == ["p_b", "star_id"]
    p_b = table["p_b"].drop_null().to_numpy()
    assert len(found) == (p_b > 0.5).sum()
    assert line.startswith(f"{len(found):,} stars")
    lines, _ = made("fits", ["p_b"], "p_b > 0.5 -- several\n\tAND p_b < 2")
    assert len(Table.read(lines)) == len(found)
    empty, _ = made("fits", ["p_b"], "false")
    assert len(Table.read(empty)) == 0


@pytest.mark.parametrize("form", ["fits", "votable", "csv", "ecsv", "hats"])
def test_no_rows_are_a_file_too(made, form):
    path, line = made(form, ["star_id", "p_b"], "false")
    assert line.startswith("0 stars")
    if form in ("votable", "ecsv"):
        assert len(Table.read(path)) == 0


@pytest.mark.parametrize(
    "where",
    [
        "1) UNION ALL SELECT content, 1 FROM read_text('/etc/passwd') WHERE (true",
        "p_b IN (SELECT 1 FROM read_csv('/etc/passwd'))",
        "true); COPY stars TO '{out}/x.csv'; SELECT (1",
        "true); DROP VIEW stars; SELECT (1",
        "p_b >",
        "nothing > 1",
    ],
)
def test_a_condition_reads_the_stars_and_nothing_else(stars_root, tmp_path, where):
    root, _ = stars_root
    with pytest.raises(ValueError, match="."):
        export(root.path, "csv", tmp_path / "a.csv", where.format(out=tmp_path), ["star_id", "p_b"])
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_said(stars_root, tmp_path):
    root, _ = stars_root
    with pytest.raises(ValueError, match="no format xls; the formats are fits"):
        export(root.path, "xls", tmp_path / "a", None, None)
    with pytest.raises(ValueError, match="no column p_c; did you mean p_b"):
        export(root.path, "csv", tmp_path / "a.csv", None, ["p_c"])
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("kept")
    for form in ("hats", "fits"):
        with pytest.raises(ValueError, match="exists; name a new"):
            export(root.path, form, tmp_path / "folder", None, None)
    assert (tmp_path / "folder" / "mine.txt").read_text() == "kept"
    with pytest.raises(ValueError, match="would write into the run"):
        export(root.path, "csv", root.path / "catalogue" / "a.csv", None, None)
    with pytest.raises(ValueError, match="there is no folder"):
        export(root.path, "csv", tmp_path / "none" / "a.csv", None, None)


def test_the_command(stars_root, tmp_path):
    root, _ = stars_root
    out = tmp_path / "a.vot"
    arguments = ["export", "-f", "votable", "--columns", "star_id, p_b", "--where", "p_b > 0.9"]
    done = CliRunner().invoke(app, [*arguments, "-o", str(out), "--root", str(root.path)])
    assert done.exit_code == 0, done.output
    assert f"2 columns -> {out}" in done.output
    assert Table.read(out).colnames == ["star_id", "p_b"]


def test_a_stage_that_starts_leaves_an_export_in_the_making_alone(stars_root, monkeypatch):
    root, table = stars_root

    def swept(*args):
        assert sweep(root.path) == 0
        return write_answer(*args)

    monkeypatch.setattr("pipeline.catalogue.export.run.write_answer", swept)
    path = root.path / "stars.csv"
    try:
        export(root.path, "csv", path, None, ["star_id"])
        assert path.read_text().count("\n") == table.num_rows + 1
    finally:
        path.unlink(missing_ok=True)
