"""The table of the selected stars."""

from collections.abc import Callable, Sequence
from typing import Any

from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    DataTable,
    NumberFormatter,
    StringFormatter,
    TableColumn,
)

from pipeline.browse.selection import Selection
from pipeline.browse.stars import Stars, best_rows
from pipeline.browse.theme import TABLE

MOST_ROWS = 500

COLUMNS = (
    ("star_id", "star_id", ""), ("p_b", "p_b", "0.000"), ("p_b_combined", "p_b combined", "0.000"),
    ("n_spectra", "spectra", "0"), ("snr_g_best", "best S/N in g", "0.0"),
    ("ra_deg", "RA (deg)", "0.000000"), ("dec_deg", "Dec (deg)", "0.000000"),
    ("g_ks_0", "(G-Ks)0 (mag)", "0.000"), ("m_g", "M_G (mag)", "0.000"),
    ("delta_m_g", "M_G - ridge (mag)", "0.000"),
)  # fmt: skip
"""Column, title and form of each number."""


class StarTable:
    """The selected stars of highest p_b; a click on a row chooses the star.

    Parameters
    ----------
    stars : Stars
        All stars.
    selection : Selection
        What is selected.
    clicked : callable
        Called with the position of a star that was clicked on.
    """

    def __init__(self, stars: Stars, selection: Selection, clicked: Callable[[int], None]) -> None:
        self._stars, self._selection, self._clicked = stars, selection, clicked
        self._rows: list[int] = []
        self._source = ColumnDataSource()
        self.widget = DataTable(
            source=self._source, columns=[_column(*one) for one in COLUMNS], height=330,
            sizing_mode="stretch_width", stylesheets=[TABLE], index_position=None,
            reorderable=False, name="table",
        )  # fmt: skip
        redraw_with_data(self.widget)
        self._source.selected.on_change("indices", self._chosen)
        selection.listen(self.show)
        self.show()

    def show(self) -> None:
        """Fill the table with what is selected now."""
        rows = best_rows(self._stars, self._selection.chosen_C, MOST_ROWS)
        self._rows = rows.tolist()
        names = self._stars.star_id_S.take(rows).to_pylist()
        data: dict[str, Any] = {name: values[rows] for name, values in self._stars.numbers.items()}
        self._source.selected.indices = []
        self._source.data = {"star_id": names} | data

    def _chosen(self, _name: str, _old: Sequence[int], new: Sequence[int]) -> None:
        if new:
            self._clicked(self._rows[new[0]])


def _column(name: str, title: str, form: str) -> TableColumn:
    formatter = NumberFormatter(format=form, nan_format="-") if form else StringFormatter()
    return TableColumn(field=name, title=title, formatter=formatter, width=170 if not form else 95)


def redraw_with_data(table: DataTable) -> None:
    """Let a table follow its data: Bokeh 3.9 draws it anew only for another number of rows.

    Parameters
    ----------
    table : bokeh.models.DataTable
        The table.
    """
    again = CustomJS(args={"view": table.view}, code="view.change.emit()")
    table.source.js_on_change("data", again)
