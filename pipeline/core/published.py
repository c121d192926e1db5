"""A dataset counts once it is published: its small manifest is written last."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.atomic import write_json


class NotReadyError(ValueError):
    """A stage was started before the one that it needs."""


@dataclass(frozen=True)
class Published:
    """What a finished stage says of its output."""

    digest: str
    counts: dict[str, int]


def _path(root: Path, name: str) -> Path:
    return root / "ledger" / f"{name}.json"


def publish(root: Path, name: str, digest: str, counts: dict[str, int]) -> None:
    """Declare the output of a stage complete; the same declaration again writes nothing."""
    path = _path(root, name)
    content = {"digest": digest, "counts": counts}
    if not (path.exists() and json.loads(path.read_text()) == content):
        write_json(path, content)


def published(root: Path, name: str, command: str) -> Published:
    """Return what a stage declared.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    name : str
        Dataset.
    command : str
        The command that makes it, for the message.

    Raises
    ------
    NotReadyError
        It has not been made, or not completely.
    """
    path = _path(root, name)
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise NotReadyError(
            f"{root} has no complete {name}; run `pairspec {command} --root {root}` first"
        ) from None
    return Published(content["digest"], content["counts"])


def published_digest(root: Path, name: str) -> str | None:
    """Return the digest of a dataset that a run may do without, or None where it has none."""
    path = _path(root, name)
    return json.loads(path.read_text())["digest"] if path.exists() else None
