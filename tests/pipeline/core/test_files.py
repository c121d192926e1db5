"""Atomic files, digests and published datasets."""

import pyarrow as pa
import pytest

from pipeline.core.atomic import sweep, write_bytes, write_parquet
from pipeline.core.digest import digest_of
from pipeline.core.published import NotReadyError, Published, publish, require_published
from pipeline.settings.spectra import SpectraSettings


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "deep" / "file"
    write_bytes(path, b"one")
    write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_the_same_table_gives_the_same_bytes(tmp_path):
    table = pa.table({"a": [1, 2, None], "b": ["x", None, "z"]})
    for name in ("one", "two"):
        write_parquet(tmp_path / name, table)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_sweep_removes_only_what_is_half_written(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.123abc.partial").write_bytes(b"")
    (tmp_path / "a" / "0").write_bytes(b"")
    (tmp_path / "store.partial" / "c").mkdir(parents=True)
    (tmp_path / "store.partial" / "c" / "0").write_bytes(b"")
    (tmp_path / "stars.unfinished").mkdir()
    (tmp_path / "stars.unfinished" / "1.partial").write_bytes(b"")
    assert sweep(tmp_path) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "stars.unfinished"]
    assert (tmp_path / "stars.unfinished" / "1.partial").exists()
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["0"]


def test_digests_tell_settings_apart_and_stay_the_same():
    one, two = SpectraSettings(), SpectraSettings(half=True)
    assert digest_of(one, "x") == digest_of(SpectraSettings(), "x")
    assert len({digest_of(one), digest_of(two), digest_of(one, "x"), digest_of("x", one)}) == 4


def test_a_dataset_is_ready_once_it_is_published(tmp_path):
    with pytest.raises(NotReadyError, match="run `pairspec infer"):
        require_published(tmp_path, "predictions", "infer")
    publish(tmp_path, "predictions", Published("d", {"rows": 2}))
    before = (tmp_path / "ledger" / "predictions.json").stat().st_mtime_ns
    publish(tmp_path, "predictions", Published("d", {"rows": 2}))
    assert (tmp_path / "ledger" / "predictions.json").stat().st_mtime_ns == before
    assert require_published(tmp_path, "predictions", "infer").counts == {"rows": 2}
