"""What is wrong with settings in plain words: which one, why, and where it was given."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from cluster.settings import ClusterSettings
from pipeline.settings.profiles import PROFILES, ClusterProfiles

Sources = Sequence[tuple[str, Mapping[str, Any]]]
"""Where settings were given and what was given there; the first wins over the later ones."""

Place = tuple[str, ...]

_WHOLE, _NUMBER, _SWITCH = (
    "should be a whole number",
    "should be a number",
    "should be true or false",
)
_SECTION = "is a section: set one of its keys"
_WORDS = {
    "int_type": _WHOLE, "int_parsing": _WHOLE, "int_from_float": _WHOLE,
    "float_type": _NUMBER, "float_parsing": _NUMBER,
    "bool_type": _SWITCH, "bool_parsing": _SWITCH,
    "string_type": "should be a text", "path_type": "should be a path",
    "model_type": _SECTION, "model_attributes_type": _SECTION, "dict_type": _SECTION,
}  # fmt: skip
_SUBJECT = re.compile(r"^(Input|Value|Tuple|List|String) should")


def explain(error: ValidationError, model: type[BaseModel], sources: Sources) -> str:
    """Return what is wrong, as one line.

    Parameters
    ----------
    error : pydantic.ValidationError
        What pydantic found.
    model : type of BaseModel
        All settings.
    sources : sequence of (str, mapping)
        Where settings were given, by a name for the message; the first wins.
    """
    found = [(_place(item["loc"], model), item) for item in error.errors()]
    places = {place for place, _ in found}
    lines: dict[Place, str] = {}
    for place, item in found:
        if len(place) == 3 and (place[0], place[2]) in places:
            continue  # A profile has it from the section that holds for all stages.
        name = ".".join(place)
        if item["type"] == "extra_forbidden":
            text = f"unknown setting {name!r}{_nearest(place, model)}"
        else:
            given = "" if isinstance(item["input"], Mapping) else f", got {item['input']!r}"
            text = f"setting {name!r}: {_words(item)}{given}"
        # Of a value that may be of several kinds, pydantic complains once for each.
        lines.setdefault(place, f"{text} (from {' and '.join(_origins(place, sources))})")
    return "; ".join(lines.values())


def _words(item: Mapping[str, Any]) -> str:
    if item["type"] in ("tuple_type", "list_type"):
        return f"should be a list, e.g. [{item['input']!r}]"
    words = _WORDS.get(item["type"], str(item["msg"])).removeprefix("Value error, ")
    return _SUBJECT.sub("should", words)


def _origins(place: Place, sources: Sources) -> list[str]:
    """Name the source whose value counts; of a whole section, all that have a part in it."""
    for end in range(len(place), -1, -1):
        found = [(name, _value(content, place[:end])) for name, content in sources]
        given = [(name, value) for name, value in found if value not in (None, {})]
        if given:
            parts = [name for name, value in given if isinstance(value, Mapping)]
            return parts or [given[0][0]]
    return ["the defaults"]


def _value(content: Mapping[str, Any], place: Place) -> Any:
    value: Any = content
    for part in place:
        if not isinstance(value, Mapping):
            return value
        value = value.get(part)
    return value


def _place(location: tuple[int | str, ...], model: type[BaseModel]) -> Place:
    """Return where it stands in a file, without what pydantic adds about parts of a value."""
    place: list[str] = []
    section: type[BaseModel] | None = model
    for part in location:
        if part in ("by_stage", "[key]"):
            continue
        if section is None:
            break
        place.append(str(part))
        section = _section(section, str(part))
    return tuple(place)


def _section(model: type[BaseModel], part: str) -> type[BaseModel] | None:
    if model is ClusterProfiles and part in PROFILES:
        return ClusterSettings
    if part not in model.model_fields:
        return None
    annotation = model.model_fields[part].annotation
    return next(_models((annotation, *get_args(annotation))), None)


def _models(kinds: tuple[Any, ...]) -> Iterator[type[BaseModel]]:
    return (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))


def _nearest(place: Place, model: type[BaseModel]) -> str:
    section: type[BaseModel] | None = model
    for part in place[:-1]:
        section = section and _section(section, part)
    if section is None:
        return ""
    names = [name for name in section.model_fields if name != "by_stage"]
    names += PROFILES if section is ClusterProfiles else ()
    close = difflib.get_close_matches(place[-1], names, n=1, cutoff=0.0)
    prefix = "".join(f"{part}." for part in place[:-1])
    return f"; did you mean {prefix + close[0]!r}?" if close else ""
