"""The one downloader: bounded, paced, patient, and able to go on after a kill."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from pipeline.acquire.connection import Connection
from pipeline.acquire.journal import Journal, Outcome, Status
from pipeline.acquire.pace import Pace
from pipeline.acquire.plan import Plan
from pipeline.acquire.reasons import FetchError, Reason, is_final, is_of_server, is_retried
from pipeline.acquire.secret import HideInLogs, Secret
from pipeline.acquire.transfer import Kind, Transfer, Wanted, require_whole
from pipeline.core.damage import file_size, sha256_of
from pipeline.core.errors import MismatchError
from pipeline.core.progress import track
from pipeline.settings.acquire import AcquireSettings


class Fetcher(Protocol):
    """Brings one file to its place."""

    def fetch(self, wanted: Wanted, kind: Kind) -> tuple[int, str]:
        """Fetch a file; return its size and its SHA-256, or raise `FetchError`."""


class Sink(Protocol):
    """Takes over files as they come, batch by batch, and may delete them."""

    def has(self, batch: int, row: int) -> bool:
        """Whether a file was taken over by this run or an earlier one."""

    def take(self, plan: Plan, batch: int) -> None:
        """Take over the files of a batch, all of which have an outcome."""


class ServerError(RuntimeError):
    """The server or the token lets nothing through; what is done stays done."""


@dataclass
class Summary:
    """What became of all files of a list.

    Parameters
    ----------
    counts : dict of str to int
        Files by status.
    reasons : dict of str to int
        Files that are not there by reason.
    details : dict of str to str
        What was found of the first file of each reason.
    n_bytes : int
        Size of all files that are there.
    """

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    reasons: dict[str, int] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    n_bytes: int = 0

    @property
    def n_missing(self) -> int:
        """Files that are not there."""
        return self.counts[Status.REFUSED] + self.counts[Status.FAILED]

    def add(self, outcome: Outcome) -> None:
        """Count one file."""
        self.counts[outcome.status] += 1
        self.n_bytes += outcome.n_bytes
        if outcome.reason:
            self.reasons[outcome.reason] = self.reasons.get(outcome.reason, 0) + 1
            self.details.setdefault(outcome.reason, outcome.detail)


class Downloader:
    """Fetches lists of files.

    Parameters
    ----------
    settings : AcquireSettings
        Rate, patience, attempts.
    secret : Secret
        Token for private files.
    again : bool
        Ask once more for files that were refused by an earlier run.
    """

    def __init__(
        self, settings: AcquireSettings, secret: Secret | None = None, *, again: bool = False
    ) -> None:
        secret = secret or Secret()
        HideInLogs(secret).install()
        self._settings, self._again = settings, again
        self._pace = Pace(settings.rate_per_s)
        self.connection = Connection(settings, secret, self._pace)
        self.transfer: Fetcher = Transfer(self.connection, settings)
        self._in_succession = 0

    def run(self, plan: Plan, kind: Kind, sink: Sink | None = None) -> Summary:
        """Fetch all files of a list that are not there yet.

        Parameters
        ----------
        plan : Plan
            The list.
        kind : Kind
            How its files are checked.
        sink : Sink, optional
            Takes over the files.

        Raises
        ------
        ServerError
            The server lets nothing through, or asks for a long wait.
        MismatchError
            A file of the list has no outcome.
        """
        todo = self.pending(plan, sink)
        pool = ThreadPoolExecutor(self._settings.parallel, thread_name_prefix="acquire")
        try:
            with track(kind.name, plan.n_files, plan.n_files - todo, "files") as advance:
                for batch in range(plan.n_batches if todo or sink else 0):
                    rows = self._pending(plan, batch, sink)
                    self._batch(pool, plan.journal(batch), rows, kind, advance)
                    if sink is not None:
                        sink.take(plan, batch)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        summary = summarise(plan)
        if sum(summary.counts.values()) != plan.n_files:
            raise MismatchError(
                f"{plan.n_files} files were asked for, {sum(summary.counts.values())} have an "
                f"outcome in {plan.folder}; run the same command again"
            )
        plan.write_results()
        return summary

    def pending(self, plan: Plan, sink: Sink | None = None) -> int:
        """Return how many files of a list are to be asked for."""
        return sum(len(self._pending(plan, batch, sink)) for batch in range(plan.n_batches))

    def _pending(self, plan: Plan, batch: int, sink: Sink | None) -> list[tuple[int, Wanted]]:
        known = plan.journal(batch).read()
        return [
            (row, wanted)
            for row, wanted in enumerate(plan.wanted(batch))
            if not (sink is not None and sink.has(batch, row))
            and not self._is_done(wanted, known.get(row))
        ]

    def _is_done(self, wanted: Wanted, outcome: Outcome | None) -> bool:
        if outcome is None or outcome.status is Status.FAILED:
            return False
        if outcome.status is Status.REFUSED:
            return not self._again
        return file_size(wanted.path) == outcome.n_bytes

    def _batch(
        self,
        pool: ThreadPoolExecutor,
        journal: Journal,
        rows: list[tuple[int, Wanted]],
        kind: Kind,
        advance: Callable[[], None],
    ) -> None:
        most = 2 * self._settings.parallel
        with journal:
            for outcome in _window(pool, lambda item: self._one(*item, kind), iter(rows), most):
                journal.append(outcome)
                advance()
                self._watch(outcome)

    def _one(self, row: int, wanted: Wanted, kind: Kind) -> Outcome:
        """Fetch one file as often as it takes."""
        there = _present(row, wanted, kind)
        if there is not None:
            return there
        retrying = Retrying(
            stop=stop_after_attempt(self._settings.attempts),
            wait=self._wait_s,
            retry=retry_if_exception(lambda e: isinstance(e, FetchError) and is_retried(e.reason)),
            reraise=True,
        )
        try:
            n_bytes, sha256 = retrying(self.transfer.fetch, wanted, kind)
        except FetchError as error:
            status = Status.REFUSED if is_final(error.reason) else Status.FAILED
            attempts = int(retrying.statistics["attempt_number"])
            return Outcome(row, status, 0, "", error.reason.value, error.detail, attempts)
        attempts = int(retrying.statistics["attempt_number"])
        return Outcome(row, Status.FETCHED, n_bytes, sha256, attempts=attempts)

    def _wait_s(self, state: RetryCallState) -> float:
        """Return the wait before the next attempt: what the server asks for, else ever longer."""
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.retry_after_s if isinstance(error, FetchError) else None
        if asked_s is not None:
            if asked_s > self._settings.retry_after_max_s:
                raise ServerError(
                    f"the server asks to wait {asked_s / 60:.0f} minutes; run the same command "
                    "again after that, it goes on"
                )
            self._pace.pause(asked_s)
            return 0.0
        first_s = self._settings.backoff_s
        longer = wait_exponential(first_s, self._settings.backoff_max_s) + wait_random(0, first_s)
        return longer(state)

    def _watch(self, outcome: Outcome) -> None:
        """End the run where one file after the other fails by the fault of the server."""
        if not outcome.reason or not is_of_server(Reason(outcome.reason)):
            self._in_succession = 0
            return
        self._in_succession += 1
        if self._in_succession >= self._settings.give_up_after:
            raise ServerError(
                f"{self._in_succession} files in succession could not be had, the last one for "
                f"{outcome.reason} ({outcome.detail}); check the token (LAMOST_TOKEN), the release "
                "and the network, then run the same command again: it goes on, with --again also "
                "for the files that were refused"
            )


def summarise(plan: Plan) -> Summary:
    """Return what became of the files of a list so far."""
    summary = Summary()
    for _, outcome in plan.outcomes():
        if outcome is not None:
            summary.add(outcome)
    return summary


def _present(row: int, wanted: Wanted, kind: Kind) -> Outcome | None:
    """Return the outcome of a file that is there and sound, if it is."""
    if not wanted.path.is_file():
        return None
    try:
        require_whole(wanted.path, wanted.key, kind)
    except FetchError:
        return None
    return Outcome(row, Status.PRESENT, file_size(wanted.path), sha256_of(wanted.path))


def _window(
    pool: ThreadPoolExecutor,
    work: Callable[[tuple[int, Wanted]], Outcome],
    items: Iterator[tuple[int, Wanted]],
    most: int,
) -> Iterator[Outcome]:
    """Yield results as they come, with a bounded number of tasks in the pool."""
    running: set[Future[Outcome]] = set()
    for item in items:
        running.add(pool.submit(work, item))
        if len(running) >= most:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)
