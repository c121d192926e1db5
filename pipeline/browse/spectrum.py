"""The spectrum of the chosen star: flux with continuum, normalised flux, what the network saw."""

from typing import TYPE_CHECKING

import numpy as np
from bokeh import plotting
from bokeh.models import ColumnDataSource, Range1d, Span

from pipeline.browse.theme import GRID, LINE, Paint, figure_paints
from pipeline.core.colours import BINARY, SINGLE

if TYPE_CHECKING:
    from pipeline.star.attribution import Attribution
    from pipeline.star.spectrum import OneSpectrum

TOOLS = "xpan,xwheel_zoom,reset"


class SpectrumPictures:
    """Three pictures over the same wavelengths.

    Parameters
    ----------
    width : int
        Width in pixels.
    """

    def __init__(self, width: int) -> None:
        self._source = ColumnDataSource(
            {name: [] for name in ("wave", "flux", "continuum", "normal", "towards", "against")}
        )
        self._wave = Range1d(3700, 9000)
        self._flux = self._figure("flux", "flux (survey's units)", width, 200)
        self._normal = self._figure("normal", "flux / continuum", width, 190)
        self._look = self._figure("saliency", "change of logit", width, 190)
        self._flux.line("wave", "flux", source=self._source, color=LINE, line_width=0.7)
        self._flux.line(
            "wave", "continuum", source=self._source, color=BINARY, line_width=1.6,
            legend_label="continuum (smoothed flux)",
        )  # fmt: skip
        self._normal.line("wave", "normal", source=self._source, color=LINE, line_width=0.7)
        one = Span(location=1, dimension="width", line_width=1, level="underlay")
        self._normal.add_layout(one)
        for name, colour, label in (
            ("towards", BINARY, "towards a binary"), ("against", SINGLE, "towards a single star"),
        ):  # fmt: skip
            self._look.varea(
                "wave", 0, name, source=self._source, fill_color=colour, legend_label=label
            )
        for figure in (self._flux, self._look):
            figure.legend.orientation = "horizontal"
            figure.legend.location = "top_right"
            figure.legend.label_text_font_size = "11px"
            figure.legend.padding = figure.legend.margin = 3
        self.figures = (self._flux, self._normal, self._look)
        self._one = one

    def _figure(self, name: str, label: str, width: int, height: int) -> plotting.figure:
        figure = plotting.figure(
            name=name, title="", width=width, height=height, tools=TOOLS, x_range=self._wave,
            y_axis_label=label, sizing_mode="stretch_width", toolbar_location="right",
            y_range=Range1d(0, 1),
        )  # fmt: skip
        figure.toolbar.logo = None
        return figure

    @property
    def paints(self) -> list[Paint]:
        """Colours of the two schemes."""
        framed = [paint for figure in self.figures for paint in figure_paints(figure)]
        return [*framed, Paint(self._one, "line_color", *GRID)]

    def show(self, one: "OneSpectrum", looked: "Attribution | None") -> None:
        """Draw a spectrum.

        Parameters
        ----------
        one : OneSpectrum
            Its fluxes.
        looked : Attribution, optional
            What each pixel adds to the logit; None without the network that gave p_b.
        """
        from pipeline.star.attribution import WINDOW

        adds_L = np.zeros(one.wave_L.size) if looked is None else looked.window_L
        normal_L = np.where(one.bad_L, np.nan, one.normal_L)
        self._source.data = {
            "wave": one.wave_L, "flux": one.flux_L, "continuum": one.continuum_L,
            "normal": normal_L, "towards": np.maximum(adds_L, 0), "against": np.minimum(adds_L, 0),
        }  # fmt: skip
        self._wave.update(start=one.wave_L[0], end=one.wave_L[-1])
        self._wave.reset_start, self._wave.reset_end = one.wave_L[0], one.wave_L[-1]
        _fit(self._flux, one.flux_L)
        _fit(self._normal, normal_L)
        most = float(np.abs(adds_L).max()) or 1.0
        self._look.y_range.update(start=-1.15 * most, end=1.5 * most)
        self._look.yaxis.axis_label = f"logit per {WINDOW} pixels"
        self._look.xaxis.axis_label = f"{one.frame} wavelength in vacuum (Angstrom)"
        self._look.title.text = (
            "What the network looked at: not known without the network that gave p_b"
            if looked is None
            else f"What the network looked at (integrated gradients): {looked}"
        )
        self._flux.title.text = "Flux and continuum"
        self._normal.title.text = "Normalised flux, as the network reads it"


def _fit(figure: plotting.figure, value_L: np.ndarray[tuple[int], np.dtype[np.floating]]) -> None:
    """Let a range hold all but the strongest strays, with room for the legend above."""
    known = value_L[np.isfinite(value_L)]
    if known.size:
        low, high = np.percentile(known, [0.1, 99.9]).tolist()
        more = (high - low) or 1.0
        figure.y_range.update(start=low - 0.1 * more, end=high + 0.3 * more)
