"""The paths among the settings, wherever they stand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from cluster.settings import ClusterSettings
from pipeline.settings.profiles import ClusterProfiles


def change_paths(content: Any, model: type[BaseModel], change: Callable[[str], str]) -> None:
    """Change every path in the content of a settings file; URLs stay as they are.

    Parameters
    ----------
    content : object
        Values by their names, and sections likewise; anything else holds no path.
    model : type of pydantic.BaseModel
        The settings that the content is of.
    change : callable
        From a path to the one that takes its place.
    """
    if not isinstance(content, dict):
        return
    for name, value in content.items():
        field = model.model_fields.get(name)
        if field is None:
            if model is ClusterProfiles:
                change_paths(value, ClusterSettings, change)
            continue
        for kind in _kinds(field.annotation):
            if kind is Path:
                content[name] = _changed(value, change)
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                change_paths(value, kind, change)


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_changed(each, change) for each in value]
    return change(value) if isinstance(value, str) and "://" not in value else value


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield what a value may be, and what its items may be."""
    yield annotation
    for part in get_args(annotation):
        yield from _kinds(part)
