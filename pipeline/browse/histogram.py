"""The histogram of p_b, of all stars and of the selected ones."""

from functools import lru_cache
from typing import Any

import numpy as np
from bokeh import plotting
from bokeh.events import Reset, SelectionGeometry
from bokeh.models import BoxAnnotation, BoxSelectTool, ColumnDataSource, Range1d
from numpy.typing import NDArray

from pipeline.browse.region import Box
from pipeline.browse.selection import Selection
from pipeline.browse.stars import Chosen, Stars
from pipeline.browse.theme import DRAWN, Paint, figure_paints
from pipeline.core.colours import BINARY, SINGLE

NAME = "p_b"
BINS = 50
FLOOR = 0.7
"""Foot of the bars, below one star, on the logarithmic axis."""


@lru_cache(maxsize=2)
def bins_of(stars: Stars) -> NDArray[np.int16]:
    """Return the bin of each star, ndarray of int16 (S,); one more bin for stars without p_b.

    Parameters
    ----------
    stars : Stars
        All stars; known once for all pages.
    """
    p_b_S = stars.numbers["p_b"]
    bin_S = np.nan_to_num(np.minimum(p_b_S * BINS, BINS - 1), nan=BINS)
    return np.asarray(bin_S, np.int16)


class Histogram:
    """One picture; a range drawn in it becomes a part of the selection.

    Parameters
    ----------
    stars : Stars
        All stars.
    selection : Selection
        What is selected.
    size : tuple of int
        Width and height in pixels.
    """

    def __init__(self, stars: Stars, selection: Selection, size: tuple[int, int]) -> None:
        self._selection = selection
        self._bin_S = bins_of(stars)
        n_all = self._counts(None)
        edges = np.linspace(0, 1, BINS + 1)
        self.figure = plotting.figure(
            name=NAME, title="Binary probability", width=size[0],
            height=size[1], tools="reset", toolbar_location="above",
            toolbar_sticky=False, y_axis_type="log",
            x_range=Range1d(0, 1), y_range=Range1d(FLOOR, 2 * max(n_all.max(), 5)),
            x_axis_label="p_b, the highest of the star's spectra", sizing_mode="stretch_width",
            y_axis_label="stars per bin of 0.02",
        )  # fmt: skip
        self.figure.toolbar.logo = None
        box = BoxSelectTool(dimensions="width", renderers=[])
        self.figure.add_tools(box)
        self.figure.toolbar.active_drag = box
        place: dict[str, Any] = {"left": edges[:-1], "right": edges[1:], "bottom": FLOOR}
        self._all = self.figure.quad(
            **place, top=np.maximum(n_all, FLOOR), color=SINGLE, line_color=None,
            legend_label="all stars",
        )  # fmt: skip
        foot = np.full(BINS, FLOOR)
        self._source = ColumnDataSource({**place, "bottom": foot, "top": foot})
        self._chosen = self.figure.quad(
            "left", "right", "top", "bottom", source=self._source, color=BINARY, line_color=None,
            legend_label="selected",
        )  # fmt: skip
        (legend,) = self.figure.legend
        legend.update(orientation="horizontal", padding=0, margin=2, border_line_color=None)
        # Above the picture, where no bar is.
        self.figure.add_layout(legend, "above")
        self._span = BoxAnnotation(
            fill_alpha=0.0, line_color=DRAWN, line_width=1.5, visible=False, editable=False
        )
        self.figure.add_layout(self._span)
        self.figure.on_event(SelectionGeometry, self._drawn)
        self.figure.on_event(Reset, lambda _: selection.put(NAME, None))
        selection.listen(self.show)
        self.show()

    @property
    def paints(self) -> list[Paint]:
        """Colours of the two schemes."""
        return figure_paints(self.figure)

    def show(self) -> None:
        """Draw what is selected now."""
        chosen_C = self._selection.chosen_C
        self._chosen.visible = chosen_C is not None
        if chosen_C is not None:
            top = np.maximum(self._counts(chosen_C), FLOOR)
            self._source.data = dict(self._source.data) | {"top": top}
        part = self._selection.part(NAME)
        self._span.visible = isinstance(part, Box)
        if isinstance(part, Box):
            ((_, self._span.left, self._span.right),) = part.ranges

    def _counts(self, chosen_C: Chosen | None) -> NDArray[np.float64]:
        bins = self._bin_S if chosen_C is None else self._bin_S.take(chosen_C)
        return np.bincount(bins, minlength=BINS + 1)[:BINS].astype(float)

    def _drawn(self, event: SelectionGeometry) -> None:
        if event.final:
            sides = event.geometry["x0"], event.geometry["x1"]
            self._selection.put(NAME, Box.between(p_b=sides))
