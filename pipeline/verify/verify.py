"""``pairspec verify``: every file of a run against the ledger; nothing is changed."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.core.lock import require_unlocked
from pipeline.core.progress import track
from pipeline.verify.check import Check
from pipeline.verify.recorded import recorded_checks, unknown_steps

THREADS = 8
"""Files looked at at a time."""


@dataclass(frozen=True)
class Verified:
    """What was found.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    deep : bool
        All contents were compared, too.
    n_files : int
        Files that were looked at.
    damaged : tuple of str
        A line for each damaged file: which, what, and the command that makes it again.
    unknown : tuple of str
        Names in the ledger that belong to no stage of this version.
    """

    root: Path
    deep: bool
    n_files: int
    damaged: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the answer as lines, the summary last."""
        unknown = [
            f"note: {self.root / 'ledger' / name} belongs to no stage of this version; its files "
            "were not looked at"
            for name in self.unknown
        ]
        how = "sizes and contents" if self.deep else "sizes, and the contents of JSON files"
        state = f"{len(self.damaged):,} damaged" if self.damaged else "all are as they were written"
        more = "" if self.deep else "; --deep compares all contents"
        summary = f"{self.root}: {self.n_files:,} files looked at ({how}), {state}{more}"
        return [*self.damaged, *unknown, summary]


def verify(root: Path, *, deep: bool) -> Verified:
    """Compare the files of a run with its ledger.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    deep : bool
        Compare the SHA-256 of every file, too, and look at files that no record names but that
        carry checksums of their own.

    Returns
    -------
    Verified
        What was found.

    Raises
    ------
    FileNotFoundError
        There is no run at the root.
    RootLockedError
        A stage is writing into it.
    """
    if not (root / "ledger").is_dir():
        raise FileNotFoundError(f"no run at {root}, which has no folder ledger; give its --root")
    require_unlocked(root)
    checks = list(recorded_checks(root, deep=deep))
    if deep:
        # Reading training states needs torch, which takes seconds to import.
        from pipeline.verify.unrecorded import unrecorded_checks

        checks += unrecorded_checks(root, {check.path for check in checks})
    # A file may be named by two records.
    damaged = tuple(dict.fromkeys(line for line in _lines(root, checks) if line is not None))
    return Verified(root, deep, len(checks), damaged, tuple(unknown_steps(root)))


def _lines(root: Path, checks: Sequence[Check]) -> Iterator[str | None]:
    with (
        track("verify", len(checks), 0, "files") as advance,
        ThreadPoolExecutor(THREADS, thread_name_prefix="verify") as pool,
    ):
        for line in pool.map(partial(Check.line, root=root), checks):
            advance()
            yield line
