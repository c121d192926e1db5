"""Regions in memory beside the same regions as SQL, on a real catalogue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.browse.region import MOST_CORNERS, Box, Condition, Polygon, drawn_region
from pipeline.browse.selection import Selection
from pipeline.browse.stars import best_rows, read_stars
from pipeline.core.errors import InputError
from pipeline.core.published import NotReadyError
from pipeline.core.root import Root

CORNER = st.tuples(st.floats(1.2, 2.9), st.floats(2.0, 9.0))
FEW = settings(max_examples=15)


@pytest.fixture(scope="module")
def stars(finished):
    return read_stars(Root(finished.root))


@given(CORNER, CORNER)
@FEW
def test_a_box_is_its_sql(stars, one, other):
    box = Box.between(g_ks_0=(one[0], other[0]), m_g=(one[1], other[1]))
    np.testing.assert_array_equal(box.mask(stars), stars.where(box.sql))


@given(st.lists(CORNER, min_size=1, max_size=12))
@FEW
def test_a_polygon_is_its_sql(stars, corners):
    polygon = Polygon.drawn("g_ks_0", "m_g", *zip(*corners, strict=True))
    np.testing.assert_array_equal(polygon.mask(stars), stars.where(polygon.sql))


def test_stars_on_the_edge_of_a_box_are_inside_of_both(stars):
    value = stars.numbers["p_b"]
    at = np.sort(value[np.isfinite(value)])[[5, -5]].tolist()
    box = Box((("p_b", *at),))
    mask = box.mask(stars)
    assert mask.sum() >= 2
    # Rounded bounds, as a mouse draws them, and stars that have exactly these values.
    rounded = Box.between(p_b=tuple(at))
    np.testing.assert_array_equal(rounded.mask(stars), stars.where(rounded.sql))


def test_a_square_drawn_by_hand_is_the_box(stars):
    x, y = [1.6, 2.2, 2.2, 1.6], [4.0, 4.0, 6.0, 6.0]
    drawn = drawn_region("g_ks_0", "m_g", {"type": "poly", "x": x, "y": y})
    box = drawn_region("g_ks_0", "m_g", {"type": "rect", "x0": 2.2, "x1": 1.6, "y0": 4, "y1": 6})
    np.testing.assert_array_equal(drawn.mask(stars), box.mask(stars))
    assert box.mask(stars).any()
    many = Polygon.drawn("g_ks_0", "m_g", np.linspace(1, 2, 999), np.linspace(4, 5, 999) ** 2)
    assert len(many.x_K) <= MOST_CORNERS


def test_parts_are_joined_and_a_wrong_condition_changes_nothing(stars):
    selection, told = Selection(stars), []
    selection.listen(lambda: told.append(selection.n_selected))
    assert (selection.n_selected, selection.condition) == (len(stars), "")
    selection.put("p_b", Box.between(p_b=(0.2, 1)))
    selection.put("condition", Condition("n_spectra > 1 -- of more than one night"))
    selection.put("sky", Box.between(ra_deg=(0, 360), dec_deg=(-90, 90)))
    wanted = np.flatnonzero(stars.where(selection.condition))
    np.testing.assert_array_equal(selection.chosen_C, wanted)
    before = selection.condition
    # The last one is known to be wrong only by the values of the stars.
    union = "1) UNION SELECT path FROM observations --"
    for wrong in ("no_column > 1", "p_b >", union, "('x' || star_id)::INT > 1"):
        with pytest.raises(InputError):
            selection.put("condition", Condition(wrong))
    assert selection.condition == before
    selection.clear()
    assert told[-1] == len(stars) and selection.chosen_C is None


def test_the_best_stars_come_first(stars):
    rows = best_rows(stars, None, 10)
    p_b = np.nan_to_num(stars.numbers["p_b"], nan=-1.0)
    np.testing.assert_array_equal(p_b[rows], np.sort(p_b)[::-1][:10])
    chosen = np.flatnonzero(p_b < 0.5)
    assert set(best_rows(stars, chosen, len(stars)).tolist()) == set(chosen.tolist())


def test_a_run_without_a_catalogue_names_the_command(tmp_path):
    with pytest.raises(NotReadyError, match="run `pairspec catalogue"):
        read_stars(Root(tmp_path))
