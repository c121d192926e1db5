"""What the ledger says: datasets, records, and the files that these name."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.core.damage import Damage, damage_of
from pipeline.core.ledger import Ledger, damaged_json, read_record, recorded_files
from pipeline.core.published import published_path, read_published
from pipeline.core.stage import Stage
from pipeline.stages import STAGES
from pipeline.verify.check import Check


def recorded_checks(root: Path, *, deep: bool) -> Iterator[Check]:
    """Yield a check for everything that the ledger holds or names.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    deep : bool
        Compare the SHA-256 of all files; else of JSON only, which is small.

    Yields
    ------
    Check
        A file is named once for every record that names it.
    """
    for stage in STAGES:
        if stage.folder == "root":
            yield from _declared(root, stage)
            for step in (stage.name, *stage.steps):
                yield from _step(root, stage, step, deep=deep, interim=False)
            for step in stage.interim:
                yield from _step(root, stage, step, deep=deep, interim=True)


def unknown_steps(root: Path) -> list[str]:
    """Return the names in the ledger that belong to no stage of this version.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    """
    known = {name for s in STAGES for name in (s.name, *s.steps, *s.interim, f"{s.makes}.json")}
    return sorted(path.name for path in (root / "ledger").iterdir() if path.name not in known)


def _declared(root: Path, stage: Stage) -> Iterator[Check]:
    """Look at the declaration of a dataset, and for records that it counts on and that are lost."""
    path = published_path(root, stage.makes)
    if not path.exists():
        return
    yield Check(path, stage.name, partial(_look_at_declaration, root, stage.makes))
    published = read_published(root, stage.makes)
    for step, (digest, n_units) in (published.records if published else {}).items():
        ledger = Ledger(root, step, digest)
        for unit in range(n_units):
            lost = ledger.lost_record(unit)
            # Those that are there are looked at with the files that they name.
            if ledger.files(unit) is None and (lost.missing or read_record(lost.path)):
                yield Check(lost.path, stage.name, partial(_is_lost, lost))


def _step(root: Path, stage: Stage, step: str, *, deep: bool, interim: bool) -> Iterator[Check]:
    for path in sorted((root / "ledger" / step).glob("*.json")):
        record = read_record(path)
        yield Check(path, stage.name, partial(_look_at_record, path), interim)
        for file in recorded_files(root, record) if record else ():
            content = deep or file.path.suffix == ".json"
            yield Check(file.path, stage.name, partial(damage_of, file, content=content), interim)


def _look_at_declaration(root: Path, name: str) -> Damage | None:
    return None if read_published(root, name) else damaged_json(published_path(root, name))


def _look_at_record(path: Path) -> Damage | None:
    return None if read_record(path) else damaged_json(path)


def _is_lost(damage: Damage) -> Damage:
    return damage if damage.missing else Damage(damage.path, "is the record of other inputs")
