"""Contours instead of points where stars are many."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline.core.density import ENCLOSED, MANY, contour_levels, draw_stars


def test_levels_enclose_their_share_of_a_gaussian():
    x = np.linspace(-5, 5, 401)
    density = np.exp(-0.5 * (x[:, None] ** 2 + x**2))
    levels = contour_levels(density)
    # Of a Gaussian in two dimensions, 1 - share of the peak encloses the share.
    assert levels == pytest.approx(1 - np.array(ENCLOSED), rel=0.03)


def test_few_stars_are_points_and_many_are_contours():
    rng = np.random.default_rng(1)
    few, many = Figure().subplots(1, 2)
    x, y = rng.normal(size=(2, MANY + 1))
    draw_stars(few, np.append(x[:9], np.nan), y[:10], "few", "red")
    draw_stars(many, x, y, "many", "red")
    assert len(few.lines[0].get_xdata()) == 9 and not few.collections
    (contours,) = many.collections
    inside = [path.contains_points(np.column_stack([x, y])).mean() for path in contours.get_paths()]
    assert inside == pytest.approx(ENCLOSED, abs=0.04)
    assert "95%" in many.get_legend_handles_labels()[1][0]
