"""One page of the explorer: its pictures, its widgets, and what each tells the others."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np
from bokeh.document import Document
from bokeh.models import TabPanel, Tabs
from bokeh.models.layouts import Column
from jinja2 import Environment, PackageLoader, Template

from pipeline.browse.chooser import Chooser
from pipeline.browse.diagram import DiagramMarks
from pipeline.browse.export_box import ExportBox
from pipeline.browse.histogram import Histogram
from pipeline.browse.plane import Axis, Plane
from pipeline.browse.query_box import QueryBox
from pipeline.browse.selection import Selection
from pipeline.browse.star_reader import Look, StarReader
from pipeline.browse.star_view import StarView
from pipeline.browse.stars import Stars
from pipeline.browse.table import StarTable
from pipeline.browse.theme import WIDGETS, follow_scheme
from pipeline.browse.work import Work

COLOUR = Axis("g_ks_0", "(G \u2212 K\u209b)\u2080 (mag)")
M_G = Axis("m_g", "absolute magnitude M_G (mag)", falling=True)
RA = Axis("ra_deg", "right ascension (deg)", falling=True)
DEC = Axis("dec_deg", "declination (deg)")


@dataclass(frozen=True)
class Explorer:
    """What all pages of a server share.

    Parameters
    ----------
    stars : Stars
        All stars.
    reader : StarReader
        Reads a star that was clicked on.
    folder : pathlib.Path
        Where exports go.
    pool : concurrent.futures.ThreadPoolExecutor
        Threads that read stars and answer queries.
    """

    stars: Stars
    reader: StarReader
    folder: Path
    pool: ThreadPoolExecutor

    def prepare(self) -> None:
        """Make a page that nobody sees, so that what all pages show at first is counted once."""
        self.open_page(Document())

    def open_page(self, document: Document) -> None:
        """Fill a new page, as Bokeh's server asks for it.

        Parameters
        ----------
        document : bokeh.document.Document
            Empty.
        """
        stars, root = self.stars, self.stars.root.path
        selection, work = Selection(stars), Work(document, self.pool)

        def found(look: Look) -> None:
            marks.show(look)

        view = StarView(self.reader, work, found)

        def clicked(star: int) -> None:
            for plane in (diagram, sky):
                plane.mark(star)
            view.choose(star)

        diagram = Plane(stars, selection, "cmd", "Colour-magnitude diagram", COLOUR, M_G,
                        (640, 560), clicked)  # fmt: skip
        marks = DiagramMarks(diagram.figure)
        sky = Plane(stars, selection, "sky", "Sky, ICRS", RA, DEC, (640, 300), clicked)
        histogram = Histogram(stars, selection, (640, 250))
        chooser = Chooser(stars, selection, work)
        table = StarTable(stars, selection, clicked)
        export = ExportBox(root, self.folder, selection, work)
        query = QueryBox(root, work)
        below = Tabs(
            name="tabs", sizing_mode="stretch_width", stylesheets=[WIDGETS],
            tabs=[
                TabPanel(child=Column(children=[table.widget, export.widget],
                                      sizing_mode="stretch_width"), title="Selected stars"),
                TabPanel(child=query.widget, title="SQL"),
            ],
        )  # fmt: skip
        chooser.widget.name = "chooser"
        pictures = (diagram.figure, sky.figure, histogram.figure)
        with document.models.freeze():
            for one in (*pictures, chooser.widget, below, view.widget):
                document.add_root(one)
        document.title = f"pairspec: {root}"
        document.template = _template()
        document.template_variables["run"] = str(root)
        document.template_variables["note"] = _left_out(stars)
        paints = [diagram.paints, sky.paints, histogram.paints, view.pictures.paints]
        follow_scheme(document, chain.from_iterable(paints))


@lru_cache(maxsize=2)
def _left_out(stars: Stars) -> str:
    drawn = np.isfinite(stars.numbers["g_ks_0"]) & np.isfinite(stars.numbers["m_g"])
    n = len(stars) - int(np.count_nonzero(drawn))
    return f"{n:,} stars without (G-Ks)0 or M_G are not in the diagram" if n else ""


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pipeline.browse", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
