"""Work in a thread, and what a page learns of it."""

from concurrent.futures import ThreadPoolExecutor

from bokeh.document import Document

from pipeline.browse.work import Work
from pipeline.core.errors import InputError


def told_of(task):
    """Return what the page is told, and the call that tells it."""
    told, document = [], Document()
    with ThreadPoolExecutor(1) as pool:
        work = Work(document, pool)
        work.do(task, lambda found: told.append(("done", found)), told.append)
    (turn,) = document.session_callbacks
    return told, turn.callback


def refuse():
    raise InputError("no such column")


def test_a_result_or_what_is_wrong_comes_back():
    told, turn = told_of(lambda: 3)
    assert told == []
    turn()
    assert told == [("done", 3)]
    told, turn = told_of(refuse)
    turn()
    assert told == ["no such column"]


def test_a_fault_of_ours_is_told_and_its_traceback_logged(caplog):
    told, turn = told_of(lambda: 1 // 0)
    turn()
    assert told == ["ZeroDivisionError: integer division or modulo by zero"]
    assert "ZeroDivisionError" in caplog.text and "Traceback" in caplog.text
