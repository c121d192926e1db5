import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.labels.user_labels import read_label_table
from pipeline.tables.source_columns import (
    GAIA,
    GAIA_REQUIRED,
    LOOKED_UP,
    TMASS,
    TMASS_REQUIRED,
    TYPES,
)
from pipeline.tables.table import files_of, open_table
from tests.pipeline.tables.kinds import KINDS, write_table

IDS = [2**60 + 1, 2**60 + 2]
VIZIER = {
    "gaia": pa.table(
        {"RA_ICRS": [1.0, 2.0], "DE_ICRS": [-1.0, 89.0], "Source": IDS, "RAJ2000": [9.0, 9.0],
         "Plx": [1.5, 2.5], "e_Plx": [0.1, 0.2], "pmRA": [0.1, 0.2], "pmDE": [0.3, 0.4],
         "RUWE": [1.0, 1.1], "Gmag": [12.0, 13.0], "BPmag": [12.5, 13.5], "RPmag": [11.5, 12.5],
         "RFG": [100.0, 90.0], "ELAT": [5.0, 6.0], "nueff": [1.5, 1.6], "pscol": [1.3, 1.4],
         "Solved": [31, 95], "rgeo": [100.0, 200.0], "b_rgeo": [99.0, 199.0],
         "B_rgeo": [102.0, 202.0]}
    ),
    "tmass": pa.table(
        {"RAJ2000": [1.0, 2.0], "DEJ2000": [-1.0, 89.0], "_2MASS": ["0001-01", "0002+89"],
         "Jmag": [11.0, 12.0], "e_Jmag": [0.02, 0.03], "Hmag": [10.5, 11.5], "e_Hmag": [0.02, 0.02],
         "Kmag": [10.0, 11.0], "e_Kmag": [0.01, 0.02]}
    ),
    "neighbours": pa.table({"Source": IDS, "2MASS": ["0001-01", "0002+89"]}),
    "bailer_jones": pa.table(
        {"Source": IDS, "rgeo": [100.0, 200.0], "b_rgeo": [99.0, 199.0], "B_rgeo": [102.0, 202.0]}
    ),
}  # fmt: skip
DISTANCES = ("r_med_geo", "r_lo_geo", "r_hi_geo")
WANTED = {
    "gaia": (GAIA, GAIA_REQUIRED),
    "tmass": (TMASS, TMASS_REQUIRED),
    "neighbours": (
        {name: LOOKED_UP[name] for name in ("source_id", "original_ext_source_id")},
        ("source_id", "original_ext_source_id"),
    ),
    "bailer_jones": (
        {name: LOOKED_UP[name] for name in ("source_id", *DISTANCES)},
        ("source_id", *DISTANCES),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("which", VIZIER)
def test_every_table_is_taken_in_every_kind_by_viziers_names(tmp_path, which, kind):
    given = VIZIER[which]
    path = write_table(given, tmp_path, kind)
    table = open_table(path, *WANTED[which], TYPES)
    canonical = {own: name for name, own in table.names.items()}
    assert set(given.column_names) - set(canonical) <= {"RAJ2000"}
    files = table.as_parquet(tmp_path / "copies")
    assert (files == [path]) == (kind == "parquet")
    found = pa.concat_tables(pq.read_table(file, partitioning=None) for file in files)
    for own, name in canonical.items():
        assert found[own].to_pylist() == given[own].to_pylist(), own
        if name == "source_id":
            assert found[own].type == pa.int64()
    scanned = table.scan(tmp_path / "copies").read_all()
    assert scanned.column_names == list(table.names)
    assert scanned.equals(table.read())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", [("source_id", "label"), ("OBSID", "Label"), ("Source", "LABEL")])
def test_labels_are_taken_in_every_kind(tmp_path, kind, names):
    path = write_table(pa.table(dict(zip(names, (IDS, ["single", "binary"]), strict=True))),
                       tmp_path, kind)  # fmt: skip
    found = read_label_table(path)
    assert found[0].to_pylist() == IDS
    assert found["label"].to_pylist() == ["single", "binary"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title], ids=["lower", "upper", "title"])
def test_the_case_of_names_does_not_matter(tmp_path, kind, case):
    columns = {"source_id": IDS, "ra": [1.0, 2.0], "dec": [0.0, 1.0], "phot_g_mean_mag": [9.0, 8.0]}
    path = write_table(pa.table({case(k): v for k, v in columns.items()}), tmp_path, kind)
    assert open_table(path, GAIA, GAIA_REQUIRED, TYPES).read().to_pydict() == columns


LOST = {
    "double": pa.array([float(i) for i in IDS]),
    "float": pa.array([float(i) for i in IDS], pa.float32()),
    "halffloat": pa.array(np.array([1, 2], np.float16)),
    "decimal128": pa.array(IDS, pa.decimal128(20, 0)),
    "bool": pa.array([True, False]),
    "timestamp": pa.array([1, 2], pa.timestamp("ns")),
    "list": pa.array([[1], [2]]),
}


@pytest.mark.parametrize("name", LOST)
def test_ids_that_have_lost_digits_are_refused_before_anything_is_read(tmp_path, name):
    path = tmp_path / "gaia.parquet"
    pq.write_table(pa.table({"source_id": LOST[name], "x": [1, 2]}), path)
    with pytest.raises(
        InputError, match=rf"column source_id of .*{path.name} is {name.upper()}.*2\^53"
    ):
        open_table(path, {"source_id": ("source_id",)}, ("source_id",), TYPES)


@pytest.mark.parametrize("kind", ["fits", "vot"])
def test_ids_of_other_kinds_that_have_lost_digits_are_refused_too(tmp_path, kind):
    path = write_table(pa.table({"source_id": LOST["double"]}), tmp_path, kind)
    with pytest.raises(InputError, match="is DOUBLE: ids above"):
        open_table(path, {"source_id": ("source_id",)}, ("source_id",), TYPES)


@pytest.mark.parametrize("text", ["1.15e18", "1152921504606846977.0", "1.152921504606847E+18"])
@pytest.mark.parametrize("kind", ["csv", "ecsv", "fits", "vot", "parquet"])
def test_ids_written_with_an_exponent_are_refused(tmp_path, kind, text):
    path = write_table(pa.table({"source_id": [str(IDS[0]), text]}), tmp_path, kind)
    table = open_table(path, {"source_id": ("source_id",)}, ("source_id",), TYPES)
    with pytest.raises(
        InputError, match=rf"{path.name}: source_id holds floating-point.*{text[:4]}"
    ):
        table.as_parquet(tmp_path / "copies")
    assert not list((tmp_path / "copies").iterdir())


@pytest.mark.parametrize(
    "ids",
    [
        pa.array(IDS, pa.uint64()),
        pa.array([1, 2], pa.int32()),
        pa.array([str(i) for i in IDS]),
        pa.array([f" {i}" for i in IDS], pa.large_string()),
        pa.array([str(i) for i in IDS]).dictionary_encode(),
        pa.array([IDS[0], None]),
    ],
    ids=str,
)
def test_ids_in_integers_and_in_plain_digits_are_taken(tmp_path, ids):
    path = tmp_path / "gaia.parquet"
    pq.write_table(pa.table({"source_id": ids}), path)
    found = open_table(path, {"source_id": ("source_id",)}, ("source_id",), TYPES).read()
    expected = [None if i is None else int(i) for i in ids.to_pylist()]
    assert found["source_id"].to_pylist() == expected


def chunk(folder, name, **columns):
    folder.mkdir(exist_ok=True)
    base = {"source_id": pa.array(IDS), "ra": [1.0, 2.0], "dec": [0.0, 1.0],
            "phot_g_mean_mag": [9.0, 8.0], "ruwe": [1.0, 1.1],
            "pseudocolour": [1.3, 1.4]}  # fmt: skip
    kept = {k: v for k, v in (base | columns).items() if v is not None}
    pq.write_table(pa.table(kept), folder / name)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"pseudocolour": pa.nulls(2)}, {"pseudocolour": [None, None]}),
        ({"ruwe": pa.array([1.5, 2.5], pa.float32())}, {"ruwe": [1.5, 2.5]}),
        ({"ruwe": pa.array([1, 2])}, {"ruwe": [1.0, 2.0]}),
        ({"ruwe": pa.array(["1.5", ""])}, {"ruwe": [1.5, None]}),
        ({"ruwe": None}, {"ruwe": [None, None]}),
        ({"source_id": pa.array([str(i) for i in IDS])}, {}),
        ({"source_id": pa.array(IDS, pa.uint64())}, {}),
        ({"ra": None, "RA": [1.0, 2.0]}, {}),
        ({"extra": ["x", "y"]}, {}),
    ],
)
@pytest.mark.parametrize("names", [("a.parquet", "b.parquet"), ("b.parquet", "a.parquet")])
def test_files_of_a_folder_become_one_schema(tmp_path, columns, expected, names):
    folder = tmp_path / "chunks"
    chunk(folder, names[0])
    chunk(folder, names[1], **columns)
    table = open_table(folder, GAIA, GAIA_REQUIRED, TYPES)
    files = table.as_parquet(tmp_path / "copies")
    wanted = list(table.names.values())
    schemas = {tuple((n, str(pq.read_schema(f).field(n).type)) for n in wanted) for f in files}
    assert len(schemas) == 1
    assert pq.read_schema(files[0]).field("source_id").type == pa.int64()
    changed = sorted(names).index(names[1])
    read = table.files[changed].path.name
    assert read == names[1]
    found = pq.read_table(files[changed], partitioning=None)
    assert found["source_id"].to_pylist() == IDS
    assert found[table.names["ra"]].to_pylist() == [1.0, 2.0]
    for name, values in expected.items():
        assert found[name].to_pylist() == values
    # A file that needs no change is read where it is.
    assert files[1 - changed] == folder / names[0] or "ra" in columns or "RA" in columns


def test_what_does_not_fit_is_refused_with_file_and_column(tmp_path):
    chunk(tmp_path / "a", "1.parquet")
    chunk(tmp_path / "a", "2.parquet", source_id=LOST["double"])
    with pytest.raises(InputError, match=r"column source_id of .*a/2\.parquet is DOUBLE"):
        open_table(tmp_path / "a", GAIA, GAIA_REQUIRED, TYPES)
    chunk(tmp_path / "b", "1.parquet")
    chunk(tmp_path / "b", "2.parquet", dec=None)
    with pytest.raises(InputError, match=r"b/2\.parquet has no column dec; it has"):
        open_table(tmp_path / "b", GAIA, GAIA_REQUIRED, TYPES)
    chunk(tmp_path / "c", "1.parquet", ruwe=pa.array(["high", "low"]))
    table = open_table(tmp_path / "c", GAIA, GAIA_REQUIRED, TYPES)
    with pytest.raises(InputError, match=r"c/1\.parquet: ruwe cannot be read as double: .*low"):
        table.as_parquet(tmp_path / "copies")


def test_a_copy_is_made_once_and_again_for_a_changed_file(tmp_path):
    path = tmp_path / "gaia.csv"
    path.write_text(f"source_id\n{IDS[0]}\n")

    def copy():
        table = open_table(path, {"source_id": ("source_id",)}, ("source_id",), TYPES)
        (file,) = table.as_parquet(tmp_path / "copies")
        return file, file.stat().st_mtime_ns

    first = copy()
    assert copy() == first
    path.write_text(f"source_id\n{IDS[0]}\n{IDS[1]}\n")
    second = copy()
    assert second[0] != first[0]
    assert pq.read_table(second[0])["source_id"].to_pylist() == IDS


def test_a_large_table_is_never_held_whole(tmp_path):
    rows = 600_000
    path = tmp_path / "gaia.parquet"
    ids = pa.array(np.arange(rows) + 2**60).cast(pa.string())
    pq.write_table(pa.table({"source_id": ids, "ra": np.zeros(rows)}), path, row_group_size=50_000)
    aliases = {"source_id": ("source_id",), "ra": ("ra",)}
    table = open_table(path, aliases, tuple(aliases), TYPES)
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    largest = max(pool.bytes_allocated() - before for _ in table.files[0].batches())
    assert largest < 20e6
    (copy,) = table.as_parquet(tmp_path / "copies")
    found = pq.ParquetFile(copy)
    assert found.metadata.num_rows == rows
    assert found.metadata.num_row_groups == 2
    found.close()


def test_a_folder_is_the_files_of_one_kind_below_it(tmp_path):
    for name in ("a/x.csv.gz", "b/y.CSV", "notes.md", ".hidden.csv", "_common.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("source_id\n1\n")
    assert [f.name for f in files_of(tmp_path)] == ["x.csv.gz", "y.CSV"]
    pq.write_table(pa.table({"a": [1]}), tmp_path / "z.parquet")
    with pytest.raises(InputError, match=r"holds Parquet files and others \(x\.csv\.gz\)"):
        files_of(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no table below"):
        files_of(tmp_path / "empty")
    with pytest.raises(InputError, match="no table at"):
        files_of(tmp_path / "none")
