"""The star that was clicked on: its page, its spectra, its place in the diagram."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from bokeh.models import Div, Select
from bokeh.models.layouts import Column

from pipeline.browse.companion import Components, find_components
from pipeline.browse.spectrum import SpectrumPictures
from pipeline.browse.stars import Stars
from pipeline.browse.theme import WIDGETS
from pipeline.browse.work import Work
from pipeline.catalogue.query import connect
from pipeline.star.attribution import Attribution
from pipeline.star.find import Match
from pipeline.star.page import StarPage
from pipeline.star.spectrum import OneSpectrum
from pipeline.star.star import Diagram, read_diagram, read_star


class StarReader:
    """Reads stars for the pages; the diagram of all stars is read once.

    Parameters
    ----------
    stars : Stars
        All stars.
    models : tuple of pathlib.Path
        Networks that gave p_b.
    log_age : float
        log10 age in years of the isochrone of companions.
    """

    def __init__(self, stars: Stars, models: tuple[Path, ...], log_age: float) -> None:
        self._stars, self._models, self._log_age = stars, models, log_age
        self._diagram: Diagram | None = None

    def read(self, star: int, row: int | None) -> "Look":
        """Read all that is shown of a star.

        Parameters
        ----------
        star : int
            Its position among the stars.
        row : int, optional
            Row of the store of the spectrum to show; by default that of highest S/N.
        """
        root = self._stars.root
        name, place = self._stars.star_id_S[star].as_py(), int(self._stars.healpix_S[star])
        match = Match(name, place, None, None, None, None, 0)
        with connect(root.path) as tables:
            found = read_star(root, tables, match)
            self._diagram = self._diagram or read_diagram(tables)
        page = StarPage(root, found, self._diagram, self._models, None)
        wanted = [one for one in found.spectra if one["row"] == row]
        which = wanted[0] if wanted else found.chosen(None)
        return Look(star, page, which, *page.look(which), find_components(found, self._log_age))


@dataclass(frozen=True)
class Look:
    """All that is shown of a star.

    Parameters
    ----------
    star : int
        Its position among the stars.
    page : StarPage
        Its page.
    which : mapping
        The spectrum that is shown.
    spectrum : OneSpectrum
        Its fluxes.
    attribution : Attribution, optional
        What the network looked at.
    components : Components, optional
        The two stars that it may consist of.
    """

    star: int
    page: StarPage
    which: Mapping[str, Any]
    spectrum: OneSpectrum
    attribution: Attribution | None
    components: Components | None


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
        self._star: int | None = None
        self._row = ""
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
        self._head.text = "reading ..."
        self._work.do(partial(self._reader.read, star, row), self._show, self._say)

    def _show(self, look: Look) -> None:
        if look.star != self._star:
            # Another star has been clicked on meanwhile.
            return
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
        self._text.text = f"<pre>{escape(str(look.page))}</pre>"
        self._found(look)

    def _other(self, _name: str, _old: str, new: str) -> None:
        if self._star is not None and new != self._row:
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
