"""How far a stage is and how fast it goes: a small file that any process may read."""

import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.core.atomic import write_json

FOLDER = "logs/progress"
RECORDS = "logs/stages"
_EVERY_S = 5.0


@dataclass(frozen=True)
class Pace:
    """Progress of one step of a stage.

    Parameters
    ----------
    stage, step : str
        Which step of which stage.
    of : str
        What the units are.
    total, begun, done : int
        Units in all, those done before this run, and those done now.
    start_unix, now_unix : float
        When this run began the step, and when the file was written.
    workers : int
        Workers when the file was written.
    memory_bytes : int
        Most memory that a worker was seen to hold.
    """

    stage: str
    step: str
    of: str
    total: int
    begun: int
    done: int
    start_unix: float
    now_unix: float
    workers: int
    memory_bytes: int = 0

    @property
    def rate(self) -> float:
        """Units per second in this run; 0 before the first one."""
        elapsed = self.now_unix - self.start_unix
        return (self.done - self.begun) / elapsed if elapsed > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds left at this rate; None before the first unit."""
        return (self.total - self.done) / self.rate if self.rate else None

    @property
    def unit_s(self) -> float | None:
        """Seconds that a worker needs for a unit; None before the first unit."""
        at_once = 1 if self.of == "epochs" else min(self.workers, self.total - self.begun)
        return at_once / self.rate if self.rate else None


@dataclass(frozen=True)
class _Keeper:
    folder: Path
    stage: str
    look: Callable[[], tuple[int, int]]


_KEEPER: ContextVar[_Keeper | None] = ContextVar("keeper", default=None)


@contextmanager
def pace_kept(root: Path, stage: str, look: Callable[[], tuple[int, int]]) -> Iterator[None]:
    """Let everything whose progress is shown meanwhile also leave its pace below a root.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    stage : str
        Stage at work.
    look : callable
        Returns how many workers there are, and the most bytes of memory that one of them holds.
    """
    token = _KEEPER.set(_Keeper(root / FOLDER, stage, look))
    try:
        yield
    finally:
        _KEEPER.reset(token)


@contextmanager
def paced(step: str, total: int, done: int, of: str) -> Iterator[Callable[[], None]]:
    """Keep the pace of one step, if it is to be kept.

    Parameters
    ----------
    step : str
        What is running.
    total : int
        Units of work.
    done : int
        Units that an earlier run finished.
    of : str
        What the units are.

    Yields
    ------
    callable
        To be called once for every further unit.
    """
    keeper = _KEEPER.get()
    if keeper is None:
        yield lambda: None
        return
    start, count, last, most = time.time(), done, 0.0, 0

    def write() -> None:
        nonlocal last, most
        last = time.time()
        workers, held = keeper.look()
        most = max(most, held)
        pace = Pace(keeper.stage, step, of, total, done, count, start, last, workers, most)
        write_json(keeper.folder / f"{step}.json", asdict(pace))

    def advance() -> None:
        nonlocal count
        count += 1
        if count == total or time.time() - last > _EVERY_S:
            write()

    write()
    yield advance


def leave_record(root: Path, stage: str, seconds: float) -> None:
    """Keep what a stage took in all: time, processor time, and the driver's peak of memory.

    The processor time is that of this process and of its workers on this machine that have ended.
    `scripts/size_run.py` reads it.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    stage : str
        Name of the stage.
    seconds : float
        From its start to its end.
    """
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    content = {
        "seconds": seconds,
        "cpu_seconds": sum(u.ru_utime + u.ru_stime for u in (own, children)),
        "memory_bytes": own.ru_maxrss * 1024,
    }
    write_json(root / RECORDS / f"{stage}.json", content)


def read_paces(root: Path) -> list[Pace]:
    """Return the pace of every step, the latest first.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    """
    paces = []
    for path in (root / FOLDER).glob("*.json"):
        try:
            paces.append(Pace(**json.loads(path.read_bytes())))
        except (OSError, ValueError, TypeError):
            continue  # Just replaced, or of another version.
    return sorted(paces, key=lambda pace: -pace.now_unix)
