import numpy as np
import pytest
import zarr

from pipeline.core.errors import InputError, MismatchError
from pipeline.store.rows import read_rows
from pipeline.store.store import blank_rows, ensure_store, open_store, write_shard
from schemas.store import PIXEL_ARRAYS, ROW_PIXELS


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "spectra.zarr"
    ensure_store(path, 3, 8, 4, "digest")
    return path


def random_rows(seed):
    rng = np.random.default_rng(seed)
    rows = blank_rows(8)
    for name in PIXEL_ARRAYS:
        values = rng.integers(0, 2**32, rows[name].shape, dtype=np.uint32)
        rows[name][:] = values.view(rows[name].dtype)  # NaN and infinities among them
    rows["valid"][:5] = True
    rows["log10_first"][:] = rng.normal(3.56, 1e-3, 8)
    return rows


def test_what_is_written_is_read_bit_for_bit(store):
    shards = [random_rows(seed) for seed in range(3)]
    for number in (2, 0, 1):
        write_shard(store, number, shards[number])
    read = open_store(store)
    for name in shards[0]:
        expected = np.concatenate([shard[name] for shard in shards])
        assert read[name].dtype == expected.dtype
        assert read[name].to_numpy().tobytes() == expected.tobytes()


def test_one_shard_is_one_file_in_inner_chunks(store):
    write_shard(store, 1, random_rows(1))
    flux = zarr.open_array(store / "flux", mode="r")
    assert flux.shards == (8, ROW_PIXELS)
    assert flux.chunks == (4, ROW_PIXELS)
    assert [p.name for p in (store / "flux" / "c").iterdir()] == ["1"]


def test_the_same_shard_gives_the_same_bytes(store, digest_tree):
    write_shard(store, 1, random_rows(1))
    before = digest_tree(store)
    write_shard(store, 1, random_rows(1))
    assert digest_tree(store) == before


@pytest.mark.parametrize("content", [b"", b"no shard", None])
def test_a_damaged_shard_is_written_anew(store, digest_tree, content):
    write_shard(store, 1, random_rows(1))
    before = digest_tree(store)
    for name in PIXEL_ARRAYS:
        file = store / name / "c" / "1" / "0"
        file.write_bytes(file.read_bytes()[:-100] if content is None else content)
    (store / "log10_first" / "c" / "1").write_bytes(b"")
    write_shard(store, 1, random_rows(1))
    assert digest_tree(store) == before


def test_a_shard_is_written_anew_in_chunks_of_other_rows(store):
    write_shard(store, 1, random_rows(1))
    ensure_store(store, 3, 8, 2, "digest")
    write_shard(store, 1, random_rows(2))
    assert zarr.open_array(store / "flux", mode="r").chunks == (2, ROW_PIXELS)
    read = open_store(store)["flux"][8:16].to_numpy()
    assert read.tobytes() == random_rows(2)["flux"].tobytes()


def test_an_unaligned_write_is_refused_with_the_cure(store):
    write_shard(store, 0, random_rows(0))
    with pytest.raises(ValueError, match="7 rows as shard 0 .* pad the rows"):
        write_shard(store, 0, blank_rows(7))
    with pytest.raises(ValueError, match="as shard 3 .* 3 shards of 8 rows"):
        write_shard(store, 3, blank_rows(8))
    assert open_store(store)["valid"].to_numpy().sum() == 5


def test_a_store_of_another_manifest_is_refused(store):
    ensure_store(store, 3, 8, 4, "digest")
    with pytest.raises(MismatchError, match="another manifest"):
        ensure_store(store, 3, 8, 4, "other")
    with pytest.raises(InputError, match="run `pairspec ingest`"):
        open_store(store.parent / "none.zarr")


@pytest.mark.parametrize("rows", [slice(9, 14), np.array([1, 9, 13, 17])])
@pytest.mark.parametrize("place", [0.3, 0.99])
@pytest.mark.parametrize("name", ["flux", "log10_first"])
def test_a_damaged_shard_is_named_when_it_is_read(store, name, place, rows):
    for number in range(3):
        write_shard(store, number, random_rows(number))
    file = store / name / "c" / ("1/0" if name == "flux" else "1")
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 1
    file.write_bytes(content)
    assert read_rows(open_store(store), name, slice(0, 8)).shape[0] == 8
    with pytest.raises(MismatchError) as error:
        read_rows(open_store(store), name, rows)
    assert str(error.value).startswith(f"{file} is damaged (")
    assert str(error.value).endswith("; delete it and run `pairspec ingest` again")


def test_lost_metadata_is_written_again_for_the_shards_that_are_there(store, digest_tree):
    write_shard(store, 1, random_rows(1))
    before = digest_tree(store)
    (store / "zarr.json").unlink()
    (store / "flux" / "zarr.json").write_text("{}")
    ensure_store(store, 3, 8, 4, "digest")
    assert digest_tree(store) == before
    assert not store.with_name("spectra.zarr.partial").exists()
