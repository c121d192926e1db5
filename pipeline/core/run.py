"""What every stage receives: settings, root, engine, and what it may declare."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.datasets import Datasets
from pipeline.core.errors import MismatchError
from pipeline.core.published import Published, publish
from pipeline.core.records import records_path
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.stage import Stage
from pipeline.core.units import Units
from pipeline.settings.changed import changed_settings
from pipeline.settings.load import Settings

if TYPE_CHECKING:
    from distributed import Client


class Run(Datasets, Units):
    """One stage of a run at work.

    A stage asks what it *needs*, does its units of work by *each*, *each_partition* or *once*, and
    *publishes* what it made.

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
    makers : mapping of str to str
        Stage that makes each dataset.
    sound : mapping of str to str, optional
        As of `Datasets`.
    """

    def __init__(
        self,
        stage: Stage,
        settings: Settings,
        root: Root,
        client: "Client",
        makers: Mapping[str, str],
        sound: Mapping[str, str] | None = None,
    ) -> None:
        Datasets.__init__(self, stage, settings, root, makers, sound)
        Units.__init__(self, stage, settings, root, client)

    def balance(self, expected: int, found: int, what: str, step: str = "") -> None:
        """Require that rows in are rows out.

        Parameters
        ----------
        expected, found : int
            Rows in, and rows out.
        what : str
            What they are, for the message.
        step : str
            Step whose records are to be deleted if they differ; by default the stage's.

        Raises
        ------
        MismatchError
            They differ.
        """
        if expected != found:
            records = records_path(self.root.path, step or self.stage.name)
            raise MismatchError(
                f"{expected} {what} went in but {found} came out; delete {records} and run "
                f"`pairspec {self.stage.name}` again"
            )

    def publish(
        self,
        digest: str,
        counts: Mapping[str, int],
        *,
        shown: Mapping[str, int] | None = None,
        notes: Iterable[str] = (),
        outputs: Iterable[Path] = (),
        table: Iterable[str] = (),
        remembered: Iterable[str] = (),
    ) -> StageReport:
        """Declare the output complete, and report.

        Parameters
        ----------
        digest : str
            Digest of everything that it depends on.
        counts : mapping of str to int
            What later stages may ask of it.
        shown : mapping of str to int, optional
            What is printed; by default the counts.
        notes, outputs, table
            As in :class:`~pipeline.core.report.StageReport`.
        remembered : iterable of str
            Settings that later stages ask for.
        """
        steps = (self.stage.name, *self.stage.steps)
        records = {step: self._records[step] for step in steps if step in self._records}
        published = Published(
            digest,
            dict(counts),
            dict(self._used),
            records,
            dict(self._used_as_is),
            changed_settings(self.settings),
        )
        publish(self.root.path, self.stage.makes, published, remembered)
        return StageReport(
            self.stage.name,
            dict(counts if shown is None else shown),
            tuple(notes),
            tuple(outputs),
            tuple(table),
            self.idle,
        )
