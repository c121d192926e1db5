"""One small survey on which every stage has run, made once and shared by the tests that need it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SMALL = (
    "simulate.n_stars=900",
    "simulate.survey.g_max=13.0",
    "simulate.survey.hats=false",
    "ingest.shard_rows=256",
    "ingest.chunk_rows=64",
    # Several units of several shards.
    "tables.unit_spectra=512",
    "catalogue.block_spectra=600",
    "composites.training_couples=20",
    "composites.validation_couples=10",
    "composites.test_couples=10",
    "composites.block_couples=10",
    "training.composite_share=0.3",
    "training.max_epochs=1",
    "network.preset=small",
    "network.channels=[4, 4]",
    "network.blocks=[1, 1]",
    "network.strides=[4, 4]",
    "network.hidden=[8]",
    "evaluate.n_bootstrap=20",
    # The kills of all the others would take minutes; their numbers have tests of their own.
    "validation.names=['velocities', 'mass_ratio', 'planets']",
)


class StageServer:
    """The process of ``kill_server.py``, and how to ask it."""

    def __init__(self) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "kill_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=HERE.parent,
            env=environment,
        )

    def run(
        self, stage: str, config: Path, root: Path, *overrides: str, kill_at: int = 0
    ) -> dict[str, Any]:
        """Run one stage; killed at that file operation, or to its end."""
        task = {
            "stage": stage, "config": str(config), "root": str(root), "set": overrides,
            "kill_at": kill_at,
        }  # fmt: skip
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)


class FinishedSurvey:
    """A simulated survey, the root of its run, and copies of that root from before each stage.

    Attributes
    ----------
    config
        Settings file of the survey.
    root
        Root of the finished run; not to be written to.
    """

    def __init__(self, folder: Path, server: StageServer) -> None:
        from pipeline.stages import STAGES

        self.folder, self.server = folder, server
        self.config, self.root = folder / "survey" / "pairspec.toml", folder / "survey" / "run"
        empty = folder / "empty.toml"
        empty.write_text("")
        self.small = (*SMALL, f"simulate.out='{folder / 'survey'}'")
        self.empty = empty
        self._must("simulate", empty, *self.small)
        self.operations: dict[str, int] = {}
        for stage in STAGES[1:]:
            if self.root.exists():
                shutil.copytree(self.root, self.before(stage.name))
            self.operations[stage.name] = self._must(stage.name, self.config)["operations"]

    def _must(self, stage: str, config: Path, *overrides: str) -> dict[str, Any]:
        answer = self.server.run(stage, config, self.root, *overrides)
        if answer["status"] != 0:
            raise RuntimeError(f"{stage}: {answer}")
        return answer

    def before(self, stage: str) -> Path:
        """Return a copy of the root as it was before a stage."""
        return self.folder / "before" / stage


def tree_digests(folder: Path) -> dict[str, str]:
    """Digest every file below a folder, but for the lock and the logs."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock" and path.relative_to(folder).parts[0] != "logs"
    }
