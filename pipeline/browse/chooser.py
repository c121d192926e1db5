"""What is selected, in words, with the field for a condition in SQL."""

from html import escape

from bokeh.models import Button, Div, Row, TextInput
from bokeh.models.layouts import Column

from pipeline.browse.region import Condition
from pipeline.browse.selection import Selection
from pipeline.browse.stars import Stars
from pipeline.browse.theme import WIDGETS
from pipeline.core.errors import InputError

NAME = "condition"


class Chooser:
    """The number of selected stars, the selection as SQL, a condition of one's own, and a clear.

    Parameters
    ----------
    stars : Stars
        All stars.
    selection : Selection
        What is selected.
    """

    def __init__(self, stars: Stars, selection: Selection) -> None:
        self._stars, self._selection = stars, selection
        self._field = TextInput(
            title="Select by a condition in SQL on the columns of `stars`, then Enter",
            placeholder="p_b > 0.9 AND n_spectra > 1", sizing_mode="stretch_width",
            stylesheets=[WIDGETS],
        )  # fmt: skip
        self._field.on_change("value", lambda _name, _old, new: self._ask(new))
        clear = Button(label="Select nothing", width=120, align="end", stylesheets=[WIDGETS])
        clear.on_click(self._clear)
        self._said = Div(
            text="", sizing_mode="stretch_width", stylesheets=[WIDGETS],
            # As high with a selection as without, so that the pictures stay where they are.
            styles={"height": "3.2em", "overflow-y": "auto"},
        )  # fmt: skip
        row = Row(children=[self._field, clear], sizing_mode="stretch_width")
        self.widget = Column(children=[row, self._said], sizing_mode="stretch_width")
        selection.listen(self.show)
        self.show()

    def show(self) -> None:
        """Say what is selected now."""
        condition = self._selection.condition
        n_all = f"{len(self._stars):,}"
        if condition:
            text = f"<b>{self._selection.n_selected:,}</b> of {n_all} stars: "
            self._said.text = f"{text}<code>{escape(condition)}</code>"
        else:
            self._said.text = f"<b>{n_all}</b> stars; draw a box or a lasso in a picture to select"

    def _ask(self, text: str) -> None:
        sql = text.strip()
        try:
            self._selection.put(NAME, Condition(sql) if sql else None)
        except InputError as error:
            self._said.text = f"<b>not selected:</b> {escape(str(error))}"

    def _clear(self) -> None:
        self._field.value = ""
        self._selection.clear()
