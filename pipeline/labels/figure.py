"""The colour-magnitude diagram of the training sample, with the ridge and the label bands."""

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure

from pipeline.core import colours
from pipeline.core.density import draw_stars
from pipeline.core.figures import legend, new_figure, styled
from pipeline.labels.label_table import LabelledStars
from pipeline.labels.labels import BINARY, EXCLUDED, SINGLE
from pipeline.labels.ridge import as_ridge
from pipeline.settings.labels import LabelSettings

COLOURS = {EXCLUDED: colours.EXCLUDED, SINGLE: colours.SINGLE, BINARY: colours.BINARY}


@styled()
def ridge_figure(labelled: LabelledStars, table: pa.Table, settings: LabelSettings) -> Figure:
    """Draw the stars by label, the sequences of all bins, and the distances from the ridge.

    Parameters
    ----------
    labelled : LabelledStars
        The stars.
    table : pyarrow.Table
        The ridge.
    settings : LabelSettings
        The bands.
    """
    figure, (upper, lower) = new_figure(2, 3.0)
    stars, label = labelled.stars, labelled.label_S
    for name, colour in COLOURS.items():
        rows = label == name
        text = f"{name} ({int(rows.sum()):,})"
        draw_stars(upper, stars.colour_S[rows], stars.m_g_S[rows], text, colour)
        draw_stars(lower, stars.colour_S[rows], labelled.delta_m_g_S[rows], text, colour)
    ridge = as_ridge(table)
    for shade, (feh, sequence) in enumerate(zip(ridge.feh_Z, ridge.m_g_ZG, strict=True)):
        grey = str(0.55 * (1 - shade / max(ridge.feh_Z.size - 1, 1)))
        upper.plot(ridge.colour_G, sequence, color=grey, label=f"ridge, [Fe/H] {feh:+.2f}")
    limits = (settings.binary_min_mag, settings.single_min_mag, settings.single_max_mag)
    for number, limit in enumerate(limits):
        text = "_" if number else "limits of the labels"
        lower.axhline(limit, color="black", lw=0.8, ls="--", label=text)
    lower.axhline(0, color="black", label="ridge")
    lower.set_ylim(0.8, -1.2)
    if np.isfinite(stars.m_g_S).any():
        upper.set_ylim(np.nanmax(stars.m_g_S) + 0.3, np.nanmin(stars.m_g_S) - 0.3)
    upper.set_ylabel("$M_G$ (mag)")
    lower.set_ylabel(r"$\Delta M_G$ from the ridge (mag)")
    for axes in (upper, lower):
        axes.set_xlabel("$(G-K_s)_0$ (mag)")
        legend(axes, columns=2)
    return figure
