"""The list of all settings as a page, made from their docstrings."""

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.settings.load import Settings


def settings_page() -> str:
    """Return ``docs/settings.md`` as text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield (
        "Made from the code by `make docs`; do not edit. Each setting may stand in "
        "`pairspec.toml`, in the environment as `PAIRSPEC_SECTION__KEY`, or on the command line "
        "as `--set section.key=value`; the later of these wins. Defaults are marked: [paper] "
        "Jing et al. 2025, [source: ...], [derived], or [assumed] where nobody published one."
    )
    yield from _tables(Settings, "")


def _tables(model: type[BaseModel], path: str) -> Iterator[str]:
    """Give the table of a section, then those of the sections within it."""
    fields = model.model_fields
    plain = {name: field for name, field in fields.items() if not _section(field)}
    yield from _table(f"[{path}]" if path else "top level", model.__doc__ if path else "", plain)
    for name, field in fields.items():
        section = _section(field)
        if section is not None:
            yield from _tables(section, f"{path}.{name}" if path else name)


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _table(title: str, text: str | None, fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    if text:
        yield text.splitlines()[0]
        yield ""
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    for key, field in fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        meaning = " ".join((field.description or "").split())
        yield f"| `{field.title or key}` | {default} | {meaning} |"
