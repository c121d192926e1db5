"""The star that was clicked on: its page, its spectra, its place in the diagram."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import Any

from bokeh.models import Div, Select
from bokeh.models.layouts import Column

from pipeline.browse.spectrum import SpectrumPictures
from pipeline.browse.star_reader import Look, StarReader
from pipeline.browse.theme import WIDGETS
from pipeline.browse.work import Work


class StarView:
    """The lower part of the page.

    Parameters
    ----------
    reader : StarReader
        Reads stars.
    work : Work
        Where they are read.
    found : callable
        Called with a `Look` when a star has been read.
    """

    def __init__(self, reader: StarReader, work: Work, found: Callable[[Look], None]) -> None:
        self._reader, self._work, self._found = reader, work, found
        self._star, self._row, self._asked = 0, "", 0
        self.pictures = SpectrumPictures(1100)
        self._head = Div(
            text="Click on a star in a picture or in the table to see its spectra.",
            name="star", sizing_mode="stretch_width", stylesheets=[WIDGETS],
        )  # fmt: skip
        self._select = Select(
            title="Spectrum", options=[], visible=False, width=420, stylesheets=[WIDGETS]
        )
        self._select.on_change("value", self._other)
        self._text = Div(
            text="", sizing_mode="stretch_width", stylesheets=[WIDGETS],
            styles={"overflow-x": "auto"},
        )  # fmt: skip
        self._drawn = Column(
            children=list(self.pictures.figures), sizing_mode="stretch_width", visible=False
        )
        self.widget = Column(
            children=[self._head, self._select, self._drawn, self._text],
            sizing_mode="stretch_width", name="star_view",
        )  # fmt: skip

    def choose(self, star: int, row: int | None = None) -> None:
        """Read a star and show it.

        Parameters
        ----------
        star : int
            Its position among the stars.
        row : int, optional
            Row of the store of the spectrum to show.
        """
        self._star = star
        self._asked += 1
        asked = self._asked
        self._head.text = "reading (the first star takes some seconds longer)"
        # Of several stars that were clicked on, the last one is shown, whichever comes last.
        self._work.do(
            partial(self._reader.read, star, row),
            lambda look: self._show(look) if asked == self._asked else None,
            lambda text: self._say(text) if asked == self._asked else None,
        )

    def _show(self, look: Look) -> None:
        which, star = look.which, look.page.star
        p_b = "no p_b" if which["p_b"] is None else f"p_b = {which['p_b']:.3f}"
        pair = "" if look.components is None else (
            f"; as a pair on the main sequence: mass ratio {look.components.mass_ratio:.2f}"
        )  # fmt: skip
        note = look.page.network_note
        self._head.text = (
            f"<b>{escape(str(star.row['star_id']))}</b> {escape(star.row['designation'] or '')}: "
            f"obsid {which['obsid']}, {p_b}{pair}{f'<br>{escape(note)}' if note else ''}"
        )
        # Known before the field changes, so that this does not ask for the star again.
        self._row = str(which["row"])
        self._select.update(options=_options(star.spectra), value=self._row)
        self._select.visible = self._drawn.visible = True
        self.pictures.show(look.spectrum, look.attribution)
        self._text.text = (
            "<details><summary>All that the run knows of it</summary>"
            f"<pre>{escape(str(look.page))}</pre></details>"
        )
        self._found(look)

    def _other(self, _name: str, _old: str, new: str) -> None:
        if new != self._row:
            self.choose(self._star, int(new))

    def _say(self, text: str) -> None:
        self._head.text = escape(text)


def _options(spectra: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    found = []
    for one in spectra:
        date = "no date" if one["mjd_utc"] is None else f"MJD {one['mjd_utc']:.2f}"
        snr = "-" if one["snr_g"] is None else f"{one['snr_g']:.0f}"
        p_b = "-" if one["p_b"] is None else f"{one['p_b']:.3f}"
        found.append((str(one["row"]), f"obsid {one['obsid']}, {date}, S/N {snr}, p_b {p_b}"))
    return found
