"""The selection as a file, by the export of the catalogue."""

from html import escape
from pathlib import Path

from bokeh.models import Button, Div, Row, TextInput

from pipeline.browse.selection import Selection
from pipeline.browse.theme import WIDGETS
from pipeline.browse.work import Work
from pipeline.catalogue.export.run import export
from pipeline.catalogue.query import save, select_stars
from pipeline.core.errors import InputError

FORMATS = {".fits": "fits", ".vot": "votable", ".csv": "csv", ".ecsv": "ecsv"}
ENDINGS = (*FORMATS, ".parquet")


def export_selection(root: Path, folder: Path, name: str, condition: str) -> str:
    """Write the selected stars with all their columns; return a line about it.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    folder : pathlib.Path
        Where the file goes.
    name : str
        Name of the file in it; its ending says what it becomes.
    condition : str
        The selection in SQL; empty for all stars.

    Raises
    ------
    InputError
        Another ending, or a name that leads out of the folder or into a run.
    """
    if not name or Path(name).name != name:
        raise InputError(f"{name!r} is no name of a file; it is written to {folder}")
    output = folder / name
    if output.suffix not in ENDINGS:
        raise InputError(f"{name!r} must end in one of {', '.join(ENDINGS)}")
    if output.suffix == ".parquet":
        return save(root, select_stars("*", condition), output)
    return export(root, FORMATS[output.suffix], output, condition or None, None)


class ExportBox:
    """A field for the name of a file, and a button that writes it.

    Parameters
    ----------
    root, folder : pathlib.Path
        Root of the run, and where files go.
    selection : Selection
        What is selected.
    work : Work
        Where files are written.
    """

    def __init__(self, root: Path, folder: Path, selection: Selection, work: Work) -> None:
        self._root, self._folder, self._selection, self._work = root, folder, selection, work
        self._field = TextInput(
            value="selection.fits", title=f"File ({', '.join(ENDINGS)})", width=230,
            stylesheets=[WIDGETS],
        )  # fmt: skip
        button = Button(label="Export the selection", width=150, align="end", stylesheets=[WIDGETS])
        button.on_click(self._write)
        self._said = Div(text="", align="end", stylesheets=[WIDGETS])
        self.widget = Row(children=[self._field, button, self._said], sizing_mode="stretch_width")

    def _write(self) -> None:
        name, condition = self._field.value.strip(), self._selection.condition
        self._say("writing")
        self._work.do(
            lambda: export_selection(self._root, self._folder, name, condition),
            self._say,
            self._say,
        )

    def _say(self, text: str) -> None:
        self._said.text = escape(text)
