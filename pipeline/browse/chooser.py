"""What is selected, in words, with the field for a condition in SQL."""

from html import escape

from bokeh.models import Button, Div, Row, TextInput
from bokeh.models.layouts import Column

from pipeline.browse.region import Condition
from pipeline.browse.selection import Selection
from pipeline.browse.stars import Mask, Stars
from pipeline.browse.theme import WIDGETS
from pipeline.browse.work import Work

NAME = "condition"


class Chooser:
    """The number of selected stars, the selection as SQL, a condition of one's own, and a clear.

    Parameters
    ----------
    stars : Stars
        All stars.
    selection : Selection
        What is selected.
    work : Work
        Where conditions are looked up: a slow one must not hold the other pages.
    """

    def __init__(self, stars: Stars, selection: Selection, work: Work) -> None:
        self._stars, self._selection, self._work = stars, selection, work
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
        if not sql:
            self._selection.put(NAME, None)
            return
        part = Condition(sql)
        self._said.text = f"looking for <code>{escape(sql)}</code>"
        self._work.do(
            lambda: part.mask(self._stars),
            lambda mask_S: self._put(part, mask_S),
            lambda error: self._refuse(part, error),
        )

    def _put(self, part: Condition, mask_S: Mask) -> None:
        if self._asked(part):
            self._selection.put(NAME, part, mask_S)

    def _refuse(self, part: Condition, error: str) -> None:
        if self._asked(part):
            self._said.text = f"<b>not selected:</b> {escape(error)}"

    def _asked(self, part: Condition) -> bool:
        # Another condition may have been written while this one was looked up.
        return bool(self._field.value.strip() == part.sql)

    def _clear(self) -> None:
        self._field.value = ""
        self._selection.clear()
