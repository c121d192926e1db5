"""The colour-magnitude diagram of the training sample, with the ridge and the label bands."""

import io

import numpy as np
import pyarrow as pa
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.core import colours
from pipeline.labels.label_table import LabelledStars
from pipeline.labels.labels import BINARY, EXCLUDED, SINGLE
from pipeline.labels.ridge import as_ridge
from pipeline.settings.labels import LabelSettings

COLOURS = {SINGLE: colours.SINGLE, BINARY: colours.BINARY, EXCLUDED: colours.EXCLUDED}
DPI = 150
MAX_POINTS = 20_000


def ridge_figure(labelled: LabelledStars, table: pa.Table, settings: LabelSettings) -> bytes:
    """Draw the stars by label, the sequences of all bins, and the distances from the ridge.

    Parameters
    ----------
    labelled : LabelledStars
        The stars; at most :data:`MAX_POINTS` of them are drawn, the first by source id.
    table : pyarrow.Table
        The ridge.
    settings : LabelSettings
        The bands.

    Returns
    -------
    bytes
        A PNG file.
    """
    figure = Figure(figsize=(11, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    stars, label = labelled.stars, labelled.label_S[:MAX_POINTS]
    colour, m_g = stars.colour_S[:MAX_POINTS], stars.m_g_S[:MAX_POINTS]
    delta = labelled.delta_m_g_S[:MAX_POINTS]
    for name in (EXCLUDED, SINGLE, BINARY):
        rows = label == name
        style = {"s": 5, "color": COLOURS[name], "linewidths": 0, "alpha": 0.6}
        n_all = int((labelled.label_S == name).sum())
        left.scatter(colour[rows], m_g[rows], label=f"{name} ({n_all:,})", **style)
        right.scatter(colour[rows], delta[rows], **style)
    ridge = as_ridge(table)
    for shade, (feh, sequence) in enumerate(zip(ridge.feh_Z, ridge.m_g_ZG, strict=True)):
        grey = str(0.55 * (1 - shade / max(ridge.feh_Z.size - 1, 1)))
        left.plot(ridge.colour_G, sequence, color=grey, lw=1.2, label=f"ridge, [Fe/H] {feh:+.2f}")
    for limit in (settings.binary_min_mag, settings.single_min_mag, settings.single_max_mag):
        right.axhline(limit, color="black", lw=0.8, ls="--")
    right.axhline(0, color="black", lw=1.2)
    right.set_ylim(0.8, -1.2)
    if np.isfinite(m_g).any():
        left.set_ylim(np.nanmax(m_g) + 0.3, np.nanmin(m_g) - 0.3)
    left.set_ylabel("$M_G$")
    right.set_ylabel(r"$\Delta M_G = M_G -$ ridge")
    for axes in (left, right):
        axes.set_xlabel(r"$(G-K_s)_0$")
    left.legend(fontsize=8, markerscale=2, loc="lower left")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()
