"""The selection function in Python and SQL, from a table that is known."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalogue.completeness import SelectionFunction
from pipeline.catalogue.query import connect
from pipeline.core.errors import InputError
from schemas.completeness import COMPLETENESS

PAIR = (0.5, "pair", 0.9, 1.0, 20, 50, 4000, 5000, -0.5, 0.5, 10, 7, 0.7, 0.4, 0.9, None, None)
LOW = (0.5, "pair", 0.5, 0.9, 20, 50, 4000, 5000, -0.5, 0.5, 10, 9, 0.9, 0.6, 1.0, None, None)
STRICT = (0.8, *PAIR[1:10], 10, 2, 0.2, 0.1, 0.5, None, None)
SINGLE = (0.5, "single", None, None, *PAIR[4:10], 10, 1, 0.1, 0.0, 0.4, None, None)


@pytest.fixture
def root(tmp_path):
    path = tmp_path / COMPLETENESS.location
    path.parent.mkdir(parents=True)
    columns = zip(*(PAIR, LOW, STRICT, SINGLE), strict=True)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, COMPLETENESS.schema, strict=True)]
    pq.write_table(pa.table(arrays, schema=COMPLETENESS.schema), path)
    return tmp_path


CASES = [
    ((0.95, 30, 4500, 0.0), 0.7),
    ((0.9, 20, 4000, -0.5), 0.7),  # lower ends belong to a cell
    ((1.0, 30, 4500, 0.0), 0.7),  # and so does a mass ratio of 1
    ((0.89, 30, 4500, 0.0), 0.9),
    ((0.95, 50, 4500, 0.0), np.nan),  # upper ends do not
    ((0.95, 30, 5000, 0.0), np.nan),
    ((0.95, 30, 4500, 0.5), np.nan),
    ((0.4, 30, 4500, 0.0), np.nan),
    ((np.nan, 30, 4500, 0.0), np.nan),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_python_and_sql_look_up_the_same_cell(root, number):
    values, expected = CASES[number]
    found = SelectionFunction(root).completeness(*values).share
    with connect(root) as tables:
        answer = tables.sql("SELECT completeness($1, $2, $3, $4)", list(values)).fetchall()[0][0]
    assert found == pytest.approx(expected, nan_ok=True)
    assert answer is None if np.isnan(expected) else answer == expected


def test_arrays_broadcast_and_have_intervals(root):
    shares = SelectionFunction(root).completeness([[0.6], [0.95]], [30, 300], 4500, 0)
    assert shares.share.shape == (2, 2)
    assert shares.share[:, 0].tolist() == [0.9, 0.7] and np.isnan(shares.share[:, 1]).all()
    assert shares.low[:, 0].tolist() == [0.6, 0.4] and shares.high[1, 0] == 0.9


def test_false_positives_and_another_threshold(root):
    function = SelectionFunction(root)
    assert function.false_positive_rate(30, 4500, 0).share == 0.1
    assert function.completeness(0.95, 30, 4500, 0, threshold=0.8).share == 0.2
    with connect(root) as tables:
        query = """
            SELECT false_positive_rate(snr, 4500, 0), completeness(0.95, snr, 4500, 0,
                threshold := 0.8) FROM (VALUES (30), (300)) AS star(snr)
        """
        assert tables.sql(query).fetchall() == [(0.1, 0.2), (None, None)]


def test_a_threshold_that_was_not_measured_is_refused(root, tmp_path):
    with pytest.raises(InputError, match="above 0.5, 0.8, not 0.7; set validation.thresholds"):
        SelectionFunction(root).completeness(0.95, 30, 4500, 0, threshold=0.7)
    with pytest.raises(InputError, match="run `pairspec validate completeness"):
        SelectionFunction(tmp_path / "none")


@pytest.mark.parametrize(
    ("ends", "expected"),
    [((0.5, 1.0), 0.86), ((0.8, 1.0), 0.8), ((0.92, 0.94), 0.7), ((0.4, 1.0), None)],
)
def test_the_mean_over_mass_ratios_is_weighted_by_their_range(root, ends, expected):
    query = """
        SELECT mean_completeness($1, $2, snr, 4500, 0) FROM (VALUES (30), (300)) AS star(snr)
    """
    with connect(root) as tables:
        inside, outside = (row[0] for row in tables.sql(query, list(ends)).fetchall())
    assert inside == (None if expected is None else pytest.approx(expected))
    assert outside is None
