import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.network.sampler import Sampler

LABEL_B = (np.arange(103) % 10 == 0).astype(np.int8)  # 11 binaries, 92 singles


def epochs(sampler, n):
    out = []
    for _ in range(n):
        out.append(sampler.batches())
        sampler.epoch += 1
    return out


@given(
    n=st.integers(1, 300), batch=st.integers(1, 40), world=st.integers(1, 5), rare=st.integers(2, 9)
)
def test_disjoint_equal_and_covering(n, batch, world, rare):
    label_B = (np.arange(n) % rare == 0).astype(np.int8)
    if n < world:
        with pytest.raises(ValueError, match="too few"):
            Sampler(label_B, batch, 0, 0, world, oversample=False)
        return
    ranks = [Sampler(label_B, batch, 7, rank, world, oversample=False) for rank in range(world)]
    batches = [sampler.batches() for sampler in ranks]
    sizes = [[len(b) for b in of_rank] for of_rank in batches]
    assert all(s == sizes[0] for s in sizes)
    assert len(sizes[0]) == len(ranks[0])
    assert max(sizes[0]) <= batch and max(sizes[0]) - min(sizes[0]) <= 1
    seen = np.concatenate([row for of_rank in batches for row in of_rank])
    assert len(set(seen.tolist())) == len(seen)
    assert n - len(seen) < world


@pytest.mark.parametrize("world", [1, 2, 3])
def test_oversampling_balances_the_classes(world):
    ranks = [Sampler(LABEL_B, 16, 1, rank, world) for rank in range(world)]
    batches = [sampler.batches() for sampler in ranks]
    assert [len(b) for b in batches] == [len(sampler) for sampler in ranks]
    times = np.bincount(
        np.concatenate([rows for of_rank in batches for rows in of_rank]), minlength=len(LABEL_B)
    )
    left_out = 2 * 92 % world
    assert times.sum() == 2 * 92 - left_out
    assert abs(times[LABEL_B == 1].sum() - 92) <= left_out
    if world == 1:
        assert set(times[LABEL_B == 0]) == {1}
        assert set(times[LABEL_B == 1]) == {92 // 11, 92 // 11 + 1}


def test_either_class_may_be_rare_or_absent():
    times = np.bincount(np.concatenate(Sampler(1 - LABEL_B, 16, 1).batches()))
    assert times[LABEL_B == 1].sum() == 92
    lonely = Sampler(np.zeros(7, np.int8), 3, 1)
    assert sorted(np.concatenate(lonely.batches())) == list(range(7))
    assert len(lonely) == len(lonely.batches()) == 3


def test_epochs_and_seeds_differ():
    first, second = epochs(Sampler(LABEL_B, 200, 1), 2)
    other = Sampler(LABEL_B, 200, 2).batches()
    assert not np.array_equal(first[0], second[0])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("rank", [0, 1])
def test_resume_gives_the_same_batches(rank):
    whole = epochs(Sampler(LABEL_B, 16, 1, rank, 2), 4)
    stopped = Sampler(LABEL_B, 16, 1, 0, 2)
    epochs(stopped, 2)
    again = Sampler(LABEL_B, 16, 1, rank, 2)
    again.load_state_dict(stopped.state_dict())
    for expected, got in zip(whole[2:], epochs(again, 2), strict=True):
        assert [b.tolist() for b in got] == [b.tolist() for b in expected]


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (Sampler(LABEL_B, 17, 1), "batch_size"),
        (Sampler(LABEL_B, 16, 2), "seed"),
        (Sampler(LABEL_B, 16, 1, 0, 2), "world"),
        (Sampler(LABEL_B, 16, 1, oversample=False), "oversample"),
        (Sampler(LABEL_B[1:], 16, 1), "n_examples"),
    ],
)
def test_another_run_is_refused(other, named):
    with pytest.raises(ValueError, match=named):
        Sampler(LABEL_B, 16, 1).load_state_dict(other.state_dict())


@pytest.mark.parametrize("rank", [-1, 2])
def test_rank_outside_the_world(rank):
    with pytest.raises(ValueError, match="not in"):
        Sampler(LABEL_B, 16, 1, rank, 2)
