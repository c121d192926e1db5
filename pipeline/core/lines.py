"""A file of lines that is only appended to, by one process at a time."""

import os
import time
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.core.atomic import sync_folder


class AppendedLines:
    """A file that grows by whole lines; it is made, or opened, at the first of them.

    A line that a kill has cut short stays by itself: the next one begins behind it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    sync_s : float, optional
        Lines are on the disk after so many seconds, and at the end; None: when the system writes
        them.
    """

    def __init__(self, path: Path, sync_s: float | None = None) -> None:
        self.path, self._sync_s = path, sync_s
        self._file: BufferedWriter | None = None
        self._synced_s = 0.0

    def write(self, line: bytes) -> None:
        """Add a line.

        Parameters
        ----------
        line : bytes
            Ends in a line feed.
        """
        if self._file is None:
            self._file = _opened(self.path)
        self._file.write(line)
        self._file.flush()
        if self._sync_s is not None and time.monotonic() - self._synced_s > self._sync_s:
            os.fsync(self._file.fileno())
            self._synced_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            if self._sync_s is not None:
                os.fsync(self._file.fileno())
                sync_folder(self.path.parent)
            self._file.close()
            self._file = None


def _opened(path: Path) -> BufferedWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("ab")
    if file.tell() and not path.read_bytes().endswith(b"\n"):
        file.write(b"\n")
    return file
