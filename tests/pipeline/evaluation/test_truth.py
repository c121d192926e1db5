"""The comparison with the truth, beside the plain definitions."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.evaluation.truth import Q_RANGE, compare_with_truth


@pytest.fixture
def survey(tmp_path):
    """Spectra and truth of 400 stars with one to three spectra each, as data frames and files."""
    rng = np.random.default_rng(5)
    star = np.repeat(np.arange(400), rng.integers(1, 4, 400))
    kind = rng.choice(["single", "pair", "triple"], 400, p=[0.5, 0.45, 0.05])
    q = np.where(kind == "single", np.nan, rng.uniform(0.2, 1.0, 400))
    n = star.size
    spectra = pd.DataFrame({
        "row": np.arange(n),
        "obsid": rng.permutation(n) + 1000,
        "star_id": [f"G{s}" for s in star],
        "p_b": np.clip(rng.normal(0.4, 0.25, n) + 0.2 * (kind[star] == "pair"), 0, 1),
        "teff_k": rng.uniform(3500, 7000, n),
        "logg": rng.uniform(3.5, 5.0, n),
        "snr_g": rng.uniform(5, 100, n),
    })  # fmt: skip
    spectra.loc[::17, "p_b"] = np.nan
    truth = pd.DataFrame({
        "obsid": spectra["obsid"], "source_id": star + 1, "kind": kind[star], "q": q[star]
    })  # fmt: skip
    (tmp_path / "spectra").mkdir()
    (tmp_path / "truth").mkdir()
    # Two parts, and the truth in another order.
    spectra[: n // 2].to_parquet(tmp_path / "spectra" / "0.parquet")
    spectra[n // 2 :].to_parquet(tmp_path / "spectra" / "1.parquet")
    truth.sample(frac=1, random_state=1).to_parquet(tmp_path / "truth" / "observations.parquet")
    return spectra, truth, compare_with_truth(tmp_path / "spectra", tmp_path / "truth", (0.5, 0.8))


def counted(spectra, truth):
    """Rows within the cuts of the application sample that need no photometry."""
    both = spectra.merge(truth, on="obsid").dropna(subset="p_b")
    inside = (both.snr_g > 20) & (both.logg > 4) & (both.teff_k > 3800) & (both.teff_k < 6500)
    both = both[inside].copy()
    both["sought"] = (both.kind == "pair") & (both.q > Q_RANGE[0]) & (both.q < Q_RANGE[1])
    return both


def test_the_auc_is_that_of_sklearn_over_pairs_and_singles(survey):
    spectra, truth, comparison = survey
    rows = counted(spectra, truth)
    assert comparison.n_spectra == len(rows)
    assert comparison.n_stars == rows.source_id.nunique()
    rows = rows[rows.sought | (rows.kind == "single")]
    assert comparison.auc.value == pytest.approx(roc_auc_score(rows.sought, rows.p_b))
    assert comparison.auc.low < comparison.auc.value < comparison.auc.high
    warm = rows[(rows.teff_k >= 5500) & (rows.teff_k < 6000)]
    expected = roc_auc_score(warm.sought, warm.p_b)
    assert comparison.auc_by_teff["5500-6000 K"].value == pytest.approx(expected)


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_completeness_and_purity_count_stars_by_their_highest_p_b(survey, threshold):
    spectra, truth, comparison = survey
    stars = counted(spectra, truth).groupby("source_id").agg(
        {"p_b": "max", "sought": "first", "kind": "first"}
    )  # fmt: skip
    found = stars.p_b > threshold
    assert comparison.completeness[threshold].value == pytest.approx(found[stars.sought].mean())
    assert comparison.purity[threshold].value == pytest.approx((stars.kind[found] == "pair").mean())


def test_no_star_within_the_cuts_gives_no_number(tmp_path):
    spectra = pd.DataFrame({
        "row": [0], "obsid": [1], "star_id": ["G1"], "p_b": [0.9], "teff_k": [5000.0],
        "logg": [4.5], "snr_g": [3.0],
    })  # fmt: skip
    truth = pd.DataFrame({"obsid": [1], "source_id": [1], "kind": ["pair"], "q": [0.8]})
    spectra.to_parquet(tmp_path / "spectra.parquet")
    truth.to_parquet(tmp_path / "observations.parquet")
    comparison = compare_with_truth(tmp_path / "spectra.parquet", tmp_path)
    assert comparison.n_spectra == 0
    assert str(comparison.auc) == "-"
    assert comparison.purity[0.8].as_dict() == {"value": None, "low": None, "high": None}
