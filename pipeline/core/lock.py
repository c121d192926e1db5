"""One writer a root: a lock that the operating system drops when its holder dies."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_PATIENCE_S = 1.0
"""Who looks whether a root is locked has its lock for a moment: so long a stage waits for it."""


class RootLockedError(RuntimeError):
    """Another run is writing into the same root."""


def require_unlocked(root: Path) -> None:
    """Require that no stage is writing into a root; writes nothing itself.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.

    Raises
    ------
    RootLockedError
        A stage is at work; the message names its process.
    """
    path = root / ".lock"
    if not path.exists():
        return
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _locked(root, path) from None


@contextmanager
def root_lock(root: Path, stage: str) -> Iterator[None]:
    """Hold the root for the time of a stage.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run; created if need be.
    stage : str
        Who holds it, for the message to others.

    Raises
    ------
    RootLockedError
        Another process holds it; the message names that process.
    """
    root.mkdir(parents=True, exist_ok=True)
    path = root / ".lock"
    with path.open("a+") as file:
        try:
            _take(file)
        except BlockingIOError as error:
            raise _locked(root, path) from error
        file.truncate(0)
        file.write(f"pairspec {stage}, process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def lock_holder(root: Path) -> str | None:
    """Return which stage is writing into a root, e.g. ``ingest``, or None.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    """
    try:
        with (root / ".lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().removeprefix("pairspec ").partition(",")[0] or None
    except FileNotFoundError:
        pass
    return None


def _take(file: IO[str]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _locked(root: Path, path: Path) -> RootLockedError:
    holder = path.read_text().strip() or "another process"
    return RootLockedError(
        f"{root} is being written by {holder}; wait for it, or choose another --root"
    )
