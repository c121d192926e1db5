import numpy as np
import pytest
import torch

from pipeline.network.loader import Labelled, Loader
from pipeline.network.sampler import Sampler


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    label_B = (np.arange(50) % 4 == 0).astype(np.int8)
    return Labelled(rng.normal(1, 0.1, (50, 12)).astype(np.float16), label_B)


@pytest.mark.parametrize("read_rows", [1, 20, 1000])
def test_batches_are_the_rows_that_the_sampler_chose(data, read_rows):
    sampler = Sampler(np.ones(50), 8, seed=3)
    batches = list(Loader(data, sampler, torch.device("cpu"), read_rows).epoch())
    assert len(batches) == len(sampler)
    for rows, (flux_BL, label_B) in zip(sampler.batches(), batches, strict=True):
        assert flux_BL.dtype == label_B.dtype == torch.float32
        np.testing.assert_array_equal(flux_BL, data.flux_BL[np.sort(rows)].astype(np.float32))
        np.testing.assert_array_equal(label_B, data.label_B[np.sort(rows)])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_memory_mapped_flux(tmp_path, data, dtype):
    flux_BL = data.flux_BL.astype(dtype)
    np.save(tmp_path / "flux.npy", flux_BL)
    mapped = Labelled(np.load(tmp_path / "flux.npy", mmap_mode="r"), data.label_B)
    assert mapped.digest() == Labelled(flux_BL, data.label_B).digest()
    got, _ = mapped.fetch(slice(10, 13))
    np.testing.assert_array_equal(got, flux_BL[10:13])
    got.zero_()  # a batch is a copy: it may be written to
    assert mapped.flux_BL[10:13].all()


def test_digest_sees_every_value(data):
    before = data.digest()
    data.flux_BL[49, 11] += 1
    assert data.digest() != before
    data.flux_BL[49, 11] -= 1
    other = data.label_B.copy()
    other[0] = 0
    assert Labelled(data.flux_BL, other).digest() != before


@pytest.mark.parametrize(
    ("flux_BL", "label_B", "message"),
    [
        (np.ones((3, 4), np.float32), np.zeros(2, np.int8), "do not fit"),
        (np.ones(3, np.float32), np.zeros(3, np.int8), "do not fit"),
        (np.ones((3, 4)), np.zeros(3, np.int8), "float64"),
        (np.ones((3, 4), np.float32), np.array([0, 1, 2]), "0 .single. or 1"),
    ],
)
def test_what_does_not_fit_is_refused(flux_BL, label_B, message):
    with pytest.raises(ValueError, match=message):
        Labelled(flux_BL, label_B)
