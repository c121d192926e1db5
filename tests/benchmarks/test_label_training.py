"""The table of what labels teach, on scores made up for the purpose."""

import numpy as np
import pandas as pd
from label_training import mean_auc, table


def scores(n=600):
    rng = np.random.default_rng(2)
    pair = np.arange(n) % 2 == 1
    rows = pd.DataFrame(
        {
            "row": np.arange(n),
            "source_id": 2**60 + np.arange(n) // 4,
            "label": np.where(pair, "binary", "single"),
            "split": np.where(np.arange(n) % 3 == 0, "test", "training"),
            "kind": np.where(pair, "pair", "single"),
            "q": np.where(pair, rng.uniform(0.5, 0.93, n), np.nan),
            "seed": np.arange(n) // (n // 2),
        }
    )
    rows["perfect"] = pair + 0.0
    rows["none"] = rng.random(n)
    # Each seed has a scale of its own: only within a seed can scores be compared.
    rows["scaled"] = pair + 10.0 * (1 - rows["seed"])
    return rows


def test_seeds_are_not_compared_with_each_other():
    rows = scores()
    pair = (rows["kind"] == "pair").to_numpy()
    weight = np.ones(len(rows))
    assert mean_auc(rows, pair, "scaled", weight) == 1.0
    assert abs(mean_auc(rows, pair, "none", weight) - 0.5) < 0.06
    weight[pair & (rows["seed"] == 1)] = 0
    assert np.isnan(mean_auc(rows, pair, "none", weight))


def test_each_way_has_its_score_and_its_gain_over_the_first():
    lines = table(scores(), ["perfect", "scaled", "none"]).splitlines()
    assert lines[0] == "| training | labels | q 0.5-0.71 | q 0.71-0.93 | q above 0.5 |"
    assert lines[2].startswith("| single stars / pairs | ") and "150 / 150" in lines[2]
    assert lines[3].count("1.000 [1.000, 1.000]") == 4
    assert lines[6].count("+0.000 [+0.000, +0.000]") == 4
    assert lines[7].startswith("| none, less perfect | -0.") and len(lines) == 8
