"""Where a run comes from: settings, versions, datasets, time and rate of each stage."""

import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from pipeline.core.pace import RECORDS, read_paces
from pipeline.core.published import read_published
from pipeline.core.root import Root
from pipeline.settings.load import Settings

PACKAGES = (
    "pairspec", "astropy", "dask", "duckdb", "matplotlib", "numpy", "pyarrow", "scipy", "torch",
    "zarr",
)  # fmt: skip

# Where a run lies and on how many processors it ran changes no number in it.
_APART = {"root", "cluster", "acquire"}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the main packages."""
    return {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def changed_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that differ from their defaults, by section and name.

    Parameters
    ----------
    settings : Settings
        Of the run.
    """
    found: dict[str, Any] = {}
    for section in (name for name in Settings.model_fields if name not in _APART):
        found |= _flat(section, getattr(settings, section).changed())
    return found


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    both = [_flat(f"{name}.{key}", value[key]) for key in value]
    return {key: found for one in both for key, found in one.items()}


def all_settings(settings: Settings) -> str:
    """Return all settings that change a number of the run, as JSON.

    Parameters
    ----------
    settings : Settings
        Of the run.
    """
    return json.dumps(settings.model_dump(mode="json", exclude=_APART), indent=1)


def datasets(root: Root, makers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what was published: dataset, stage, digest, counts, in the order of the stages.

    Parameters
    ----------
    root : Root
        Root of the run.
    makers : mapping of str to str
        Stage that makes each dataset.
    """
    there = {name: read_published(root.path, name) for name in makers}
    return [
        {"name": name, "stage": makers[name], "digest": one.digest, "counts": dict(one.counts)}
        for name, one in there.items()
        if one is not None
    ]


def times(root: Root, stages: Iterable[str]) -> list[dict[str, Any]]:
    """Return what each stage took when it last worked, and the rates of its steps.

    Parameters
    ----------
    root : Root
        Root of the run.
    stages : iterable of str
        Names, in order; those that left no record are left out.
    """
    rows = []
    paces = sorted(read_paces(root.path), key=lambda pace: (pace.start_unix, pace.step))
    for stage in stages:
        path = root.path / RECORDS / f"{stage}.json"
        if not path.is_file():
            continue
        steps = [
            f"{p.step}: {p.done - p.begun} {p.of}, {p.rate:.3g} per second"
            for p in paces
            if p.stage == stage and p.done > p.begun
        ]
        rows.append({"stage": stage, **json.loads(path.read_text()), "steps": steps})
    return rows
