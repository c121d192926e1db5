"""Progress of a stage: a bar on a terminal, plain lines in a log file."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.core.pace import paced

_LINE_EVERY_S = 10.0


@contextmanager
def track(name: str, total: int, done: int = 0, unit: str = "") -> Iterator[Callable[[], None]]:
    """Show how far a stage is.

    Parameters
    ----------
    name : str
        What is running.
    total : int
        Units of work.
    done : int
        Units that an earlier run finished.
    unit : str
        What is counted.

    Yields
    ------
    callable
        To be called once for every further unit.
    """
    shown = _bar if sys.stderr.isatty() else _lines
    with paced(name, total, done, unit) as keep, shown(name, total, done, unit) as show:

        def advance() -> None:
            show()
            keep()

        yield advance


@contextmanager
def _bar(name: str, total: int, done: int, unit: str) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=total, completed=done)
        yield lambda: progress.advance(task)


@contextmanager
def _lines(name: str, total: int, done: int, unit: str) -> Iterator[Callable[[], None]]:
    count, last = done, time.monotonic()

    def show() -> None:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {name}: {count}/{total} {unit}\n")
        sys.stderr.flush()

    def advance() -> None:
        nonlocal count, last
        count += 1
        if count == total or time.monotonic() - last > _LINE_EVERY_S:
            last = time.monotonic()
            show()

    show()
    yield advance
