import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalogue.query import save, show
from pipeline.core.errors import InputError


@pytest.fixture
def folder(tmp_path):
    pq.write_table(pa.table({"path": ["a.fits"]}), tmp_path / "manifest.parquet")
    return tmp_path


@pytest.mark.parametrize("sql", ["FROM '{0}'", "FROM manifest JOIN '{0}' USING (path)"])
def test_a_file_that_is_not_there_is_named(folder, sql):
    file = folder / "mine.csv"
    with pytest.raises(InputError, match=f"^there is no file {file}$"):
        show(folder, sql.format(file), allow_files=True)
    with pytest.raises(InputError, match="--allow-files lets FROM 'file' read others"):
        show(folder, sql.format(file))
    file.write_text("path\na.fits\n")
    assert "a.fits" in show(folder, sql.format(file), allow_files=True)


def test_one_row_is_written_as_one(folder):
    output = folder.parent / f"{folder.name}.csv"
    assert save(folder, "FROM manifest", output) == f"1 row -> {output}"
