"""What a chosen star adds to the colour-magnitude diagram: ridge, errors, its two components."""

from typing import Any

import numpy as np
from bokeh import plotting
from bokeh.models import ColumnDataSource, Whisker

from pipeline.browse.star_reader import Look
from pipeline.browse.theme import MARK
from pipeline.core.colours import BINARY, OTHER


class DiagramMarks:
    """Marks in the diagram; empty until a star is chosen.

    Parameters
    ----------
    figure : bokeh.plotting.figure
        The diagram.
    """

    def __init__(self, figure: plotting.figure) -> None:
        self._figure = figure
        self._ridge = ColumnDataSource({"x": [], "y": []})
        self._pair = ColumnDataSource({"x": [], "y": []})
        self._errors = ColumnDataSource({"x": [], "low": [], "high": []})
        figure.line(
            "x", "y", source=self._ridge, color=OTHER, line_width=2, line_dash="dashed",
            legend_label="ridge of single stars at its [Fe/H]",
        )  # fmt: skip
        figure.scatter(
            "x", "y", source=self._pair, marker="circle", size=11, fill_color=MARK,
            line_color="black", level="overlay", legend_label="its components, if it is a pair",
        )  # fmt: skip
        self._whisker = Whisker(
            source=self._errors, base="x", lower="low", upper="high", line_color=BINARY,
            line_width=1.5,
        )  # fmt: skip
        figure.add_layout(self._whisker)
        figure.legend.location = "bottom_left"
        figure.legend.visible = False
        figure.legend.label_text_font_size = "11px"

    def show(self, look: Look) -> None:
        """Draw what belongs to a star.

        Parameters
        ----------
        look : Look
            The star.
        """
        star = look.page.star
        ridge: dict[str, Any] = {"x": [], "y": []}
        if star.ridge is not None:
            feh = star.row["feh"]
            shown = float(np.median(star.ridge.feh_Z)) if feh is None else feh
            colour_G = star.ridge.colour_G
            m_g_G = star.ridge.m_g(colour_G, np.full(colour_G.size, shown))
            ridge = {"x": colour_G, "y": m_g_G}
        self._ridge.data = ridge
        pair = look.components
        empty = np.array([])
        self._pair.data = {
            "x": empty if pair is None else pair.colour_C,
            "y": empty if pair is None else pair.m_g_C,
        }
        colour, m_g, error = (star.row[name] for name in ("g_ks_0", "m_g", "m_g_err"))
        known = [] if None in (colour, m_g, error) else [(colour, m_g - error, m_g + error)]
        self._errors.data = {
            name: [one[k] for one in known] for k, name in enumerate(("x", "low", "high"))
        }
        self._figure.legend.visible = True
