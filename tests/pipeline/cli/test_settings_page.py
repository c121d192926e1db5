"""The page of settings names every setting with its default and meaning."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from pipeline.cli.settings_page import settings_page
from pipeline.settings.load import Settings

PAGE = Path(__file__).resolve().parents[3] / "docs" / "settings.md"


def test_the_page_in_the_documents_is_that_of_the_code():
    assert PAGE.read_text() == settings_page(), "run `make docs`"


def sections(model, path=""):
    """All sections with their paths, those within others too."""
    yield path, model
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from sections(field.annotation, f"{path}.{name}".strip("."))


SECTIONS = dict(sections(Settings))


@pytest.mark.parametrize("path", SECTIONS)
def test_every_setting_has_one_row_with_its_default_and_a_meaning(path):
    heading = f"[{path}]" if path else "top level"
    table = settings_page().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
    fields = SECTIONS[path].model_fields
    plain = [name for name in fields if f"{path}.{name}".strip(".") not in SECTIONS]
    titles = [fields[name].title or name for name in plain]
    assert [row[0] for row in rows] == [f"| `{title}`" for title in titles]
    for row, name in zip(rows, plain, strict=True):
        default = fields[name].default
        assert row[1] == ("" if default is None else f"`{default}`")
        assert len(row[2]) > 10
