"""The page of a profile."""

import re

import pytest

from cluster.profile import profiled


def test_a_page_of_the_tasks_that_needs_no_connection(client, tmp_path):
    page = tmp_path / "logs" / "select-profile.html"
    with profiled(page):
        assert client.submit(sum, [1, 2], pure=False).result() == 3
    text = page.read_text()
    assert "<!DOCTYPE html>" in text
    assert re.search(r"number of tasks: [1-9]", text)
    assert re.findall(r"<(?:script|link)[^>]*(?:src|href)=.https?:[^>]*>", text) == []
    assert [path.name for path in page.parent.iterdir()] == [page.name]


def test_no_page_of_what_failed_and_none_where_none_is_wanted(client, tmp_path):
    page = tmp_path / "page.html"
    with pytest.raises(RuntimeError, match="stopped"), profiled(page):
        raise RuntimeError("stopped")
    with profiled(None):
        pass
    assert list(tmp_path.iterdir()) == []
