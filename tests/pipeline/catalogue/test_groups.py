import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pipeline.catalogue.groups import Groups


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-9, 9) | st.just(np.nan)), max_size=30))
def test_statistics_are_those_of_pandas(rows):
    rows = sorted(rows, key=lambda row: row[0])
    key = np.array([k for k, _ in rows], int)
    value = np.array([v for _, v in rows], float)
    groups, known = Groups(key), ~np.isnan(value)
    frame = pd.DataFrame({"key": key, "value": value, "row": np.arange(key.size)})
    by = frame.groupby("key")
    assert len(groups) == by.ngroups
    np.testing.assert_allclose(groups.sum(np.where(known, value, 0)), by["value"].sum())
    np.testing.assert_array_equal(groups.count(known), by["value"].count())
    np.testing.assert_array_equal(groups.any(known), by["value"].count() > 0)
    best = groups.largest(value, known)
    expected = [part["value"].idxmax() if part["value"].notna().any() else -1 for _, part in by]
    np.testing.assert_array_equal(best, expected)
    np.testing.assert_array_equal(
        groups.first(known), [part["value"].first_valid_index() if c else -1
                              for (_, part), c in zip(by, by["value"].count(), strict=True)]
    )  # fmt: skip
    np.testing.assert_array_equal(
        groups.bits(frame["row"].to_numpy()),
        [np.bitwise_or.reduce(part["row"]) for _, part in by],
    )
