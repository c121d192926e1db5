"""Counts of stars as an image in a figure, with the bar that says what its colours mean."""

from dataclasses import dataclass

import numpy as np
from bokeh import plotting
from bokeh.colors import RGB
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    FixedTicker,
    LogColorMapper,
    NumeralTickFormatter,
)
from numpy.typing import NDArray

from pipeline.browse.counts import Range
from pipeline.browse.theme import INK, PAPER, Paint

SHADES = 64
TICKS = [mantissa * 10**power for power in range(8) for mantissa in (1, 2, 5)]
BEHIND = 0.35
"""Opacity of all stars while some are selected."""


@dataclass(frozen=True)
class Scale:
    """Colours from few to many stars per cell, away from the colour of the paper.

    Parameters
    ----------
    light, dark : tuple of str
        Three colours, ``#rrggbb``, for light and for dark paper.
    """

    light: tuple[str, str, str]
    dark: tuple[str, str, str]


def shades(colours: tuple[str, str, str]) -> list[str]:
    """Return colours between three, from the first to the last.

    Parameters
    ----------
    colours : tuple of str
        As ``#rrggbb``.
    """
    ends = np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in colours], float)
    at = np.linspace(0, len(colours) - 1, SHADES)
    channels = [np.interp(at, np.arange(len(colours)), ends[:, k]) for k in range(3)]
    return [RGB(*map(int, rgb)).to_hex() for rgb in zip(*channels, strict=True)]


class Layer:
    """An image of counts with a logarithmic scale.

    Parameters
    ----------
    figure : bokeh.plotting.figure
        Where it is drawn.
    scale : Scale
        Its colours.
    title : str
        What stands above the colour bar; without one there is no bar.
    """

    def __init__(self, figure: plotting.figure, scale: Scale, title: str) -> None:
        self._light, self._dark = shades(scale.light), shades(scale.dark)
        self._mapper = LogColorMapper(self._light, low=1, high=10, nan_color="rgba(0, 0, 0, 0)")
        self._source = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self._image = figure.image(
            "image", "x", "y", "dw", "dh", source=self._source, color_mapper=self._mapper
        )
        self._bar = ColorBar(
            color_mapper=self._mapper, title=title, width=10, padding=4,
            ticker=FixedTicker(ticks=TICKS), formatter=NumeralTickFormatter(format="0,0"),
            title_text_font_style="normal", title_text_font_size="11px",
            border_line_color=None,
        )  # fmt: skip
        figure.add_layout(self._bar, "right")

    @property
    def paints(self) -> list[Paint]:
        """Colours of the image and its bar in the two schemes."""
        return [
            Paint(self._mapper, "palette", self._light, self._dark),
            Paint(self._bar, "title_text_color", *INK),
            Paint(self._bar, "major_label_text_color", *INK),
            Paint(self._bar, "background_fill_color", *PAPER),
        ]

    def draw(self, counts_YX: NDArray[np.float32], x_range: Range, y_range: Range) -> None:
        """Draw counts.

        Parameters
        ----------
        counts_YX : ndarray of float32, (Y, X)
            Stars per cell; NaN where none.
        x_range, y_range : tuple of float
            Lowest and highest coordinate of the image.
        """
        most = 0.0 if np.isnan(counts_YX).all() else float(np.nanmax(counts_YX))
        self._mapper.high = max(most, 2.0)
        self._source.data = {
            "image": [counts_YX],
            "x": [x_range[0]],
            "y": [y_range[0]],
            "dw": [x_range[1] - x_range[0]],
            "dh": [y_range[1] - y_range[0]],
        }

    def show(self, *, visible: bool) -> None:
        """Show the image and its bar, or hide both.

        Parameters
        ----------
        visible : bool
            Whether they are seen.
        """
        self._image.visible = self._bar.visible = visible

    def fade(self, *, behind: bool) -> None:
        """Draw the image pale, as what lies behind a selection.

        Parameters
        ----------
        behind : bool
            Whether there is a selection.
        """
        self._image.glyph.global_alpha = BEHIND if behind else 1.0
