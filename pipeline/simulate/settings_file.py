"""The settings file of a simulated survey, with which every other stage runs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.settings.inputs import InputSettings
from pipeline.settings.load import Settings
from pipeline.settings.paths import change_paths

_OWN = {"root", "inputs", "simulate", "cluster"}
"""Sections that belong to the survey or to the machine, not to the runs on the survey."""


def settings_file(settings: Settings, inputs: Mapping[str, str]) -> str:
    """Return ``pairspec.toml`` as text; paths are relative to it.

    Parameters
    ----------
    settings : Settings
        Settings of the simulation. What differs from the defaults in the sections of later
        stages goes into the file, so that they run as they were meant to.
    inputs : mapping of str to str
        Names of inputs and their values; one that no stage reads is given as a comment.

    Returns
    -------
    str
        TOML.
    """
    return "\n".join(_lines(settings, inputs)) + "\n"


def _lines(settings: Settings, inputs: Mapping[str, str]) -> Iterator[str]:
    simulate = settings.simulate
    yield f"# A simulated survey: {simulate.n_stars} stars, seed {simulate.seed}."
    yield 'root = "run"'
    yield ""
    yield "[inputs]"
    known = InputSettings.model_fields
    for name, value in inputs.items():
        yield f'{"" if name in known else "# "}{name} = "{value}"'
    for section in sorted(set(Settings.model_fields) - _OWN):
        changed = getattr(settings, section).changed()
        # Those of the command line are relative to where it runs, not to the file.
        change_paths({section: changed}, Settings, lambda local: str(Path(local).resolve()))
        if changed:
            yield ""
            yield f"[{section}]"
            # Numbers, strings and lists look the same in JSON and TOML.
            yield from (f"{key} = {json.dumps(value)}" for key, value in changed.items())
