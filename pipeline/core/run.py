"""What every stage receives: settings, root, engine, and what it may ask and declare."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.digest import digest_of
from pipeline.core.errors import MismatchError
from pipeline.core.published import (
    NotReadyError,
    Published,
    publish,
    published_path,
    replaced_source,
    require_published,
)
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.sound import require_sound
from pipeline.core.stage import Stage
from pipeline.core.units import Units
from pipeline.settings.load import Settings

if TYPE_CHECKING:
    from distributed import Client


class Run(Units):
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
    """

    def __init__(
        self,
        stage: Stage,
        settings: Settings,
        root: Root,
        client: "Client",
        makers: Mapping[str, str],
    ) -> None:
        super().__init__(stage, settings, root, client)
        self._makers = makers
        self._used: dict[str, str] = {}

    def needs(self, *names: str) -> tuple[Published, ...]:
        """Return datasets that other stages published, by default all that the stage needs.

        Parameters
        ----------
        *names : str
            Datasets.

        Raises
        ------
        NotReadyError
            One has not been made, or was made from what has been replaced since.
        MismatchError
            A file of one is missing or damaged; the message names it and the command to run.
        """
        found = []
        for name in names or self.stage.needs:
            published = require_published(self.root.path, name, self._makers[name])
            self._check_current(name, published)
            if self._used.get(name) != published.digest:
                require_sound(self.root, published.records, self._makers[name])
            self._used[name] = published.digest
            found.append(published)
        return tuple(found)

    def uses(self, name: str) -> Published | None:
        """Return a dataset if it has been made, else None.

        Parameters
        ----------
        name : str
            Dataset that the run may do without.

        Raises
        ------
        NotReadyError
            It was made from what has been replaced since, or its declaration was edited.
        MismatchError
            As :meth:`needs`.
        """
        if not published_path(self.root.path, name).exists():
            return None
        return self.needs(name)[0]

    def require_unchanged(self, name: str) -> None:
        """Require that the files of a dataset, if it has been made, are what was written.

        Unlike :meth:`needs` it allows that the dataset is outdated: a network may be applied to a
        sample that was selected after its training.

        Parameters
        ----------
        name : str
            Dataset.

        Raises
        ------
        NotReadyError
            Its declaration was edited.
        MismatchError
            A file is missing or damaged.
        """
        if published_path(self.root.path, name).exists():
            published = require_published(self.root.path, name, self._makers[name])
            require_sound(self.root, published.records, self._makers[name])

    def digest(self, *parts: Any) -> str:
        """Return the digest of published datasets, settings, strings and numbers.

        Parameters
        ----------
        *parts
            What an output depends on.
        """
        return digest_of(*(p.digest if isinstance(p, Published) else p for p in parts))

    def balance(self, expected: int, found: int, what: str, step: str = "") -> None:
        """Require that rows in are rows out.

        Parameters
        ----------
        expected, found : int
            Rows in, and rows out.
        what : str
            What they are, for the message.
        step : str
            Step whose ledger is to be deleted if they differ; by default the stage's.

        Raises
        ------
        MismatchError
            They differ.
        """
        if expected != found:
            folder = self.root.path / "ledger" / (step or self.stage.name)
            raise MismatchError(
                f"{expected} {what} went in but {found} came out; delete {folder} and run "
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
        """
        steps = (self.stage.name, *self.stage.steps)
        records = {step: self._records[step] for step in steps if step in self._records}
        published = Published(digest, dict(counts), dict(self._used), records)
        publish(self.root.path, self.stage.makes, published)
        return StageReport(
            self.stage.name,
            dict(counts if shown is None else shown),
            tuple(notes),
            tuple(outputs),
            tuple(table),
            self.idle,
        )

    def _check_current(self, name: str, published: Published) -> None:
        """Require that a dataset was made from the datasets that are there now."""
        replaced = replaced_source(self.root.path, name, published)
        if replaced is not None:
            stale, source = replaced
            # An edited declaration is named itself.
            if published_path(self.root.path, source).exists():
                require_published(self.root.path, source, self._makers[source])
            raise NotReadyError(
                f"the {stale} of {self.root.path} was made from another {source} than is there "
                f"now; run `pairspec {self._makers[stale]} --root {self.root.path}` again"
            )
