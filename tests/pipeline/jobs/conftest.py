"""Settings of a run on SLURM, and what a run has measured."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.core.pace import FOLDER, Pace
from pipeline.settings.load import load_settings


@pytest.fixture
def on_slurm(tmp_path: Path) -> Callable[..., object]:
    """Settings on SLURM, and others: ``on_slurm("cluster.infer.jobs=3")``."""

    def load(*overrides: str) -> object:
        given = ["cluster.kind=slurm", "cluster.walltime=01:00:00", *overrides]
        return load_settings(None, given, root=tmp_path / "run")

    return load


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., None]:
    """Leave the pace of a step: ``measured("infer", workers=4, done=10, seconds=100.0)``."""

    def write(stage: str, *, workers: int, done: int, seconds: float, **other: object) -> None:
        values = {"step": stage, "of": "shards", "total": 1000, "begun": 0} | other
        now = 1e9 + seconds
        pace = Pace(stage=stage, done=done, start_unix=1e9, now_unix=now, workers=workers, **values)
        folder = tmp_path / "run" / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{pace.step}.json").write_text(json.dumps(asdict(pace)))

    return write
