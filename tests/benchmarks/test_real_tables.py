import numpy as np
import pytest
from real_tables import Q_CLASSIC, Scores, bins_of


@pytest.fixture(scope="module")
def scored() -> Scores:
    """400 couples of 40 primaries; the score knows the class where q is low."""
    rng = np.random.default_rng(0)
    q = rng.uniform(0.71, 0.93, 400)
    label = np.tile([0, 1], 400)
    strength = np.where(np.repeat(q, 2) < 0.82, 3.0, 0.0)
    columns = {
        "label": label,
        "star": np.repeat(np.arange(400) % 40, 2),
        "star2": 1000 + np.arange(800) % 300,
        "mass_ratio": np.stack([np.full(400, 0.99), q], axis=1).ravel(),
        "snr_g": np.repeat(rng.uniform(25, 100, 400), 2),
        "teff_k": np.repeat(rng.uniform(5000, 6500, 400), 2),
    }
    return Scores((strength * label + rng.normal(size=800))[None], columns)


def test_bins_hold_whole_couples(scored: Scores) -> None:
    for _, bins in bins_of(scored.columns, Q_CLASSIC):
        for _, rows in bins:
            assert (rows[::2] == rows[1::2]).all()
    titles = [title for title, _ in bins_of(scored.columns, Q_CLASSIC)]
    assert titles == ["q", "q, primary below 5650 K", "S/N", "Teff"]


def test_easy_and_hopeless_bins(scored: Scores) -> None:
    _, bins = next(bins_of(scored.columns, Q_CLASSIC))
    _, easy, _, hopeless = (rows for _, rows in bins)
    assert scored.auc(easy).value > 0.95
    chance = scored.auc(hopeless)
    assert chance.low < 0.5 < chance.high
    mixed = scored.mixed([easy, hopeless], np.array([0.5, 0.5]))
    assert mixed.value == pytest.approx((scored.auc(easy).value + chance.value) / 2)
    assert mixed.high - mixed.low < chance.high - chance.low
    n = (easy & (scored.columns["label"] == 1)).sum()
    assert scored.size(easy).split(" / ")[:2] == [f"{n}", "40"]


def test_too_few_are_not_judged(scored: Scores) -> None:
    rows = np.arange(800) < 8
    assert str(scored.auc(rows)) == "-"
