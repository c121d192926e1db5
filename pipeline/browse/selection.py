"""What is selected: the parts that pictures and conditions give, joined."""

from collections.abc import Callable

import numpy as np

from pipeline.browse.region import Part
from pipeline.browse.stars import Chosen, Mask, Stars


class Selection:
    """Stars that lie within every part; a part is known by the view that gave it.

    Parameters
    ----------
    stars : Stars
        All stars.
    """

    def __init__(self, stars: Stars) -> None:
        self._stars = stars
        self._parts: dict[str, tuple[Part, Mask]] = {}
        self._listeners: list[Callable[[], None]] = []
        self.chosen_C: Chosen | None = None
        """Positions of the selected stars, (C,), rising; None if nothing is selected."""

    def listen(self, listener: Callable[[], None]) -> None:
        """Call a function after every change.

        Parameters
        ----------
        listener : callable
            Takes nothing.
        """
        self._listeners.append(listener)

    def put(self, view: str, part: Part | None, mask_S: Mask | None = None) -> None:
        """Put the part of a view in place of its last one.

        Parameters
        ----------
        view : str
            Who gives it.
        part : Part, optional
            None: the view no longer selects.
        mask_S : ndarray of bool, (S,), optional
            Stars within the part where that is known already, as from a slow condition.

        Raises
        ------
        InputError
            A condition is not valid; the selection stays as it was.
        """
        if part is None:
            self._parts.pop(view, None)
        else:
            self._parts[view] = (part, part.mask(self._stars) if mask_S is None else mask_S)
        self._join()

    def clear(self) -> None:
        """Select nothing."""
        self._parts.clear()
        self._join()

    def part(self, view: str) -> Part | None:
        """Return the part of a view, None where it has none.

        Parameters
        ----------
        view : str
            Which view.
        """
        return self._parts[view][0] if view in self._parts else None

    @property
    def condition(self) -> str:
        """The selection as a condition in SQL; empty if nothing is selected."""
        sqls = [part.sql for part, _ in self._parts.values()]
        # A comment at the end of a condition must not swallow the bracket.
        joined = (f"({sql}\n)" if "--" in sql else f"({sql})" for sql in sqls)
        return sqls[0] if len(sqls) == 1 else " AND ".join(joined)

    @property
    def n_selected(self) -> int:
        """Number of selected stars; all of them if nothing is selected."""
        return len(self._stars) if self.chosen_C is None else self.chosen_C.size

    def _join(self) -> None:
        masks = [mask for _, mask in self._parts.values()]
        self.chosen_C = np.flatnonzero(np.logical_and.reduce(masks)) if masks else None
        for listener in self._listeners:
            listener()
