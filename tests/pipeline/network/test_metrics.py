import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.network.metrics import auc, weighted_auc, weighted_mean


def brute_force(score_B, label_B):
    pairs = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high, positive in zip(score_B, label_B, strict=True)
        if positive
        for low, other in zip(score_B, label_B, strict=True)
        if not other
    ]
    return sum(pairs) / len(pairs)


@pytest.mark.parametrize("n_values", [2, 5, 1000])
def test_auc_counts_pairs(n_values):
    rng = np.random.default_rng(n_values)
    label_B = np.arange(60) % 3 == 0
    score_B = rng.integers(n_values, size=60) + label_B * n_values // 4
    assert auc(score_B, label_B.astype(int)) == pytest.approx(brute_force(score_B, label_B))


def test_extremes():
    assert auc([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]) == 1.0
    assert auc([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]) == 0.0
    assert auc([3.0, 3.0, 3.0], [0, 1, 0]) == 0.5
    assert auc([-np.inf, 0.0, np.inf], [0, 0, 1]) == 1.0


@pytest.mark.parametrize("label_B", [[0, 0], [1, 1]])
def test_one_class_is_refused(label_B):
    with pytest.raises(ValueError, match="both classes"):
        auc([0.1, 0.2], label_B)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="1 of 2 scores"):
        auc([0.1, np.nan], [0, 1])


def brute_auc(score, label, weight):
    total = wins = 0.0
    for i in np.flatnonzero(label):
        for j in np.flatnonzero(~label):
            total += weight[i] * weight[j]
            wins += weight[i] * weight[j] * ((score[i] > score[j]) + 0.5 * (score[i] == score[j]))
    return wins / total if total else np.nan


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), max_size=30))
def test_weighted_auc_equals_the_count_of_all_pairs(rows):
    score, label, weight = (np.array(column) for column in zip(*rows, strict=True)) if rows else (
        np.zeros(0), np.zeros(0, bool), np.zeros(0),
    )  # fmt: skip
    got = weighted_auc(score.astype(float), label.astype(bool), weight.astype(float))
    np.testing.assert_allclose(got, brute_auc(score, label.astype(bool), weight), equal_nan=True)


def test_weighted_mean_is_the_share_of_the_weight():
    assert weighted_mean(np.array([True, False]), np.array([3.0, 1.0])) == pytest.approx(0.75)
    assert np.isnan(weighted_mean(np.zeros(0, bool), np.zeros(0)))
