import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.photometry.nearest import choose_nearest

PAIR = st.tuples(
    st.integers(0, 4),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.integers(1, 9),
    st.sampled_from([10.0, 11.0, 12.0, 13.5, np.nan]),
    st.booleans(),
)


@given(st.lists(PAIR, max_size=20))
def test_the_choice_is_that_of_a_loop(pairs):
    columns = [np.array(c) for c in zip(*pairs, strict=True)] if pairs else [np.empty(0)] * 5
    row, separation, tie, mag, preferred = columns
    found = choose_nearest(
        row.astype(np.int64), separation, tie.astype(np.int64), mag, preferred.astype(bool), 2.0
    )
    assert found.n_repeated == len(pairs) - len({(p[0], p[2]) for p in pairs})
    assert found.row.tolist() == sorted({p[0] for p in pairs})
    for r, pair, n, blended in zip(
        found.row, found.pair, found.n_candidates, found.blended, strict=True
    ):
        nearest = {}
        for k in sorted((k for k, p in enumerate(pairs) if p[0] == r), key=lambda k: pairs[k][1]):
            nearest.setdefault(pairs[k][2], k)
        own = list(nearest.values())
        best = min(own, key=lambda k: (not pairs[k][4], pairs[k][1], pairs[k][2]))
        assert pair == best
        assert n == len(own)
        others = [pairs[k][3] for k in own if k != pair]
        assert blended == any(m - pairs[pair][3] < 2.0 for m in others)


def test_a_second_source_blends_below_the_limit_only():
    def blended(second_mag):
        found = choose_nearest(
            np.array([7, 7]), np.array([0.1, 2.0]), np.array([1, 2]),
            np.array([14.0, second_mag]), np.zeros(2, bool), 2.0,
        )  # fmt: skip
        return bool(found.blended[0])

    assert blended(15.999)
    assert not blended(16.0)
    assert blended(12.0)  # brighter than the nearest
    assert not blended(np.nan)


def test_a_source_that_stands_twice_is_one_source():
    found = choose_nearest(
        np.array([7, 7, 7, 8]), np.array([0.5, 0.4, 0.45, 1.0]), np.array([1, 1, 1, 1]),
        np.array([14.0, 14.01, 14.0, 14.0]), np.zeros(4, bool), 2.0,
    )  # fmt: skip
    assert found.pair.tolist() == [1, 3]
    assert found.n_candidates.tolist() == [1, 1]
    assert not found.blended.any()
    assert found.n_repeated == 2
