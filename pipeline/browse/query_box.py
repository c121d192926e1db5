"""The SQL box: a query that only reads, and the first rows of its answer."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from bokeh.models import Button, ColumnDataSource, DataTable, Div, Row, TableColumn, TextAreaInput
from bokeh.models.layouts import Column

from pipeline.browse.table import redraw_with_data
from pipeline.browse.theme import TABLE, WIDGETS
from pipeline.browse.work import LONGEST_S, Work
from pipeline.catalogue.complaint import complain
from pipeline.catalogue.query import connect
from pipeline.core.words import counted

MOST_ROWS = 1000
EXAMPLE = """SELECT round(feh, 1) AS feh, count(*) AS stars, avg((p_b > 0.5)::INT) AS share
FROM stars WHERE p_b IS NOT NULL GROUP BY 1 ORDER BY 1"""


@dataclass(frozen=True)
class Answer:
    """The first rows of the answer to a query.

    Parameters
    ----------
    columns : dict of str to list of str
        Each column as text, so that numbers keep every digit.
    more : bool
        There are more rows than these.
    """

    columns: dict[str, list[str]]
    more: bool

    def __str__(self) -> str:
        n = len(next(iter(self.columns.values()), []))
        return f"the first {n:,} rows" if self.more else counted(n, "rows")


def answer(root: Path, sql: str, limit_s: float = LONGEST_S) -> Answer:
    """Answer a query by the way of `pairspec query`: it reads the tables of the run, no more.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    sql : str
        One statement that reads.
    limit_s : float
        It is stopped after so many seconds.

    Raises
    ------
    InputError
        As of `pipeline.catalogue.query.Tables.sql`.
    """
    with connect(root, limit_s=limit_s) as tables, complain(root):
        found = tables.sql(sql).limit(MOST_ROWS + 1).to_arrow_table()
    shown = found.slice(0, MOST_ROWS)
    columns = zip(shown.column_names, shown.columns, strict=True)
    texts = {name: [_text(value) for value in column.to_pylist()] for name, column in columns}
    return Answer(texts, found.num_rows > MOST_ROWS)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.7g}" if isinstance(value, float) else str(value)


class QueryBox:
    """A field for a query, and a table with its answer.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    work : Work
        Where queries are answered.
    """

    def __init__(self, root: Path, work: Work) -> None:
        self._root, self._work = root, work
        self._field = TextAreaInput(
            value=EXAMPLE, rows=4, title="SQL (DuckDB) on the tables of the run; only read",
            sizing_mode="stretch_width", max_length=None, stylesheets=[WIDGETS],
        )  # fmt: skip
        button = Button(label="Run query", button_type="primary", width=110, stylesheets=[WIDGETS])
        button.on_click(self._run)
        self._said = Div(text="", sizing_mode="stretch_width", stylesheets=[WIDGETS])
        self._table = DataTable(
            source=ColumnDataSource(), columns=[], height=230, sizing_mode="stretch_width",
            stylesheets=[TABLE], index_position=None, reorderable=False,
        )  # fmt: skip
        redraw_with_data(self._table)
        head = Row(children=[button, self._said], sizing_mode="stretch_width")
        self.widget = Column(
            children=[self._field, head, self._table], sizing_mode="stretch_width", name="query"
        )

    def _run(self) -> None:
        sql = self._field.value
        self._say("running")
        self._work.do(lambda: answer(self._root, sql), self._show, self._say)

    def _show(self, found: Answer) -> None:
        self._table.columns = [TableColumn(field=name, title=name) for name in found.columns]
        self._table.source.data = dict(found.columns)
        self._say(str(found))

    def _say(self, text: str) -> None:
        self._said.text = escape(text)
