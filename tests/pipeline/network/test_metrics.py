import numpy as np
import pytest

from pipeline.network.metrics import auc


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
