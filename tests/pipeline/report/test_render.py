"""The template with next to nothing, and with text that is not HTML."""

import pytest
from jinja2 import UndefinedError

from pipeline.report.licences import Licence
from pipeline.report.page import render

NOTHING = {
    "simulated": False, "tiles": {}, "published": [], "truth_lines": [], "figures": [], "cuts": [],
    "validations": {}, "notes": [], "cards": [], "datasets": [], "times": [],
    "settings": [], "versions": {}, "licences": (),
}  # fmt: skip


def test_what_a_run_does_not_have_is_said():
    page = render(NOTHING).decode()
    for text in ("run <code>pairspec evaluate</code>", "has no sample", "No validation has run",
                 "No stage has left a record"):  # fmt: skip
        assert text in page
    assert render(NOTHING).decode() == page


def test_text_cannot_become_a_script():
    own = [Licence("<script>alert(1)</script>", "a & b", "c")]
    page = render(NOTHING | {"licences": own}).decode()
    assert "<script" not in page and "&lt;script&gt;" in page and "a &amp; b" in page


def test_a_value_that_was_forgotten_is_an_error():
    with pytest.raises(UndefinedError, match="cuts"):
        render({name: value for name, value in NOTHING.items() if name != "cuts"})
