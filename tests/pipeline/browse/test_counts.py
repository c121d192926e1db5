"""Stars counted in cells."""

import numpy as np

from pipeline.browse.counts import Cells, middle_range, nearest


def test_cells_are_those_of_a_histogram():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 5000)).astype("f4")
    x[:7], y[5:9] = np.nan, np.nan
    chosen = np.flatnonzero(rng.random(5000) < 0.3)
    cells = Cells(x, y, (-1.0, 2.0), (-2.0, 1.5), (20, 30))
    for rows, found in ((slice(None), cells.all_YX), (chosen, cells.counts(chosen))):
        wanted, *_ = np.histogram2d(
            y[rows], x[rows], bins=(20, 30), range=((-2.0, 1.5), (-1.0, 2.0))
        )
        np.testing.assert_array_equal(np.nan_to_num(found), wanted)
        assert not (found == 0).any()


def test_the_nearest_star_is_that_seen_nearest():
    x, y = np.array([0.0, 1.0, np.nan, 0.2]), np.array([0.0, 0.0, 0.0, 9.0])
    assert nearest(x, y, (0.4, 0.0), (1, 100)) == 3
    assert nearest(x, y, (0.4, 0.0), (1, 1)) == 0
    assert nearest(x, y, (0.4, 0.0), (1, 1), np.array([1, 2])) == 1
    assert nearest(x, y, (0.4, 0.0), (1, 1), np.array([2])) is None
    assert nearest(x, y, (0.4, 0.0), (1, 1), np.array([], int)) is None


def test_strays_do_not_widen_the_range():
    value = np.concatenate([np.linspace(1, 2, 10_000), [500.0, np.nan]])
    low, high = middle_range(value)
    assert 0.9 < low < 1 and 2 < high < 2.1
    assert middle_range(np.array([np.nan])) == (0.0, 1.0)
    assert middle_range(np.array([3.0])) == (2.5, 3.5)
