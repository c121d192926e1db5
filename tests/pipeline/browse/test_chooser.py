"""The field for a condition: looked up beside the page, and what becomes of late answers."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from bokeh.document import Document
from bokeh.models import TextInput

from pipeline.browse.chooser import Chooser
from pipeline.browse.selection import Selection
from pipeline.browse.stars import Stars, read_stars
from pipeline.browse.work import Work
from pipeline.core.root import Root


class HeldStars(Stars):
    """Stars that give no answer before the gate opens."""

    gate = threading.Event()

    def where(self, condition):
        self.gate.wait(60)
        return super().where(condition)


@pytest.fixture
def page(finished):
    """A chooser, its selection, and a call that waits for the threads and then tells the page."""
    HeldStars.gate.clear()
    stars = HeldStars(**vars(read_stars(Root(finished.root))))
    document, pool = Document(), ThreadPoolExecutor(2)
    selection = Selection(stars)
    chooser = Chooser(stars, selection, Work(document, pool))

    def answered():
        HeldStars.gate.set()
        pool.shutdown()
        for turn in document.session_callbacks:
            turn.callback()

    yield chooser, selection, answered
    HeldStars.gate.set()
    pool.shutdown()


def write(chooser, text):
    field = chooser.widget.select_one({"type": TextInput})
    field.value = text


def test_the_page_goes_on_while_a_condition_is_looked_up(page):
    chooser, selection, answered = page
    write(chooser, "p_b > 0.5")
    assert (selection.condition, selection.chosen_C) == ("", None)
    answered()
    assert selection.condition == "p_b > 0.5"
    stars = read_stars(selection._stars.root)
    np.testing.assert_array_equal(selection.chosen_C, np.flatnonzero(stars.where("p_b > 0.5")))


def test_the_last_condition_holds_whatever_comes_first(page):
    chooser, selection, answered = page
    for text in ("p_b > 0.5", "no_such_column > 1", "p_b > 0.8"):
        write(chooser, text)
    answered()
    assert selection.condition == "p_b > 0.8"


def test_a_wrong_condition_is_refused_in_words(page):
    chooser, selection, answered = page
    write(chooser, "no_such_column > 1")
    answered()
    said = chooser.widget.children[1].text
    assert "not selected" in said and "no_such_column" in said
    assert selection.chosen_C is None


def test_an_empty_field_selects_nothing_and_ends_what_is_looked_up(page):
    chooser, selection, answered = page
    write(chooser, "p_b > 0.5")
    write(chooser, "")
    answered()
    assert (selection.condition, selection.chosen_C) == ("", None)
