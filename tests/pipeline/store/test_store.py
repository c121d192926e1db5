import numpy as np
import pytest
import zarr

from pipeline.core.errors import InputError, MismatchError
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


def test_an_unaligned_write_is_refused_with_the_cure(store):
    with pytest.raises(ValueError, match="7 rows as shard 0 .* pad the rows"):
        write_shard(store, 0, blank_rows(7))
    with pytest.raises(ValueError, match="as shard 3 .* 3 shards of 8 rows"):
        write_shard(store, 3, blank_rows(8))


def test_a_store_of_another_manifest_is_refused(store):
    ensure_store(store, 3, 8, 4, "digest")
    with pytest.raises(MismatchError, match="another manifest"):
        ensure_store(store, 3, 8, 4, "other")
    with pytest.raises(InputError, match="run `pairspec ingest`"):
        open_store(store.parent / "none.zarr")
