"""One batch job of dask-jobqueue that tells its refusal, and can be closed at any time."""

import asyncio
import re
import time
from collections.abc import Callable, Generator
from importlib import import_module
from pathlib import Path
from typing import Any

from cluster.jobs.queue import Queue
from cluster.jobs.reaper import Reaper
from cluster.jobs.script import ENDED

MEMORY_SHARE = 0.9
"""Part of a job's memory that its workers may fill; the rest is for what starts them."""

_ANSWER_S = 60.0
_TAIL_BYTES = 20_000


class QueueJob:
    """What we add to dask-jobqueue's class of one job, which follows it in the order of bases.

    Attributes
    ----------
    refusal
        What the queue said instead of taking the job; empty otherwise.
    submitted
        When it was given to the queue, in seconds of the monotonic clock.
    was_up
        Whether a worker of it was ever present.
    missing_since
        Since when no worker of it is present; None while one is.
    log
        File with all that the job says.
    """

    queue: Queue
    reaper: Reaper | None
    log_folder: Path
    lines: Callable[[Path], list[str]]
    known: "list[QueueJob]"
    name: str
    job_id: str | None
    status: Any
    lock: asyncio.Lock
    job_script: Callable[[], str]
    worker_memory: int
    worker_processes: int

    def __init__(self, scheduler: str, name: str, **options: Any) -> None:
        self.log = self.log_folder / f"{name}.log"
        options["job_script_prologue"] = type(self).lines(self.log)
        super().__init__(scheduler, name, **options)  # type: ignore[call-arg]
        self.refusal = ""
        self.submitted = time.monotonic()
        self.was_up = False
        self.missing_since: float | None = self.submitted

    @property
    def worker_process_threads(self) -> int:
        """Tasks at once in one worker."""
        return 1

    @property
    def worker_process_memory(self) -> str:
        """Memory of one worker."""
        return f"{int(MEMORY_SHARE * self.worker_memory / self.worker_processes)}"

    def __await__(self) -> Generator[Any, Any, "QueueJob"]:
        async def started() -> "QueueJob":
            from distributed.core import Status

            async with self.lock:
                if self.status == Status.created:
                    await self.start()
            return self

        return started().__await__()

    async def start(self) -> None:
        """Write the script beside the log and submit it; a refusal is kept, not raised."""
        from distributed.core import Status

        script = self.log.with_suffix(".sh")
        script.write_text(self.job_script())
        script.chmod(0o700)
        self.submitted = time.monotonic()
        self.known.append(self)
        said, taken = await self._submit(script)
        number = re.search(self.queue.number, said)
        if taken and number:
            self.job_id = number.group(1)
            if self.reaper is not None:
                self.reaper.job(self.queue.cancel, self.job_id)
            self.status = Status.running
        else:
            self.refusal = said.strip() or f"{self.queue.submit} said nothing"
            self.status = Status.failed

    async def _submit(self, script: Path) -> tuple[str, bool]:
        command = self.queue.submit.split()
        if self.queue.stdin:
            return await _call(command, script.read_bytes())
        return await _call([*command, str(script)])

    async def close(self) -> None:
        """Take the job out of the queue; the reaper tries again if the queue does not answer."""
        from distributed.core import Status

        if self.job_id is not None:
            said, done = await _call([*self.queue.cancel.split(), self.job_id])
            if self.reaper is not None and (done or "nvalid job" in said):
                self.reaper.gone(self.queue.cancel, self.job_id)
        self.status = Status.closed

    def said(self) -> str:
        """Return the end of what the job said, as far as it has said anything."""
        try:
            with self.log.open("rb") as stream:
                stream.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                return stream.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def has_ended(self) -> bool:
        """Tell whether the job itself says that it has ended."""
        return ENDED in self.said()


async def _call(command: list[str], stdin: bytes = b"") -> tuple[str, bool]:
    """Run a command of the queue; what it said, and whether it did what it should."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        return f"{command[0]}: {error.strerror}", False
    try:
        said, _ = await asyncio.wait_for(process.communicate(stdin), _ANSWER_S)
    except TimeoutError:
        process.kill()
        return f"{command[0]} did not answer within {_ANSWER_S:.0f} s", False
    return said.decode(errors="replace"), process.returncode == 0


def job_class(
    queue: Queue, reaper: Reaper | None, log_folder: Path, lines: Callable[[Path], list[str]]
) -> Any:
    """Make the class of the jobs of one run.

    Parameters
    ----------
    queue : Queue
        Batch system.
    reaper : Reaper, optional
        Is told of every job.
    log_folder : pathlib.Path
        Where scripts and logs of the jobs lie.
    lines : callable
        From the log of a job to the lines of shell that precede its workers.
    """
    module, name = queue.job
    base = getattr(import_module(module), name)
    values: dict[str, Any] = {
        "queue": queue,
        "reaper": reaper,
        "log_folder": log_folder,
        "lines": staticmethod(lines),
        "known": [],
    }
    return type(f"Queue{name}", (QueueJob, base), values)
