import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.network.sampler import Sampler, balancing_weights

LABEL_B = (np.arange(1003) % 10 == 0).astype(np.int8)  # 101 binaries, 902 singles
WEIGHT_B = balancing_weights(LABEL_B)


def epochs(sampler, n):
    out = []
    for _ in range(n):
        out.append(sampler.batches())
        sampler.epoch += 1
    return out


def world_of(world, batch=16, seed=1, weight_B=WEIGHT_B, **kwargs):
    return [Sampler(weight_B, batch, seed, rank, world, **kwargs) for rank in range(world)]


def counts(batches, n):
    return np.bincount(np.concatenate([b for of_rank in batches for b in of_rank]), minlength=n)


@given(
    n=st.integers(1, 700), batch=st.integers(1, 90), world=st.integers(1, 5), seed=st.integers(0, 9)
)
def test_disjoint_equal_and_covering(n, batch, world, seed):
    if n < world or batch < world:
        with pytest.raises(ValueError, match="too few|cannot be shared"):
            Sampler(np.ones(n), batch, 0, 0, world)
        return
    ranks = world_of(world, batch, seed, np.ones(n))
    batches = [sampler.batches() for sampler in ranks]
    sizes = [[len(b) for b in of_rank] for of_rank in batches]
    assert all(s == sizes[0] for s in sizes)
    assert len(sizes[0]) == len(ranks[0])
    assert max(sizes[0]) * world <= batch and max(sizes[0]) - min(sizes[0]) <= 1
    times = counts(batches, n)
    assert times.min() >= 1 and times.sum() == ranks[0].examples
    assert times.sum() - n == -n % world  # what makes the ranks equal


@pytest.mark.parametrize("world", [1, 2, 3])
def test_every_single_once_and_the_rarer_class_repeated(world):
    batches = [sampler.batches() for sampler in world_of(world)]
    times = counts(batches, len(LABEL_B))
    assert set(times[LABEL_B == 0]) == {1}
    assert abs(times[LABEL_B == 1].sum() - 902) <= world
    assert set(times[LABEL_B == 1]) <= {902 // 101, 902 // 101 + 1, 902 // 101 + 2}


def test_fractions_come_by_lot_and_on_average_exactly():
    weight_B = np.array([0.0, 0.25, 0.5, 1.0, 2.75, 1.5], np.float32)
    total = np.zeros(6)
    sampler = Sampler(weight_B, 4, 5)
    for batches in epochs(sampler, 4000):
        times = counts([batches], 6)
        assert times.sum() == 6
        assert (times >= np.floor(weight_B)).all() and (times <= np.ceil(weight_B)).all()
        total += times
    assert np.abs(total / 4000 - weight_B).max() < 0.04


@pytest.mark.parametrize("world", [2, 4])
def test_ranks_share_the_batches_of_one_rank_alone(world):
    weight_B = np.ones(640)
    alone = Sampler(weight_B, 16, 3, shuffle_rows=100)
    shared = world_of(world, 16, 3, weight_B, shuffle_rows=100)
    for epoch in range(2):
        for whole, *parts in zip(alone.batches(), *[s.batches() for s in shared], strict=True):
            assert sorted(whole) == sorted(np.concatenate(parts))
        for sampler in (alone, *shared):
            sampler.epoch = epoch + 1


def test_neighbours_are_read_together_and_yet_mixed():
    """The windows that a loader reads hold few chunks; the epoch holds them in random order."""
    n = 256 * 40
    order = np.concatenate(Sampler(np.ones(n), 32, 1, shuffle_rows=1024).batches())
    chunks = [len(set(order[i : i + 1024] // 256)) for i in range(0, n, 1024)]
    assert max(chunks) <= 6
    assert abs(np.corrcoef(order, np.arange(n))[0, 1]) < 0.3
    assert np.abs(np.diff(order[:1024])).mean() > 100


def test_repeats_are_spread_over_the_epoch():
    row = int(np.flatnonzero(LABEL_B)[7])
    order = np.concatenate(Sampler(WEIGHT_B, 16, 1, shuffle_rows=128).batches())
    places = np.flatnonzero(order == row)
    assert len(places) >= 8
    assert places.max() - places.min() > len(order) / 3


def test_epochs_and_seeds_differ():
    first, second = epochs(Sampler(WEIGHT_B, 200, 1), 2)
    other = Sampler(WEIGHT_B, 200, 2).batches()
    assert not np.array_equal(first[0], second[0])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("rank", [0, 1])
def test_resume_gives_the_same_batches(rank):
    whole = epochs(Sampler(WEIGHT_B, 16, 1, rank, 2), 4)
    stopped = Sampler(WEIGHT_B, 16, 1, 0, 2)
    epochs(stopped, 2)
    again = Sampler(WEIGHT_B, 16, 1, rank, 2)
    again.load_state_dict(stopped.state_dict())
    for expected, got in zip(whole[2:], epochs(again, 2), strict=True):
        assert [b.tolist() for b in got] == [b.tolist() for b in expected]


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (Sampler(WEIGHT_B, 17, 1), "batch_size"),
        (Sampler(WEIGHT_B, 16, 2), "seed"),
        (Sampler(WEIGHT_B, 16, 1, shuffle_rows=5), "shuffle_rows"),
        (Sampler(np.ones(1003), 16, 1), "weights"),
        (Sampler(WEIGHT_B[1:], 16, 1), "n_examples"),
    ],
)
def test_another_run_is_refused(other, named):
    with pytest.raises(ValueError, match=named):
        Sampler(WEIGHT_B, 16, 1).load_state_dict(other.state_dict())


def test_fewer_ranks_may_go_on():
    stopped = Sampler(WEIGHT_B, 16, 1, 0, 4)
    stopped.epoch = 3
    alone = Sampler(WEIGHT_B, 16, 1)
    alone.load_state_dict(stopped.state_dict())
    assert alone.epoch == 3


@pytest.mark.parametrize("rank", [-1, 2])
def test_rank_outside_the_world(rank):
    with pytest.raises(ValueError, match="not in"):
        Sampler(WEIGHT_B, 16, 1, rank, 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_weights_that_are_none(bad):
    with pytest.raises(ValueError, match="finite and not negative"):
        Sampler(np.array([1.0, bad]), 16, 1)


def test_either_class_may_be_rare_or_absent():
    assert balancing_weights(np.array([0, 0, 0, 1])).tolist() == [1, 1, 1, 3]
    assert balancing_weights([1, 1, 0]).tolist() == [1, 1, 2]
    assert balancing_weights([1, 1]).tolist() == [1, 1]
