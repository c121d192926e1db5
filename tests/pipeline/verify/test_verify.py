"""What is looked at, and what is said, without a survey."""

import fcntl

import pytest

from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done, Ledger
from pipeline.core.lock import RootLockedError
from pipeline.core.published import Published, publish
from pipeline.core.records import records_path
from pipeline.core.sealed import read_sealed, write_sealed
from pipeline.verify.verify import verify
from schemas.sample import SAMPLE
from tests.ledger import drop_record


@pytest.fixture
def root(tmp_path):
    """A root with a sample of two parts, a table of the cross-match and a record of it."""
    ledger = Ledger(tmp_path, "select", "s")
    for unit in range(2):
        path = tmp_path / "tables" / "sample" / f"part-{unit:06d}.parquet"
        write_parquet(path, SAMPLE.schema.empty_table())
        ledger.write(unit, Done({"spectra": 0}, (path,)))
    publish(tmp_path, "sample", Published("s", {"spectra": 0}, {}, {"select": ("s", 2)}))
    interim = tmp_path / "crossmatch" / "best" / "part-000000.parquet"
    write_parquet(interim, SAMPLE.schema.empty_table())
    Ledger(tmp_path, "sources", "p").write(0, Done({}, (interim,)))
    return tmp_path


def test_a_whole_run(root):
    found = verify(root, deep=True)
    assert found.damaged == ()
    # Three parts, the records of two steps, one dataset.
    assert found.lines() == [
        f"{root}: 6 files looked at (sizes and contents), all are as they were written"
    ]
    assert "--deep compares all contents" in verify(root, deep=False).lines()[-1]


def test_every_damage_has_its_line(root):
    parts = sorted((root / "tables" / "sample").iterdir())
    size = parts[0].stat().st_size
    parts[0].write_bytes(b"short")
    parts[1].unlink()
    path = records_path(root, "select")
    path.write_text(path.read_text().splitlines(keepends=True)[0] + "{}\n")
    found = verify(root, deep=False)
    again = f"run `pairspec select --root {root}` again"
    assert found.damaged == (
        f"{path} has damaged records (line 2); {again}",
        f"{parts[0]} has 5 bytes instead of {size:,}; delete it and {again}",
    )
    assert found.lines()[-1].startswith(f"{root}: 5 files looked at")
    assert "2 damaged" in found.lines()[-1]


def test_lost_records_of_a_dataset(root):
    path = records_path(root, "select")
    drop_record(root, "select", 1)
    (line,) = verify(root, deep=False).damaged
    assert line.startswith(f"{path} has no record that counts of unit 1; run `pairspec select")
    path.unlink()
    Ledger(root, "select", "other").write(0, Done())
    (line,) = verify(root, deep=False).damaged
    assert f"{path} has no record that counts of 2 units (0, 1); run" in line
    path.unlink()
    (line,) = verify(root, deep=False).damaged
    assert f"{path} is missing; run `pairspec select" in line


def test_files_that_only_helped_may_be_deleted_but_not_damaged(root):
    (interim,) = (root / "crossmatch" / "best").iterdir()
    content = interim.read_bytes()
    interim.unlink()
    assert verify(root, deep=True).damaged == ()
    interim.write_bytes(content[:-1])
    (line,) = verify(root, deep=False).damaged
    assert "delete it, `pairspec photometry --root" in line and "where it is needed" in line


def test_parquet_that_no_record_names_is_read(root):
    path = root / "crossmatch" / "targets-1" / "part-000000.parquet"
    write_parquet(path, SAMPLE.schema.empty_table())
    assert verify(root, deep=True).damaged == ()
    path.write_bytes(path.read_bytes()[:-3])
    (line,) = verify(root, deep=True).damaged
    assert line.startswith(f"{path} is damaged (")
    assert "\n" not in line


def test_a_training_state_has_its_own_digest(root):
    state = root / "training" / "d" / "state-000001.safetensors"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"\x00" * 40)
    (line,) = verify(root, deep=True).damaged
    assert line.startswith(f"{state} is damaged") and "`pairspec train --root" in line


def test_what_this_version_does_not_know_is_said(root):
    (root / "ledger" / "rotation").mkdir()
    assert f"{root}/ledger/rotation belongs to no stage" in verify(root, deep=False).lines()[0]


def test_no_run_and_a_run_at_work(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="no run at .*; give its --root"):
        verify(tmp_path / "nothing", deep=False)
    assert not (tmp_path / "nothing").exists()
    with (root / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RootLockedError, match="wait for it"):
            verify(root, deep=False)


def test_a_seal(tmp_path):
    path = tmp_path / "a.json"
    content = {"b": [1, 2.5, None], "a": {"x": "ä"}, "t": (1, "two")}
    write_sealed(path, content)
    assert read_sealed(path) == content | {"t": [1, "two"]}
    assert list(read_sealed(path)) == ["b", "a", "t"]
    text = path.read_text()
    for torn in (text.replace("2.5", "2.6"), text[:-4], "", "[]", "null", '{"seal": 1}'):
        path.write_text(torn)
        assert read_sealed(path) is None
    assert read_sealed(tmp_path / "none.json") is None
