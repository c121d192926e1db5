"""What a stage may ask before it does anything: settings, and datasets of earlier stages."""

from collections.abc import Mapping
from typing import Any

from pipeline.core.digest import digest_of
from pipeline.core.published import (
    NotReadyError,
    Published,
    read_published,
    replaced_source,
    require_published,
)
from pipeline.core.root import Root
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
    """

    def __init__(
        self, stage: Stage, settings: Settings, root: Root, makers: Mapping[str, str]
    ) -> None:
        self.stage, self.settings, self.root = stage, settings, root
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
        """
        found = []
        for name in names or self.stage.needs:
            published = require_published(self.root.path, name, self._makers[name])
            self._check_current(name, published)
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
            It was made from what has been replaced since.
        """
        if read_published(self.root.path, name) is None:
            return None
        return self.needs(name)[0]

    def digest(self, *parts: Any) -> str:
        """Return the digest of published datasets, settings, strings and numbers.

        Parameters
        ----------
        *parts
            What an output depends on.
        """
        return digest_of(*(p.digest if isinstance(p, Published) else p for p in parts))

    def _check_current(self, name: str, published: Published) -> None:
        """Require that a dataset was made from the datasets that are there now."""
        replaced = replaced_source(self.root.path, name, published)
        if replaced is not None:
            stale, source = replaced
            raise NotReadyError(
                f"the {stale} of {self.root.path} was made from another {source} than is there "
                f"now; run `pairspec {self._makers[stale]} --root {self.root.path}` again"
            )
