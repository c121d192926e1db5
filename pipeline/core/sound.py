"""Whether the files of a dataset are still what was written, looked at before they are read."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pipeline.core.damage import Damage, Recorded, damage_of
from pipeline.core.errors import MismatchError
from pipeline.core.ledger import Ledger
from pipeline.core.root import Root

THREADS = 8
"""Files compared at a time."""


def require_sound(root: Root, records: Mapping[str, tuple[str, int]], command: str) -> None:
    """Require that every file of some steps is there and unchanged.

    Chunks of the store are compared by size, since each carries a checksum that is looked at when
    it is read. All other files, which are far smaller together, are compared by SHA-256.

    Parameters
    ----------
    root : Root
        Where everything lies.
    records : mapping of str to (str, int)
        Steps of the ledger, with digest and number of units.
    command : str
        Name of the stage that makes the files.

    Raises
    ------
    MismatchError
        A file is missing or damaged; the message names it and the command to run.
    """
    damage = first_damage(root, records)
    if damage is not None:
        line = damage.line(f"pairspec {command} --root {root.path}")
        raise MismatchError(f"{line} (`pairspec verify --deep` looks at all files)")


def first_damage(root: Root, records: Mapping[str, tuple[str, int]]) -> Damage | None:
    """Return the first file that is not what its record says.

    Parameters
    ----------
    root : Root
        Where everything lies.
    records : mapping of str to (str, int)
        Steps of the ledger, with digest and number of units.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="sound") as pool:
        for step, (digest, n_units) in records.items():
            ledger = Ledger(root.path, step, digest)
            for found in pool.map(partial(_damage_of_unit, ledger, root), range(n_units)):
                if found is not None:
                    pool.shutdown(cancel_futures=True)
                    return found
    return None


def _damage_of_unit(ledger: Ledger, root: Root, unit: int) -> Damage | None:
    files = ledger.files(unit)
    if files is None:
        return ledger.lost([unit])
    return next(_damages(files, root), None)


def _damages(files: list[Recorded], root: Root) -> Iterator[Damage]:
    for file in files:
        damage = damage_of(file, content=not root.is_chunk(file.path))
        if damage is not None:
            yield damage
