"""What a stage may ask before it does anything: settings, and datasets of earlier stages."""

from collections.abc import Mapping
from typing import Any

from pipeline.core.digest import digest_of
from pipeline.core.published import (
    NotReadyError,
    Published,
    published_path,
    replaced_source,
    require_published,
)
from pipeline.core.root import Root
from pipeline.core.sound import require_sound
from pipeline.core.stage import Stage
from pipeline.settings.load import Settings


class Datasets:
    """Settings of a run, and the datasets below its root; needs no cluster and writes nothing.

    Parameters
    ----------
    stage : Stage
        Which stage asks.
    settings : Settings
        Of the run.
    root : Root
        Where everything lies.
    makers : mapping of str to str
        Stage that makes each dataset.
    sound : dict of str to str, optional
        Digests of the datasets whose files have been compared with their records already.

    Attributes
    ----------
    makers
        Stage that makes each dataset, in the order of the stages.
    sound
        The same, grown by those that were asked for: files are compared once, not at each question.
    """

    def __init__(
        self,
        stage: Stage,
        settings: Settings,
        root: Root,
        makers: Mapping[str, str],
        sound: Mapping[str, str] | None = None,
    ) -> None:
        self.stage, self.settings, self.root = stage, settings, root
        self.sound = dict(sound or {})
        self.makers = makers
        self._used: dict[str, str] = {}
        self._used_as_is: dict[str, str] = {}

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
            published = require_published(self.root.path, name, self.makers[name])
            self._check_current(name, published)
            self._require_sound(name, published)
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

    def uses_as_is(self, name: str) -> None:
        """Use a dataset, if it has been made, whose files must be what was written.

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
            published = require_published(self.root.path, name, self.makers[name])
            self._require_sound(name, published)
            self._used_as_is[name] = published.digest

    def digest(self, *parts: Any) -> str:
        """Return the digest of published datasets, settings, strings and numbers.

        Parameters
        ----------
        *parts
            What an output depends on.
        """
        return digest_of(*(p.digest if isinstance(p, Published) else p for p in parts))

    def _require_sound(self, name: str, published: Published) -> None:
        """Compare the files of a dataset with their records, unless that has been done."""
        if self.sound.get(name) != published.digest:
            require_sound(self.root, published.records, self.makers[name])
            self.sound[name] = published.digest

    def _check_current(self, name: str, published: Published) -> None:
        """Require that a dataset was made from the datasets that are there now."""
        replaced = replaced_source(self.root.path, name, published)
        if replaced is not None:
            stale, source = replaced
            # An edited declaration is named itself.
            if published_path(self.root.path, source).exists():
                require_published(self.root.path, source, self.makers[source])
            raise NotReadyError(
                f"outdated in {self.root.path}: {stale}, since the dataset {source} was made anew; "
                f"run `pairspec {self.makers[stale]} --root {self.root.path}` again, with the same "
                "options"
            )
