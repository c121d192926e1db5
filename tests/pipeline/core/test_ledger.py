"""A record vouches for files: it counts as long as they are those that it was made for."""

import json
from pathlib import Path

import pytest

from pipeline.core.damage import sha256_of
from pipeline.core.ledger import Done, Ledger
from pipeline.core.published import Published, publish, read_published
from pipeline.core.records import read_records


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path, "step", "one")


def written(ledger, unit, content=b"content"):
    path = ledger.root / f"out-{unit}"
    path.write_bytes(content)
    ledger.write(unit, Done({"files": 3 + unit}, (path,), ("a note",), ("a line",)))
    return path


def test_a_record_counts_only_for_its_own_inputs(ledger, tmp_path):
    written(ledger, 0)
    written(ledger, 2)
    assert ledger.pending(4) == [1, 3]
    assert ledger.total(4) == {"files": 8}
    assert Ledger(tmp_path, "two", "one").pending(3) == [0, 1, 2]
    assert Ledger(tmp_path, "step", "two").pending(3) == [0, 1, 2]


def test_a_record_holds_what_was_done(ledger):
    path = written(ledger, 0)
    assert ledger.read(0) == Done({"files": 3}, (path,), ("a note",), ("a line",))
    content = json.loads(ledger.path.read_text())
    assert content["outputs"] == {"out-0": [7, sha256_of(path)]}


@pytest.mark.parametrize("damage", ["delete", "truncate", "lengthen"])
def test_a_file_that_changed_its_size_is_made_again(ledger, damage):
    path = written(ledger, 0)
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(b"cont" if damage == "truncate" else b"contents")
    assert ledger.pending(1) == [0]


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b"null", b'{"digest": "one"}', b"\xff\xfe"])
def test_a_torn_record_counts_as_not_done(ledger, torn):
    """The others do, and what is appended behind it."""
    written(ledger, 0)
    written(ledger, 1)
    first = ledger.path.read_bytes().splitlines(keepends=True)[0]
    ledger.path.write_bytes(first + torn)
    assert ledger.pending(2) == [1]
    assert ledger.total(2) == {"files": 3}
    written(ledger, 1)
    assert ledger.pending(2) == []
    ledger.tidy()
    assert read_records(ledger.path).damaged == ()
    assert [record["unit"] for record in read_records(ledger.path).records] == [0, 1]


def test_the_last_record_of_a_unit_counts_and_order_does_not(ledger):
    for unit, content in ((2, b"a"), (0, b"b"), (1, b"c"), (0, b"longer")):
        written(ledger, unit, content)
    tidy = ledger.path.read_bytes()
    assert len(tidy.splitlines()) == 4
    assert ledger.pending(3) == []
    ledger.tidy()
    in_order = ledger.path.read_bytes()
    ledger.path.unlink()
    for unit, content in ((0, b"longer"), (1, b"c"), (2, b"a")):
        written(ledger, unit, content)
    assert ledger.path.read_bytes() == in_order


def test_an_unchanged_file_is_read_once(ledger, monkeypatch):
    for unit in range(3):
        written(ledger, unit)
    read = []
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or original(path))
    assert ledger.pending(3) == []
    assert ledger.total(3) == {"files": 12}
    assert read.count(ledger.path) == 1


def test_counts_keep_the_order_in_which_they_are_printed(ledger):
    ledger.write(0, Done({"spectra": 3, "binary": 1, "all": 9}))
    assert list(ledger.read(0).counts) == ["spectra", "binary", "all"]
    publish(ledger.root, "sample", Published("d", {"spectra": 3, "binary": 1}))
    assert list(read_published(ledger.root, "sample").counts) == ["spectra", "binary"]


def test_records_of_other_inputs_are_dropped_before_their_files_are_overwritten(ledger, tmp_path):
    written(ledger, 0)
    written(ledger, 1)
    other = Ledger(tmp_path, "step", "two")
    other.write(1, Done())
    other.tidy()
    assert ledger.pending(2) == [0, 1]
    assert other.pending(2) == [0]
    ledger.tidy()
    assert not ledger.path.exists()
