"""Where a run comes from: settings, versions, datasets, time and rate of each stage."""

import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from pipeline.core.pace import RECORDS, read_paces
from pipeline.core.published import read_published
from pipeline.core.root import Root

PACKAGES = (
    "pairspec", "astropy", "dask", "duckdb", "matplotlib", "numpy", "pyarrow", "scipy", "torch",
    "zarr",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions of Python and of the main packages."""
    return {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def settings_by_stage(root: Root, makers: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the settings that differed from their defaults when the datasets were made.

    Parameters
    ----------
    root : Root
        Root of the run.
    makers : mapping of str to str
        Stage that makes each dataset.

    Returns
    -------
    list of dict of str to str
        ``name``, ``value`` as JSON, and ``stages``, by name.
    """
    there = {stage: read_published(root.path, name) for name, stage in makers.items()}
    ran = {stage: one.settings for stage, one in there.items() if one is not None}
    stages: dict[tuple[str, str], list[str]] = {}
    for stage, settings in ran.items():
        for name, value in settings.items():
            stages.setdefault((name, json.dumps(value)), []).append(stage)
    return [
        {
            "name": name,
            "value": value,
            "stages": "all" if len(some) == len(ran) else ", ".join(some),
        }
        for (name, value), some in sorted(stages.items())
    ]


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
