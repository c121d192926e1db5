"""Light and dark: the page follows the scheme that the reader's system asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bokeh import plotting
from bokeh.document import Document
from bokeh.events import DocumentReady
from bokeh.model import Model
from bokeh.models import CustomJS

INK, PAPER, FRAME, GRID = (
    ("#1c1e21", "#e6e6e6"),
    ("#ffffff", "#17191c"),
    ("#8a8f98", "#7b8089"),
    ("#e5e7ea", "#2c3036"),
)
"""Colours in the light and in the dark scheme."""

DRAWN, MARK, LINE = "#a07d00", "#f0c000", "#6c7f94"
"""Outline of a selection, the chosen star, and spectra: seen on light and on dark paper."""


@dataclass(frozen=True)
class Paint:
    """A colour of a model in both schemes.

    Parameters
    ----------
    model : bokeh.model.Model
        What is painted.
    name : str
        Its property.
    light, dark : object
        Value in either scheme.
    """

    model: Model
    name: str
    light: Any
    dark: Any


def figure_paints(figure: plotting.figure) -> list[Paint]:
    """Return the paints of the frame, axes, titles and legends of a figure.

    Parameters
    ----------
    figure : bokeh.plotting.figure
        The figure, with everything on it.
    """
    found = [
        Paint(figure, "background_fill_color", *PAPER),
        Paint(figure, "border_fill_color", *PAPER),
        Paint(figure, "outline_line_color", *FRAME),
        Paint(figure.title, "text_color", *INK),
    ]
    figure.axis.axis_label_text_font_style = "normal"
    for axis in figure.axis:
        found += [Paint(axis, f"{part}_text_color", *INK) for part in ("axis_label", "major_label")]
        lines = ("axis", "major_tick", "minor_tick")
        found += [Paint(axis, f"{part}_line_color", *FRAME) for part in lines]
    found += [Paint(grid, "grid_line_color", *GRID) for grid in figure.grid]
    for legend in figure.legend:
        found += [Paint(legend, "label_text_color", *INK)]
        found += [Paint(legend, "background_fill_color", *PAPER)]
    return found


def follow_scheme(document: Document, paints: Iterable[Paint]) -> None:
    """Paint in the browser when the page is ready, and whenever the scheme changes.

    Parameters
    ----------
    document : bokeh.document.Document
        The page.
    paints : iterable of Paint
        What to paint.
    """
    listed = list(paints)
    script = CustomJS(
        args={
            "models": [p.model for p in listed],
            "names": [p.name for p in listed],
            "values": [[p.light, p.dark] for p in listed],
        },
        code="""
            const asked = window.matchMedia("(prefers-color-scheme: dark)");
            const paint = () => models.forEach((model, k) => {
                model[names[k]] = values[k][asked.matches ? 1 : 0];
            });
            asked.addEventListener("change", paint);
            paint();
        """,
    )
    document.js_on_event(DocumentReady, script)


WIDGETS = """
    :host { font: 13px/1.4 system-ui, sans-serif; }
    @media (prefers-color-scheme: dark) {
      :host { color: #e6e6e6; }
      .bk-input, .bk-btn, .bk-btn:hover {
        background-color: #24272c; color: #e6e6e6; border-color: #555b66;
      }
      .bk-btn-primary, .bk-btn-primary:hover { background-color: #2f5f8f; border-color: #2f5f8f; }
      .bk-input::placeholder { color: #9aa0aa; }
      .bk-tab { color: #b9bec7; }
      .bk-tab.bk-active { color: #e6e6e6; background-color: #24272c; border-color: #555b66; }
    }
"""
"""CSS of all widgets."""

TABLE = """
    .slick-cell { font: 12px/1.6 system-ui, sans-serif; }
    .slick-header-column { font: 600 12px/1.6 system-ui, sans-serif; }
    @media (prefers-color-scheme: dark) {
      .slick-header-columns, .slick-header-column.ui-state-default {
        background: #24272c !important; color: #e6e6e6 !important; border-color: #3a3f47 !important;
      }
      .slick-viewport, .slick-pane, .grid-canvas { background: #17191c !important; }
      .slick-row, .slick-row.odd, .slick-cell {
        background: #17191c !important; color: #e6e6e6 !important; border-color: #2c3036 !important;
      }
      .slick-cell.selected { background: #2f4a68 !important; }
      .bk-header-index, .bk-cell-index { color: #9aa0aa !important; }
    }
"""
"""CSS of tables."""
