"""Published beside obtained values, as the report shows them."""

import pytest

from pipeline.core.root import Root
from pipeline.report.tables import alternative_text, evaluation_rows, validation_rows
from pipeline.validation.measure import Measure, as_table, count_interval, share_interval
from schemas.validation import VALIDATION


@pytest.fixture
def rows(tmp_path):
    from pipeline.core.atomic import write_parquet

    half = share_interval(50, 100)
    measures = (
        Measure("share", half, 100, bin=(0.5, 1.5), truth=0.51234, paper=0.5),
        Measure("low share", half, 100, paper=0.7),
        Measure("share alone", share_interval(0, 0), 0),
        Measure("count", count_interval(2), 2, paper=128),
    )
    write_parquet(tmp_path / VALIDATION.location, as_table("eclipsing", measures))
    return validation_rows(Root(tmp_path))


def test_each_number_has_its_interval_truth_and_verdict(rows):
    within, _, unknown, count = rows
    assert within.quantity == "share 0.5-1.5" and within.value == "0.500 [0.404, 0.596]"
    assert (within.n_stars, within.truth, within.paper) == ("100", "0.512", "0.5")
    assert [row.verdict for row in rows] == ["paper within", "paper above", "", ""]
    assert (count.value, count.paper) == ("2 [0.22, 7.2]", "128")
    assert (unknown.value, unknown.truth, unknown.paper) == ("-", "-", "-")


def test_a_figure_is_described_with_its_numbers(rows):
    text = alternative_text("A histogram.", rows, "eclipsing")
    assert text == (
        "A histogram. share 0.5-1.5 0.500 [0.404, 0.596], Jing et al. (2025) 0.5; "
        "low share 0.500 [0.404, 0.596], Jing et al. (2025) 0.7; "
        "count 2 [0.22, 7.2], Jing et al. (2025) 128."
    )
    assert alternative_text("A map.", rows, "sky") == "A map."


def test_without_validations_there_are_no_rows(tmp_path):
    assert validation_rows(Root(tmp_path)) == []


def test_the_evaluation_stands_beside_the_paper():
    one = {"value": 0.8, "low": 0.7, "high": 0.9}
    evaluation = {
        "auc": 0.95, "auc_low": 0.94, "auc_high": 0.96, "precision_at_0.5": one, "stars": 12,
        "precision_at_0.8": one, "tpr_at_0.8": one, "singles_below": {"0.2": one, "0.8": one},
    }  # fmt: skip
    rows = evaluation_rows(evaluation)
    assert (rows[0].value, rows[0].paper, rows[0].verdict) == (
        "0.950 [0.940, 0.960]", "0.949", "paper within",
    )  # fmt: skip
    assert rows[-1].verdict == "paper above"
