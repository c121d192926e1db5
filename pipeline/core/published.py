"""A dataset counts once it is published: its small record is written last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.core.atomic import sync_folder
from pipeline.core.damage import damaged_json
from pipeline.core.sealed import read_sealed, write_sealed


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
    records : mapping of str to (str, int)
        Steps of the ledger that name its files: digest and number of units of each.
    as_is : mapping of str to str
        Digests of further datasets that it was made from, which might be outdated themselves.
    settings : mapping of str to object
        Settings that differed from their defaults then, by section and name.
    """

    digest: str
    counts: Mapping[str, int]
    needs: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    as_is: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def published_path(root: Path, name: str) -> Path:
    """Return the file that declares a dataset complete.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    name : str
        Dataset.
    """
    return root / "ledger" / f"{name}.json"


def publish(root: Path, name: str, published: Published, remembered: Iterable[str] = ()) -> None:
    """Declare a dataset complete; the same again writes nothing, whatever the settings are then.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    name : str
        Dataset.
    published : Published
        What it is.
    remembered : iterable of str
        Settings that later stages ask for: other values of them are written.
    """
    there = read_published(root, name)
    if there is not None and replace(there, settings=published.settings) == published:
        before, now = there.settings, published.settings
        if all(before.get(setting) == now.get(setting) for setting in remembered):
            return
    write_sealed(published_path(root, name), vars(published))


def withdraw(root: Path, name: str) -> None:
    """Take a declaration back, before a file of the dataset is overwritten."""
    path = published_path(root, name)
    if path.exists():
        path.unlink()
        sync_folder(path.parent)


def read_published(root: Path, name: str) -> Published | None:
    """Return what was declared of a dataset; None where it is not complete, or was edited.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    name : str
        Dataset.
    """
    content = read_sealed(published_path(root, name))
    try:
        return None if content is None else _as_published(**content)
    except (ValueError, TypeError):
        return None


def _as_published(
    digest: str,
    counts: dict[str, int],
    needs: dict[str, str],
    records: dict[str, tuple[str, int]],
    **others: dict[str, Any],
) -> Published:
    steps = {step: (d, n) for step, (d, n) in records.items()}
    return Published(digest, counts, needs, steps, **others)


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
    for source, digest in {**published.needs, **published.as_is}.items():
        there = read_published(root, source)
        if there is None or there.digest != digest:
            return name, source
        if source in published.needs:
            found = replaced_source(root, source, there)
            if found is not None:
                return found
    return None


def outdated(root: Path, names: Iterable[str]) -> list[str]:
    """Return those of some datasets that were made from what has been replaced since.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    names : iterable of str
        Datasets.
    """
    there = {name: read_published(root, name) for name in names}
    return [name for name, one in there.items() if one and replaced_source(root, name, one)]


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
        It has not been made, or not completely, or its declaration was edited.
    """
    found = read_published(root, name)
    if found is None:
        path = published_path(root, name)
        if path.exists():
            raise NotReadyError(damaged_json(path).line(f"pairspec {command} --root {root}"))
        raise NotReadyError(
            f"{root} has no complete {name}; run `pairspec {command} --root {root}` first"
        )
    return found
