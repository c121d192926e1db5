"""How the bytes of a file are read."""

import gzip
import os
from pathlib import Path

import pytest

from pipeline.lamost import content
from pipeline.lamost.content import read_content
from pipeline.lamost.errors import SpectrumError


@pytest.mark.parametrize("most", [1, 7, 4096])
def test_a_file_system_that_gives_less_than_asked(tmp_path, monkeypatch, most):
    """As network file systems may: a read ends where it likes."""
    whole = os.urandom(20_000 if most > 1 else 900)
    for name, stored in (("plain", b"SIMPLE" + whole), ("packed", gzip.compress(whole))):
        path = tmp_path / name
        path.write_bytes(stored)
        expected = read_content(path)
        read = os.read
        monkeypatch.setattr(content.os, "read", lambda fd, n, read=read: read(fd, min(n, most)))
        assert read_content(path) == expected
        monkeypatch.undo()


@pytest.mark.parametrize("change", [300, -300], ids=["grown", "cut"])
def test_a_file_that_changes_its_size_is_read_to_its_end(tmp_path, monkeypatch, change):
    path = tmp_path / "file"
    path.write_bytes(b"SIMPLE" + bytes(range(250)) * 8)
    fstat = os.fstat

    def other(descriptor):
        """What was true before somebody else wrote."""
        values = list(fstat(descriptor))
        values[6] -= change
        return os.stat_result(values)

    monkeypatch.setattr(content.os, "fstat", other)
    assert read_content(path) == path.read_bytes()


def test_no_file_is_left_open(tmp_path):
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    (tmp_path / "file").write_bytes(b"SIMPLE")
    for path in (tmp_path / "file", tmp_path, tmp_path / "missing"):
        try:
            read_content(path)
        except SpectrumError as error:
            assert path.name in str(error) or path == tmp_path
    assert len(list(descriptors.iterdir())) == before
