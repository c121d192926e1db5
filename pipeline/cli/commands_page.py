"""The list of all commands and their options as a page, made from their help."""

from collections.abc import Iterator
from typing import Any

import typer

from pipeline.cli.app import app


def commands_page() -> str:
    """Return ``docs/commands.md`` as text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "Made from the code by `make docs`; do not edit. `pairspec COMMAND --help` says the same."
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        yield from ("", f"## pairspec {name}")
        for paragraph in (command.help or "").split("\n\n"):
            # Help keeps the lines of a paragraph that begins with \b.
            kept = paragraph.startswith("\b")
            fence = ("```",) if kept else ()
            yield from ("", *fence, paragraph.removeprefix("\b").strip("\n"), *fence)
        rows = [_row(option) for option in command.params if option.name != "help"]
        yield from ("", "| option | what it is |", "|---|---|", *rows)


def _row(option: Any) -> str:
    argument = option.param_type_name == "argument"
    names = [option.name.upper()] if argument else [*option.opts, *option.secondary_opts]
    what = " ".join((option.help or "").split()).replace("|", "\\|")
    return f"| {', '.join(f'`{name}`' for name in names)} | {what} |"
