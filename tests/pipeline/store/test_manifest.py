from functools import partial

import pytest

from pipeline.core.errors import InputError
from pipeline.store.manifest import freeze, open_manifest, scan
from pipeline.store.tree import LeftOut


def test_every_fits_file_is_found_and_hidden_ones_are_not(survey):
    (survey / ".hidden.fits").write_bytes(b"")
    (survey / "notes.txt").write_text("")
    found = list(scan(survey))
    assert len(found) == 20
    assert found == sorted(found)
    assert dict(found)["broken/empty.fits.gz"] == 0


def test_rows_are_numbered_through_and_a_row_group_is_a_shard(tmp_path, survey):
    manifest = freeze(tmp_path / "m.parquet", partial(scan, survey), 8)
    assert (manifest.n_files, manifest.n_shards, manifest.shard_rows) == (20, 3, 8)
    rows = [row for shard in range(3) for row in manifest.shard(shard)["row"].to_pylist()]
    assert rows == list(range(20))
    assert set(manifest.shard(2)["shard"].to_pylist()) == {2}


def test_a_frozen_manifest_is_found_again_and_not_written_again(tmp_path, survey):
    path = tmp_path / "m.parquet"
    first = freeze(path, partial(scan, survey), 8)
    before = path.stat().st_mtime_ns
    assert freeze(path, partial(scan, survey), 8) == first == open_manifest(path)
    assert path.stat().st_mtime_ns == before


def test_nothing_is_written_to_compare(tmp_path, survey, monkeypatch):
    path = tmp_path / "m.parquet"
    first = freeze(path, partial(scan, survey), 8)

    def write(*args, **options):
        raise AssertionError("a file is written")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter", write)
    assert freeze(path, partial(scan, survey), 8) == first


@pytest.mark.parametrize("place", [2, 20, 300])
def test_a_damaged_manifest_is_named(tmp_path, survey, place):
    path = tmp_path / "m.parquet"
    freeze(path, partial(scan, survey), 8)
    path.write_bytes(path.read_bytes()[:-place])
    with pytest.raises(InputError, match="m.parquet is damaged .* delete it and run `pairspec"):
        freeze(path, partial(scan, survey), 8)


def test_a_changed_folder_is_refused_with_what_changed(tmp_path, survey):
    path = tmp_path / "m.parquet"
    freeze(path, partial(scan, survey), 8)
    (survey / "new.fits").write_bytes(b"x")
    (survey / "broken" / "empty.fits.gz").unlink()
    (survey / "broken" / "text.fits").write_bytes(b"longer" * 1000)
    with pytest.raises(InputError, match="1 new, 1 missing, 1 of another size"):
        freeze(path, partial(scan, survey), 8)


def test_another_cut_into_shards_is_refused(tmp_path, survey):
    path = tmp_path / "m.parquet"
    freeze(path, partial(scan, survey), 8)
    with pytest.raises(InputError, match="set ingest.shard_rows=8"):
        freeze(path, partial(scan, survey), 16)


def test_no_folder_and_no_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        list(scan(tmp_path / "none"))
    with pytest.raises(InputError, match="holds no"):
        freeze(tmp_path / "m.parquet", partial(scan, tmp_path), 8)
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="pairspec ingest"):
        open_manifest(tmp_path / "none.parquet")


def test_names_that_are_no_utf8_are_rows(tmp_path, survey):
    strange = survey / "plan0" / "spec-\udcff.fits"
    strange.write_bytes(b"x")
    manifest = freeze(tmp_path / "m.parquet", partial(scan, survey), 32)
    assert r"plan0/spec-\xff.fits" in manifest.shard(0)["path"].to_pylist()
    assert freeze(tmp_path / "m.parquet", partial(scan, survey), 32) == manifest


def test_what_is_left_out_is_counted(survey):
    (survey / "notes.txt").write_text("")
    left_out = LeftOut()
    assert len(list(scan(survey, left_out))) == 20
    assert (left_out.n_files, left_out.examples) == (1, {".txt": "notes.txt"})
