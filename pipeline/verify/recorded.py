"""What the ledger says: datasets, records, and the files that these name."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.core.damage import Damage, damage_of, damaged_json
from pipeline.core.ledger import Ledger, recorded_files
from pipeline.core.published import published_path, read_published
from pipeline.core.records import read_records, records_path
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
    steps = {f"{step}.jsonl" for s in STAGES for step in (s.name, *s.steps, *s.interim)}
    known = steps | {f"{s.makes}.json" for s in STAGES}
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
        lost = [unit for unit in range(n_units) if ledger.files(unit) is None]
        # Damaged lines are told with the file itself.
        if lost and not read_records(ledger.path).damaged:
            yield Check(ledger.path, stage.name, partial(ledger.lost, lost))


def _step(root: Path, stage: Stage, step: str, *, deep: bool, interim: bool) -> Iterator[Check]:
    path = records_path(root, step)
    if not path.exists():
        return
    yield Check(path, stage.name, partial(_look_at_records, path), interim)
    for record in read_records(path).records:
        for file in recorded_files(root, record):
            content = deep or file.path.suffix == ".json"
            yield Check(file.path, stage.name, partial(damage_of, file, content=content), interim)


def _look_at_declaration(root: Path, name: str) -> Damage | None:
    return None if read_published(root, name) else damaged_json(published_path(root, name))


def _look_at_records(path: Path) -> Damage | None:
    lines = read_records(path).damaged
    if not lines:
        return None
    what = f"has damaged records (line {', '.join(map(str, lines[:5]))})"
    return Damage(path, what, keep=True)
