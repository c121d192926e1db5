"""A picture of the stars in two columns: counted in cells, to select in, zoom and click."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from bokeh import plotting
from bokeh.events import RangesUpdate, Reset, SelectionGeometry, Tap
from bokeh.models import BoxSelectTool, ColumnDataSource, LassoSelectTool, Range1d

from pipeline.browse.counts import Cells, Range, middle_range, nearest
from pipeline.browse.layer import Layer, Scale
from pipeline.browse.region import Box, Polygon, drawn_region
from pipeline.browse.selection import Selection
from pipeline.browse.stars import Stars
from pipeline.browse.theme import DRAWN, MARK, Paint, figure_paints
from pipeline.core.colours import BINARY, SINGLE

ALL = Scale(("#c3d3e3", SINGLE, "#14283c"), ("#2a4058", SINGLE, "#dce8f4"))
CHOSEN = Scale(("#f2c3a8", BINARY, "#6e2a0c"), ("#7d3514", BINARY, "#ffe3d2"))

TOOLS = "pan,box_zoom,wheel_zoom,reset"
WAIT_MS = 80
MOST_CELLS = 240
"""Along an axis: then a cell is about two pixels wide."""


def cells_of(n_stars: int) -> tuple[int, int]:
    """Return the number of cells along y and x: the fewer stars, the larger the cells.

    Parameters
    ----------
    n_stars : int
        Number of stars.
    """
    n = min(max(int(1.5 * n_stars**0.5), 70), MOST_CELLS)
    return int(0.8 * n), n


@dataclass(frozen=True)
class Axis:
    """A column on an axis.

    Parameters
    ----------
    column : str
        Column of the stars.
    label : str
        What stands at the axis, with its unit.
    falling : bool
        Values fall from left to right, or upwards.
    """

    column: str
    label: str
    falling: bool = False

    def range(self, shown: Range) -> Range1d:
        """Return the axis' range.

        Parameters
        ----------
        shown : tuple of float
            Lowest and highest value shown.
        """
        return Range1d(*(shown[::-1] if self.falling else shown))


@lru_cache(maxsize=8)
def first_cells(stars: Stars, x: Axis, y: Axis) -> Cells:
    """Return the cells of the picture that is shown at first; counted once for all pages.

    Parameters
    ----------
    stars : Stars
        All stars.
    x, y : Axis
        The picture's axes.
    """
    x_S, y_S = stars.numbers[x.column], stars.numbers[y.column]
    return Cells(x_S, y_S, middle_range(x_S), middle_range(y_S), cells_of(len(stars)))


class Plane:
    """One picture; what is drawn in it becomes a part of the selection.

    Parameters
    ----------
    stars : Stars
        All stars.
    selection : Selection
        What is selected.
    name : str
        Its name in the page, and that of its part of the selection.
    title : str
        What stands above it.
    x, y : Axis
        Its axes.
    size : tuple of int
        Width and height in pixels.
    clicked : callable
        Called with the position of a star that was clicked on.
    """

    def __init__(
        self,
        stars: Stars,
        selection: Selection,
        name: str,
        title: str,
        x: Axis,
        y: Axis,
        size: tuple[int, int],
        clicked: Callable[[int], None],
    ) -> None:
        self._stars, self._selection, self._name = stars, selection, name
        self._x, self._y, self._clicked = x, y, clicked
        cells = first_cells(stars, x, y)
        self.figure = plotting.figure(
            name=name, title=title, width=size[0], height=size[1], tools=TOOLS,
            x_range=x.range(cells.x_range), y_range=y.range(cells.y_range), x_axis_label=x.label,
            y_axis_label=y.label, sizing_mode="stretch_width", toolbar_location="above",
            toolbar_sticky=False,
            output_backend="canvas",
        )  # fmt: skip
        self.figure.toolbar.logo = None
        # They tell what was drawn; what is inside is counted here.
        box = BoxSelectTool(renderers=[])
        self.figure.add_tools(box, LassoSelectTool(renderers=[]))
        self.figure.toolbar.active_drag = box
        self._all = Layer(self.figure, ALL, "all stars per cell")
        self._chosen = Layer(self.figure, CHOSEN, "selected")
        self._outline = ColumnDataSource({"x": [], "y": []})
        self.figure.patch(
            "x", "y", source=self._outline, fill_alpha=0.0, line_color=DRAWN, line_width=1.5
        )
        self._mark = ColumnDataSource({"x": [], "y": []})
        self.figure.scatter(
            "x", "y", source=self._mark, marker="star", size=18, line_width=1.5,
            fill_color=MARK, line_color="black", level="overlay",
        )  # fmt: skip
        self.figure.on_event(SelectionGeometry, self._drawn)
        self.figure.on_event(Tap, self._tapped)
        self.figure.on_event(RangesUpdate, self._zoomed)
        self.figure.on_event(Reset, self._reset)
        self._waits = False
        self._put(cells)
        selection.listen(self.show)
        self.show()

    @property
    def paints(self) -> list[Paint]:
        """Colours of the two schemes."""
        return [*figure_paints(self.figure), *self._all.paints, *self._chosen.paints]

    def show(self) -> None:
        """Draw what is selected now."""
        chosen_C = self._selection.chosen_C
        self._all.fade(behind=chosen_C is not None)
        self._chosen.show(visible=chosen_C is not None)
        if chosen_C is not None:
            cells = self._cells
            self._chosen.draw(cells.counts(chosen_C), cells.x_range, cells.y_range)
        part = self._selection.part(self._name)
        corners = part.corners() if isinstance(part, Box | Polygon) else ([], [])
        self._outline.data = dict(zip("xy", corners, strict=True))

    def mark(self, star: int) -> None:
        """Mark one star.

        Parameters
        ----------
        star : int
            Its position among the stars.
        """
        x_S, y_S = (self._stars.numbers[axis.column] for axis in (self._x, self._y))
        self._mark.data = {"x": x_S[[star]], "y": y_S[[star]]}

    def _shown(self) -> tuple[Range, Range]:
        x, y = self.figure.x_range, self.figure.y_range
        return tuple(sorted((x.start, x.end))), tuple(sorted((y.start, y.end)))

    def _put(self, cells: Cells) -> None:
        self._cells = cells
        self._all.draw(cells.all_YX, cells.x_range, cells.y_range)

    def _drawn(self, event: SelectionGeometry) -> None:
        if event.final:
            region = drawn_region(self._x.column, self._y.column, event.geometry)
            self._selection.put(self._name, region)

    def _tapped(self, event: Tap) -> None:
        x_range, y_range = self._shown()
        numbers = self._stars.numbers
        star = nearest(
            numbers[self._x.column], numbers[self._y.column], (event.x, event.y),
            (x_range[1] - x_range[0], y_range[1] - y_range[0]), self._selection.chosen_C,
        )  # fmt: skip
        if star is not None:
            self._clicked(star)

    def _zoomed(self, _event: RangesUpdate | Reset) -> None:
        document = self.figure.document
        if document is not None and not self._waits:
            # A wheel tells of many ranges in a row: the last one counts.
            self._waits = True
            document.add_timeout_callback(self._recount, WAIT_MS)

    def _recount(self) -> None:
        self._waits = False
        x, y = (self._stars.numbers[axis.column] for axis in (self._x, self._y))
        self._put(Cells(x, y, *self._shown(), cells_of(len(self._stars))))
        self.show()

    def _reset(self, event: Reset) -> None:
        self._selection.put(self._name, None)
        self._zoomed(event)
