"""The page of commands is that of the code."""

from pathlib import Path

from pipeline.cli.commands_page import commands_page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "commands.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == commands_page(), "run `make docs`"


def test_commands_with_their_options_and_arguments():
    page = commands_page()
    assert page.index("## pairspec ingest") < page.index("## pairspec infer")
    part = page.partition("## pairspec query\n")[2].partition("\n## ")[0]
    assert "\n| `--output`" in part and "\n| `SQL`" in part
