import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalogue.query import connect, save, show
from pipeline.core.atomic import write_parquet
from pipeline.core.errors import InputError
from schemas.observations import MANIFEST
from schemas.sample import CUT_FLOW
from schemas.table import Table

SECRET = "do not tell"


def part(table: Table, **columns):
    """A part of a table, null where no column is given."""
    rows = len(next(iter(columns.values())))
    arrays = [pa.array(columns.get(f.name, [None] * rows), f.type) for f in table.schema]
    return pa.Table.from_arrays(arrays, schema=table.schema)


@pytest.fixture
def root(tmp_path):
    """A run of two tables below a path that DuckDB would read as columns and patterns."""
    root = tmp_path / "row=7" / "[v1] a*b?"
    manifest = part(MANIFEST, shard=[0, 0], row=[0, 1], path=["a.fits", "b.fits"])
    write_parquet(root / "manifest.parquet", manifest)
    write_parquet(root / "tables" / "cut_flow.parquet", part(CUT_FLOW, cut=["TEFF"], spectra=[5]))
    # What a pattern or a link might reach.
    other = tmp_path / "row=7" / "v aXbY"
    write_parquet(other / "manifest.parquet", part(MANIFEST, row=[99], path=["wrong"]))
    (tmp_path / "secret.txt").write_text(SECRET)
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "tables" / "out").symlink_to(tmp_path)
    return root


def state(folder):
    """Names and contents of all files."""
    return {str(p): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


def test_a_path_is_a_path_and_its_folders_are_no_columns(root):
    with connect(root) as tables:
        assert tables.sql("FROM manifest").columns == MANIFEST.names
        assert tables.sql('SELECT "row", path FROM manifest').fetchall() == [
            (0, "a.fits"),
            (1, "b.fits"),
        ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM manifest",
        "select 1;",
        "-- how many?\nSELECT count(*) FROM manifest",
        "WITH m AS (FROM manifest) SELECT count(*) FROM m",
        "FROM manifest SELECT path",
        "VALUES (1)",
        "TABLE manifest",
        "DESCRIBE manifest",
        "SHOW TABLES",
        "SUMMARIZE manifest",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE FROM manifest",
        "EXPLAIN (ANALYZE, FORMAT json) FROM manifest",
        "PIVOT manifest ON shard IN (0)",
        "SELECT 'INSERT; COPY manifest TO ''x'''",
    ],
)
def test_what_reads_is_answered(root, sql):
    assert show(root, sql)


# {here}: the run; {out}: a folder that can be written.
HOSTILE = [
    # writing
    "COPY manifest TO '{here}/manifest.parquet'",
    "COPY (SELECT 1) TO '{out}/new.parquet' (FORMAT parquet)",
    "COPY (SELECT 1) TO '{here}/tables/out/new.csv'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "/* SELECT */ COPY manifest TO '{out}/new.csv'",
    "-- SELECT 1;\nCOPY manifest TO '{out}/new.csv'",
    "WITH x AS (COPY manifest TO '{out}/new.csv') FROM x",
    "WITH x AS (COPY (SELECT 1) TO '{here}/manifest.parquet') SELECT count(*) FROM x",
    "FROM query('WITH x AS (COPY manifest TO ''{out}/new.csv'') FROM x')",
    "EXPLAIN ANALYZE COPY manifest TO '{out}/new.csv'",
    "EXPLAIN (ANALYZE) COPY manifest TO '{out}/new.csv'",
    "EXPLAIN/**/ANALYZE COPY manifest TO '{out}/new.csv'",
    "EXPLAIN ANALYZE WITH x AS (COPY manifest TO '{out}/new.csv') FROM x",
    "EXPORT DATABASE '{out}/new'",
    "IMPORT DATABASE '{out}'",
    "ATTACH '{out}/new.db'",
    "ATTACH '{out}/new.db' AS x; CREATE TABLE x.t AS FROM manifest",
    "FROM enable_logging(storage='file', storage_path='{out}/log')",
    "CALL enable_logging(storage='file', storage_path='{out}/log')",
    "SET logging_storage = 'file'",
    "CREATE TABLE t AS FROM manifest",
    "CREATE OR REPLACE VIEW manifest AS SELECT 1",
    "CREATE SECRET s (TYPE s3)",
    "CREATE MACRO f() AS 1",
    "INSERT INTO manifest SELECT * FROM manifest",
    "WITH x AS (INSERT INTO manifest FROM manifest RETURNING *) FROM x",
    "UPDATE manifest SET shard = 1",
    "DELETE FROM manifest",
    "TRUNCATE manifest",
    "DROP VIEW manifest",
    "ALTER VIEW manifest RENAME TO m",
    "MERGE INTO manifest USING manifest AS s ON true WHEN MATCHED THEN DELETE",
    "VACUUM",
    "CHECKPOINT",
    # reading outside
    "FROM read_text('{out}/secret.txt')",
    "FROM read_text('{here}/link.txt')",
    "FROM read_text('{here}/tables/out/secret.txt')",
    "FROM read_blob('{out}/secret.txt')",
    "FROM read_csv('{out}/secret.txt')",
    "FROM read_csv('/etc/passwd')",
    "FROM read_json('{out}/secret.txt')",
    "FROM '{out}/secret.txt'",
    "FROM '/etc/passwd'",
    "FROM read_parquet('{here}/manifest.parquet')",
    "FROM parquet_metadata('{here}/manifest.parquet')",
    "FROM sniff_csv('{out}/secret.txt')",
    "FROM glob('{out}/*')",
    "FROM query('FROM read_text(''{out}/secret.txt'')')",
    "SELECT (SELECT content FROM read_text('{out}/secret.txt'))",
    "WITH v AS (FROM read_text('{out}/secret.txt')), w AS (FROM v) FROM w",
    "SELECT getenv('SECRET')",
    "FROM secret",
    "FROM read_csv('https://example.org/x.csv')",
    "FROM duckdb_secrets()",
    # extensions, settings, sessions
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{out}/x.duckdb_extension'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET threads",
    "SET VARIABLE x = 1",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "USE memory",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "CALL pragma_version()",
    "SELECT ?",
    # more than one, none
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY manifest TO '{out}/new.csv'",
    "SELECT 1; DROP VIEW manifest",
    "",
    ";",
    "-- nothing",
    # no SQL
    "SELEC 1",
    "SELECT FROM WHERE",
    "PIVOT manifest ON shard",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_what_does_not_read_the_run_is_refused_in_one_plain_line(
    root, tmp_path, sql, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", SECRET)
    secret = pa.table({"text": [SECRET]})
    assert secret.num_rows == 1  # a variable of the caller is no table either
    before = state(tmp_path)
    sql = sql.format(here=root, out=tmp_path)
    for statement in (sql, sql.replace("\n", "\r\n")):
        with pytest.raises(InputError) as caught:
            show(root, statement)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    assert SECRET not in message
    assert "Error:" not in message
    with pytest.raises(InputError):
        save(root, sql, tmp_path / "answer.csv")
    with connect(root) as tables, pytest.raises(Exception, match="."):
        tables.sql(sql).fetchall()
    assert state(tmp_path) == before
    assert capfd.readouterr() == ("", "")


def test_a_relation_cannot_be_written_by_duckdb(root, tmp_path):
    before = state(tmp_path)
    with connect(root) as tables:
        answer = tables.sql("FROM manifest")
        for write in ("write_csv", "write_parquet"):
            with pytest.raises(Exception, match="disabled by configuration"):
                getattr(answer, write)(str(root / "manifest.parquet"))
    assert state(tmp_path) == before


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("FROM labels", "has no table labels yet; run `pairspec label --root"),
        ("FROM Stars", "has no table Stars yet; run `pairspec catalogue --root"),
        ("FROM manifets", "no table manifets; did you mean manifest?"),
        ("FROM nothing_like_it", "the tables are manifest, headers"),
        ("SELECT pathh FROM manifest", 'no column pathh .* nearest are "path"'),
        ("SELECT m.pathh FROM manifest AS m", "no column pathh"),
        ("SELEC 1", 'not valid SQL: syntax error at or near "SELEC"'),
        ("SELECT 1; SELECT 2", "one statement, and this is 2"),
        (" ", "one statement, and none is given; with make, SQL="),
        ("COPY manifest TO 'x'", "COPY is not allowed: .*--output"),
        ("FROM read_text('/etc/passwd')", "can open no other file"),
        ("SELECT path::INT FROM manifest", "Could not convert string 'a.fits'"),
        ("SELECT fooo(1)", "Function with name fooo does not exist"),
        ("SELECT 9223372036854775807 + 1", "failed: Overflow"),
        ("FROM enable_profiling()", "cannot change DuckDB's settings"),
    ],
)
def test_what_is_wrong_is_said(root, sql, message):
    with pytest.raises(InputError, match=message):
        show(root, sql)


READS = ("FROM '", 'FROM "', "FROM query('FROM")
"""What --allow-files may answer: a file by its name alone."""


def test_allowed_files_allow_nothing_else(root, tmp_path, capfd):
    before = state(tmp_path)
    with connect(root, allow_files=True) as tables:
        for sql in HOSTILE:
            if not sql.startswith(READS):
                with pytest.raises(Exception, match=".") as caught:
                    tables.sql(sql.format(here=root, out=tmp_path)).fetchall()
                assert SECRET not in str(caught.value)
    assert state(tmp_path) == before
    assert capfd.readouterr() == ("", "")


def test_allowed_files_are_tables_of_any_kind(root, tmp_path):
    from astropy.table import Table as AstropyTable

    large = 2**60 + 1
    own = {"path": ["a.fits", "c.fits"], "id": [large, 7], "x": [0.5, 2.5]}
    made = AstropyTable(own)
    folder = tmp_path / "it's mine"
    folder.mkdir()
    names = [folder / f"own.{ending}" for ending in ("csv", "ecsv", "fits", "vot")]
    for name in names:
        made.write(name, format="votable" if name.suffix == ".vot" else None)
    pq.write_table(pa.table(own), folder / "own.parquet")
    (folder / "sub").mkdir()
    pq.write_table(pa.table(own), folder / "sub" / "part-0.parquet")
    before = state(tmp_path)
    for name in (*names, folder / "own.parquet", folder / "sub"):
        quoted = str(name).replace("'", "''")
        sql = f"SELECT m.row, o.id, o.x FROM manifest AS m JOIN '{quoted}' AS o USING (path)"
        with connect(root, allow_files=True) as tables:
            assert tables.sql(sql).fetchall() == [(0, large, 0.5)], name
        with pytest.raises(InputError, match="--allow-files|no table"):
            show(root, sql)
    both = f"SELECT id FROM '{names[0]}' JOIN '{names[2]}' USING (id)".replace("it's", "it''s")
    assert save(root, both, tmp_path / "both.csv", allow_files=True).startswith("2 rows")
    (tmp_path / "both.csv").unlink()
    assert state(tmp_path) == before
    with pytest.raises(InputError, match="no table"):
        show(root, f"FROM '{tmp_path / 'none.fits'}'", allow_files=True)
    (folder / "text.csv").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="an image"):
        show(root, f"FROM '{folder / 'text.csv'}'".replace("it's", "it''s"), allow_files=True)


def test_further_files_are_views_of_their_names(root, tmp_path):
    pq.write_table(pa.table({"path": ["a.fits"], "kind": ["pair"]}), tmp_path / "truth.parquet")
    with connect(root, truth=tmp_path / "truth.parquet") as tables:
        joined = tables.sql("SELECT kind FROM manifest JOIN truth USING (path)").fetchall()
        wanted = tables.sql("SELECT count(*) FROM truth WHERE kind = $kind", {"kind": "pair"})
        assert wanted.fetchall() == [(1,)]
    assert joined == [("pair",)]
    with pytest.raises(FileNotFoundError, match="has no file"), connect(root, x=tmp_path / "no"):
        pass
    with (
        pytest.raises(FileNotFoundError, match="is a table of the run"),
        connect(root, manifest=tmp_path / "truth.parquet"),
    ):
        pass


def test_a_root_without_tables_names_the_first_stage(tmp_path):
    with pytest.raises(FileNotFoundError, match="run `pairspec ingest` first"):
        show(tmp_path, "SELECT 1")


def test_the_command_loads_nothing_that_it_does_not_need(root):
    code = (
        "import sys; from pipeline.catalogue.query import show; show({root!r}, 'FROM manifest');"
        "heavy = ['torch', 'dask', 'distributed', 'lsdb', 'astropy', 'xarray', 'zarr', 'scipy',"
        " 'matplotlib', 'IPython']; print([name for name in heavy if name in sys.modules])"
    ).replace("{root!r}", f"__import__('pathlib').Path({str(root)!r})")
    folder = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=os.environ, capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr
