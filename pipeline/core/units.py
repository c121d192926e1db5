"""The one way to do the units of work of a stage: what is pending, tasks, records, progress."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cluster.partitions import map_partitions_window
from cluster.window import run_window
from pipeline.core.ledger import Done, Ledger
from pipeline.core.progress import track
from pipeline.core.published import withdraw
from pipeline.core.records import Record
from pipeline.core.root import Root
from pipeline.core.sound import require_sound
from pipeline.core.stage import Stage
from pipeline.settings.load import Settings

if TYPE_CHECKING:
    from distributed import Client


class Units:
    """The units of work of one stage of a run.

    What is done stands in the ledger, so that a stage goes on where it was stopped. Before the
    first file is written for other inputs, everything that vouches for the files of the old ones
    is taken back.

    Parameters
    ----------
    stage : Stage
        Which stage.
    settings : Settings
        Of the run.
    root : Root
        Where everything lies.
    client : distributed.Client
        Where to run.
    """

    def __init__(self, stage: Stage, settings: Settings, root: Root, client: "Client") -> None:
        self.stage, self.settings, self.root, self.client = stage, settings, root, client
        self.idle = True
        self._records: dict[str, tuple[str, int]] = {}

    def each(
        self,
        work: Callable[..., Done],
        n_units: int,
        *args: Any,
        digest: str,
        step: str = "",
        of: str = "shards",
        extra: Callable[[int], Any] | None = None,
        folders: Iterable[Path] = (),
    ) -> dict[str, int]:
        """Run ``work(unit, *args)`` once for every unit that is not done, and record each.

        Parameters
        ----------
        work : callable
            Top-level and idempotent; writes its files and returns what it did.
        n_units : int
            Units are numbered from 0.
        *args
            The same for every unit.
        digest : str
            Digest of everything that the output depends on.
        step : str
            Name in ledger and progress; by default the stage's.
        of : str
            What the units are.
        extra : callable, optional
            Gives a further argument for a unit, which follows its number.
        folders : iterable of pathlib.Path
            Folders of tables: files there that belong to no unit are deleted first.

        Returns
        -------
        dict of str to int
            Sum of the counts of all units.
        """

        def start(ledger: Ledger, pending: list[int]) -> Iterator[Record]:
            ledger.drop_strays(n_units, folders)
            items = ((unit, *((extra(unit),) if extra else ())) for unit in pending)
            return self.tasks(_record_item, items, work, ledger, args)

        return self._each(self._ledger(step, digest, n_units), n_units, of, start)

    def each_partition(
        self,
        read: Callable[..., Any],
        work: Callable[..., Done],
        n_units: int,
        *args: Any,
        digest: str,
        of: str = "shards",
        folders: Iterable[Path] = (),
    ) -> dict[str, int]:
        """Run ``work(frame, unit, *args)`` on every partition of a Dask dataframe not yet done.

        Parameters
        ----------
        read : callable
            Top-level; from the number of a unit to its data frame.
        work : callable
            As in :meth:`each`.
        n_units : int
            One partition per unit.
        *args, digest, of
            As in :meth:`each`.
        folders : iterable of pathlib.Path
            As in :meth:`each`.

        Returns
        -------
        dict of str to int
            As of :meth:`each`.
        """

        def start(ledger: Ledger, pending: list[int]) -> Iterator[Record]:
            ledger.drop_strays(n_units, folders)
            record = partial(_record_value, work=work, ledger=ledger, args=args)
            retries = self.settings.cluster.retries
            return map_partitions_window(self.client, read, record, pending, retries=retries)

        return self._each(self._ledger("", digest, n_units), n_units, of, start)

    def once(
        self,
        work: Callable[..., Done],
        *args: Any,
        digest: str,
        step: str = "",
        on_worker: bool = False,
    ) -> Done:
        """Run ``work(*args)`` unless it is done, and record it.

        Parameters
        ----------
        work : callable
            Writes its files and returns what it did.
        *args
            Its arguments.
        digest : str
            Digest of everything that the output depends on.
        step : str
            Name in the ledger; by default the stage's.
        on_worker : bool
            Run it on a worker: what takes much memory is too much for a driver on a login node.

        Returns
        -------
        Done
            Of this run or of an earlier one.
        """
        ledger = self._ledger(step, digest, 1)
        done = ledger.read(0)
        if done is None:
            self._take_back(ledger)
            done = self._on_worker(work, args) if on_worker else work(*args)
            ledger.write(0, done)
        # Also after a run that was killed just before.
        ledger.tidy()
        return done

    def is_pending(self, n_units: int, *, digest: str, step: str = "") -> bool:
        """Tell whether any unit of a step is not done.

        Parameters
        ----------
        n_units : int
            Units are numbered from 0.
        digest : str
            Digest of everything that the output depends on.
        step : str
            Name in the ledger; by default the stage's.
        """
        return bool(self._ledger(step, digest, n_units).pending(n_units))

    def totals(self, n_units: int, *, digest: str, step: str = "") -> dict[str, int]:
        """Return the sum of the counts of all units of a step that are done.

        Parameters
        ----------
        n_units : int
            Units are numbered from 0.
        digest : str
            Digest of everything that the output depends on.
        step : str
            Name in the ledger; by default the stage's.
        """
        return self._ledger(step, digest, n_units).total(n_units)

    def tasks(
        self, function: Callable[..., Any], items: Iterable[Any], *args: Any
    ) -> Iterator[Any]:
        """Run ``function(item, *args)`` for every item on the cluster, without a record.

        Parameters
        ----------
        function : callable
            Top-level and idempotent.
        items : iterable
            One argument per task.
        *args
            Further arguments, the same for every task.

        Yields
        ------
        object
            One result per task, in the order in which they finish.
        """
        retries = self.settings.cluster.retries
        yield from run_window(self.client, function, items, *args, retries=retries)

    def require_sound(self, n_units: int, *, digest: str, step: str = "") -> None:
        """Require that the files of a step are still what was written, before they are read.

        Parameters
        ----------
        n_units : int
            Units are numbered from 0.
        digest : str
            Digest of everything that the output depends on.
        step : str
            Name in the ledger; by default the stage's.

        Raises
        ------
        MismatchError
            A file is missing or damaged; the message names it and the command to run.
        """
        records = {step or self.stage.name: (digest, n_units)}
        require_sound(self.root, records, self.stage.name)

    def _on_worker(self, work: Callable[..., Done], args: tuple[Any, ...]) -> Done:
        (done,) = self.tasks(_call, [args], work)
        return cast("Done", done)

    def _ledger(self, step: str, digest: str, n_units: int) -> Ledger:
        name = step or self.stage.name
        self._records[name] = (digest, n_units)
        return Ledger(self.root.path, name, digest)

    def _each(
        self,
        ledger: Ledger,
        n_units: int,
        of: str,
        start: Callable[[Ledger, list[int]], Iterator[Record]],
    ) -> dict[str, int]:
        """Start what is pending, if anything is, and follow it to its end."""
        pending = ledger.pending(n_units)
        if pending:
            self._take_back(ledger)
            with (
                track(ledger.step, n_units, n_units - len(pending), of) as advance,
                ledger.appended() as records,
            ):
                for record in start(ledger, pending):
                    records.append(record)
                    advance()
        # Also after a run that was killed just before.
        ledger.tidy()
        return ledger.total(n_units)

    def _take_back(self, ledger: Ledger) -> None:
        """Let nothing vouch any more for what is about to be overwritten."""
        self.idle = False
        withdraw(self.root.path, self.stage.makes)
        ledger.tidy()


def _call(args: tuple[Any, ...], work: Callable[..., Done]) -> Done:
    return work(*args)


def _record_item(
    item: Sequence[Any], work: Callable[..., Done], ledger: Ledger, args: tuple[Any, ...]
) -> Record:
    return ledger.record(item[0], work(*item, *args))


def _record_value(
    value: Any, unit: int, work: Callable[..., Done], ledger: Ledger, args: tuple[Any, ...]
) -> Record:
    return ledger.record(unit, work(value, unit, *args))
