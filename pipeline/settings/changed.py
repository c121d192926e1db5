"""The settings that differ from their defaults."""

from typing import Any

from pipeline.settings.load import Settings

_APART = {"root", "cluster", "acquire", "simulate.out"}
"""Where a run or a survey lies and on how many processors it ran changes no number in it."""


def changed_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that differ from their defaults, as JSON has them, by section and name.

    Parameters
    ----------
    settings : Settings
        Of the run.
    """
    found: dict[str, Any] = {}
    for section in (name for name in Settings.model_fields if name not in _APART):
        found |= _flat(section, getattr(settings, section).changed())
    return {name: value for name, value in found.items() if name not in _APART}


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    both = [_flat(f"{name}.{key}", value[key]) for key in value]
    return {key: found for one in both for key, found in one.items()}
