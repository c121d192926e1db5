import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.tables.kind import Kind, kind_of
from tests.pipeline.tables.kinds import KINDS, write_table


def zip_archive():
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("gaia.csv", "source_id,ra\n1,2\n")
    return sink.getvalue()


def tar_archive():
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        info = tarfile.TarInfo("gaia.csv")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"1,2\n"))
    return sink.getvalue()


def array():
    sink = io.BytesIO()
    np.save(sink, np.zeros(3))
    return sink.getvalue()


FOREIGN = {
    "is empty": b"",
    "is empty; give a table as CSV": b"  \n\n",
    "zip archive": zip_archive(),
    "tar archive": tar_archive(),
    "HTML page": b"<!DOCTYPE html>\n<html><body>404 source_id,ra</body></html>",
    "an HTML page, perhaps an error": b"\n <html lang='en'>",
    "PDF document": b"%PDF-1.7 ...",
    "HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(50),
    "XML, but no VOTable": b"<?xml version='1.0'?><svg/>",
    "JSON": b'{"source_id": [1]}',
    "NumPy array": array(),
    "bzip2": b"BZh91AY&SY",
    "xz": b"\xfd7zXZ\x00",
    "UTF-16": "source_id,ra\n1,2\n".encode("utf-16"),
    "an image": b"\x89PNG\r\n\x1a\n",
    "SQLite database": b"SQLite format 3\x00",
    "Feather": b"ARROW1\x00\x00",
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
    "gzipped twice": gzip.compress(gzip.compress(b"source_id,ra\n1,2\n")),
    "gzipped Parquet": gzip.compress(b"PAR1" + bytes(30)),
    "binary file of an unknown kind": bytes(range(256)),
}


@pytest.mark.parametrize("name", ["gaia.csv", "gaia.parquet", "gaia.fits"])
@pytest.mark.parametrize("message", FOREIGN)
def test_what_is_no_table_is_named_by_its_content(tmp_path, message, name):
    path = tmp_path / name
    path.write_bytes(FOREIGN[message])
    with pytest.raises(InputError, match=message) as caught:
        kind_of(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_known_under_any_name(tmp_path, kind):
    import pyarrow as pa

    path = write_table(pa.table({"source_id": [1, 2], "ra": [0.5, 1.5]}), tmp_path, kind)
    expected = {
        "csv": Kind.CSV, "tsv": Kind.CSV, "ecsv": Kind.ECSV, "fits": Kind.FITS, "vot": Kind.VOTABLE,
        "parquet": Kind.PARQUET,
    }[kind.removesuffix(".gz").removeprefix("binary.")]  # fmt: skip
    assert kind_of(path) is expected
    assert kind_of(path.rename(tmp_path / "table.dat")) is expected


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*none\.csv: No such file"):
        kind_of(tmp_path / "none.csv")
    with pytest.raises(InputError, match="Is a directory"):
        kind_of(tmp_path)
