"""A dataset counts once it is published: its small record is written last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.atomic import sync_folder, write_json


class NotReadyError(ValueError):
    """A stage was started before the one that it needs."""


@dataclass(frozen=True)
class Published:
    """What a finished stage says of its output.

    Parameters
    ----------
    digest : str
        Digest of everything that it depends on.
    counts : mapping of str to int
        What it holds.
    needs : mapping of str to str
        Digests of the datasets that it was made from.
    """

    digest: str
    counts: Mapping[str, int]
    needs: Mapping[str, str] = field(default_factory=dict)


def _path(root: Path, name: str) -> Path:
    return root / "ledger" / f"{name}.json"


def publish(root: Path, name: str, published: Published) -> None:
    """Declare a dataset complete; the same declaration again writes nothing.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    name : str
        Dataset.
    published : Published
        What it is.
    """
    if read_published(root, name) != published:
        content = {
            "digest": published.digest,
            "counts": dict(published.counts),
            "needs": dict(published.needs),
        }
        write_json(_path(root, name), content, sort_keys=False)


def withdraw(root: Path, name: str) -> None:
    """Take a declaration back, before a file of the dataset is overwritten."""
    path = _path(root, name)
    if path.exists():
        path.unlink()
        sync_folder(path.parent)


def read_published(root: Path, name: str) -> Published | None:
    """Return what was declared of a dataset, or None where it is not complete.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    name : str
        Dataset.
    """
    try:
        content = json.loads(_path(root, name).read_bytes())
        return Published(content["digest"], content["counts"], content["needs"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def replaced_source(root: Path, name: str, published: Published) -> tuple[str, str] | None:
    """Find a dataset that has been made anew, or begun anew, since it was used.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    name : str
        Dataset whose sources are looked at, and theirs.
    published : Published
        What was declared of it.

    Returns
    -------
    tuple of str or None
        The dataset that is out of date and the source that was replaced; None where all is well.
    """
    for source, digest in published.needs.items():
        there = read_published(root, source)
        if there is None or there.digest != digest:
            return name, source
        found = replaced_source(root, source, there)
        if found is not None:
            return found
    return None


def require_published(root: Path, name: str, command: str) -> Published:
    """Return what was declared of a dataset that a stage cannot do without.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    name : str
        Dataset.
    command : str
        Name of the stage that makes it, for the message.

    Raises
    ------
    NotReadyError
        It has not been made, or not completely.
    """
    found = read_published(root, name)
    if found is None:
        raise NotReadyError(
            f"{root} has no complete {name}; run `pairspec {command} --root {root}` first"
        )
    return found
