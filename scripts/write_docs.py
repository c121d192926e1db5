"""Write the documents that are made from the code: the data dictionary, settings, commands."""

from pathlib import Path

from pipeline.cli.commands_page import commands_page
from pipeline.cli.settings_page import settings_page
from schemas.registry import data_dictionary

DOCS = Path(__file__).resolve().parents[1] / "docs"


def main() -> None:
    (DOCS / "data-dictionary.md").write_text(data_dictionary())
    (DOCS / "commands.md").write_text(commands_page())
    (DOCS / "settings.md").write_text(settings_page())


if __name__ == "__main__":
    main()
