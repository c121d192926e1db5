"""Hand-made stars: every validation must give numbers that are known beforehand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.settings.validation import ValidationSettings


@pytest.fixture
def settings():
    return ValidationSettings()


@pytest.fixture
def make_stars():
    """``make_stars(n, column=value, ...)``: n stars one arcminute apart, with a truth."""

    def make(n, **given):
        columns = {
            "star_id": [f"star {i}" for i in range(n)],
            "source_id": (1 << 60) + np.arange(n),
            "ra_deg": 150 + np.arange(n) / 60, "dec_deg": 0.0, "ref_epoch_yr": 2016.0,
            "pm_ra_masyr": 0.0, "pm_dec_masyr": 0.0, "ruwe": 1.0, "g_mag": 12.5, "p_b": 0.1,
            "p_b_mean": 0.1, "p_b_combined": 0.1, "n_spectra": 1, "label": "single",
            "q_fixed_primary": np.nan, "q_fixed_colour": np.nan, "seen": False,
            "true_kind": "single", "true_q": np.nan, "true_eclipsing": "",
            "true_period_day": np.nan,
        }  # fmt: skip
        return pd.DataFrame({"star_id": columns["star_id"]} | columns | given)

    return make


@pytest.fixture
def number():
    """``number(result, quantity, bin)``: the one measure of that name."""

    def find(result, quantity, edge=None):
        (found,) = [m for m in result.measures if m.quantity == quantity and m.bin == edge]
        return found

    return find
