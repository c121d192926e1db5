import numpy as np
import pytest
from real_curve import FORMS, drawn_aucs


def test_each_form_extrapolates_its_own_curve() -> None:
    n, wanted = np.array([100.0, 200.0, 400.0]), np.array([1000.0, 68000.0])
    curves = (
        lambda n: 1 / (1 + np.exp(-(0.2 + 0.1 * np.log2(n)))),
        lambda n: 0.9 - 0.5 * n**-0.25,
        lambda n: 0.85 - 2.0 * n**-0.5,
    )
    for form, curve in zip(FORMS, curves, strict=True):
        found = form.at(n, np.stack([curve(n), curve(n)]), wanted)
        np.testing.assert_allclose(found, np.stack([curve(wanted)] * 2), atol=1e-9)


def test_the_same_stars_are_drawn_for_every_way() -> None:
    rng = np.random.default_rng(0)
    label = np.tile([0, 1], 200)
    columns = {
        "label": label,
        "star": np.repeat(np.arange(40), 10),
        "star2": 100 + np.arange(400) // 8,
    }
    score = (label + rng.normal(size=400))[None]
    found = drawn_aucs([score, score, -score], columns, np.ones(400, bool))
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    np.testing.assert_allclose(found[:, 0] + found[:, 2], 1)
    assert found[0, 0] == pytest.approx(0.76, abs=0.06) and found[1:, 0].std() > 0.01
