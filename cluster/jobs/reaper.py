"""A process that outlives its driver, and then removes the driver's jobs and keys.

It reads lines: ``keys FOLDER``, ``job COMMAND... ID`` and ``gone COMMAND... ID``. At the end of its
input, however the driver ended, it cancels the jobs that are left and deletes the keys. Run as a
file, so that it starts within milliseconds: it imports nothing of ours.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TRIES, PAUSE_S = 30, 2.0
"""How often to ask a queue that does not answer, and how long to wait in between."""


class Reaper:
    """The driver's end of the pipe."""

    def __init__(self) -> None:
        # Started by a process that ends at once, it is nobody's child: what kills all children
        # of the driver spares it.
        read, write = os.pipe()
        self._pipe = os.fdopen(write, "w", buffering=1)
        try:
            subprocess.run(
                [sys.executable, "-I", __file__, str(read)], pass_fds=(read,), check=True
            )
        finally:
            os.close(read)

    def keys(self, folder: Path) -> None:
        """Remember the keys.

        Parameters
        ----------
        folder : pathlib.Path
            Where they lie.
        """
        self._pipe.write(f"keys {folder}\n")

    def job(self, command: str, number: str) -> None:
        """Remember a job.

        Parameters
        ----------
        command : str
            Cancels it, if the number follows.
        number : str
            As the queue calls it.
        """
        self._pipe.write(f"job {command} {number}\n")

    def gone(self, command: str, number: str) -> None:
        """Forget a job.

        Parameters
        ----------
        command, number : str
            As given to :meth:`job`.
        """
        self._pipe.write(f"gone {command} {number}\n")

    def close(self) -> None:
        """Let the process do what is left to do."""
        self._pipe.close()


def _cancel(command: str) -> bool:
    try:
        done = subprocess.run(
            command.split(), capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 or "nvalid job" in done.stderr


def _reap(pipe: int) -> None:
    folders, jobs = [], []
    with os.fdopen(pipe) as lines:
        for line in lines:
            verb, _, rest = line.rstrip("\n").partition(" ")
            if verb == "keys":
                folders.append(Path(rest))
            elif verb == "job":
                jobs.append(rest)
            elif rest in jobs:
                jobs.remove(rest)
    for folder in folders:
        for path in folder.glob("*.pem"):
            path.unlink(missing_ok=True)
        if folder.exists():
            folder.rmdir()
    for _ in range(TRIES):
        jobs = [job for job in jobs if not _cancel(job)]
        if not jobs:
            break
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    if os.fork():
        os._exit(0)
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _reap(int(sys.argv[1]))
