"""One file that is looked at, and what is said of it if it is damaged."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.damage import Damage


@dataclass(frozen=True)
class Check:
    """One file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    stage : str
        Stage that makes it.
    look : callable
        Gives what is wrong with it, or None.
    interim : bool
        Nothing but the making of a dataset needs the file: it may be missing.
    """

    path: Path
    stage: str
    look: Callable[[], Damage | None]
    interim: bool = False

    def line(self, root: Path) -> str | None:
        """Look at the file; return what is wrong, where, and how it is made again.

        Parameters
        ----------
        root : pathlib.Path
            Root of the run.
        """
        damage = self.look()
        if damage is None or (self.interim and damage.missing):
            return None
        command = f"pairspec {self.stage} --root {root}"
        if self.interim:
            return (
                f"{damage.path} {damage.what}; delete it, `{command}` makes it again where it is "
                "needed"
            )
        return damage.line(command)
