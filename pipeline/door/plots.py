"""Figures of a run for notebooks."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.core.colours import BINARY, SINGLE
from pipeline.core.errors import InputError
from pipeline.core.figures import COLUMN_IN, legend, styled
from pipeline.evaluation.figures import draw_roc
from pipeline.evaluation.intervals import Bootstrap
from pipeline.evaluation.roc import roc_band, roc_curve
from pipeline.network.metrics import weighted_auc
from pipeline.star.page import StarPage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Readable(Protocol):
    """What the figures ask of a run."""

    def sql(self, query: str, params: Any = None) -> pd.DataFrame:
        """Answer a query."""

    def normalised(self, *, obsid: int) -> xr.Dataset:
        """Return normalised spectra."""

    def star(self, which: str | int) -> StarPage:
        """Find one star."""


class Plots:
    """Figures of a run; each method draws into ``ax``, or into a new figure, and returns it.

    Parameters
    ----------
    run : Readable
        The run.
    """

    def __init__(self, run: Readable) -> None:
        self._run = run

    @styled()
    def spectrum(self, obsid: int, ax: "Axes | None" = None, **style: Any) -> "Axes":
        """Draw one normalised spectrum with its p_b.

        Parameters
        ----------
        obsid : int
            LAMOST's number of the exposure; where two files have it, the first is drawn.
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        **style : object
            As `matplotlib.axes.Axes.plot` takes them.
        """
        one = self._run.normalised(obsid=obsid).isel(row=0)
        flux_L = np.where(one["bad"], np.nan, one["flux"])
        axes = _axes(ax, 2 * COLUMN_IN, 2.2)
        look: dict[str, Any] = {"lw": 0.6, "color": SINGLE} | style
        axes.plot(one["wave"], flux_L, **look)
        axes.set(
            xlabel=f"{one.attrs['frame']} wavelength in vacuum (Angstrom)",
            ylabel="flux over continuum",
            title=f"obsid {obsid}: $p_b$ = {float(one['p_b']):.2f}, S/N {float(one['snr_g']):.0f}",
        )
        return axes

    def star(self, which: str | int) -> "Figure":
        """Draw one star: spectrum, what the network looked at, diagram, p_b over epochs.

        Parameters
        ----------
        which : str or int
            As for `pipeline.door.open_run.OpenRun.star`.

        Returns
        -------
        matplotlib.figure.Figure
            A new figure with all of them.
        """
        from matplotlib import pyplot as plt

        from pipeline.star.figure import SIZE_INCHES

        page = self._run.star(which)
        figure = plt.figure(figsize=SIZE_INCHES, layout="constrained")
        page.draw(figure)
        return figure

    @styled()
    def cmd(self, threshold: float = 0.5, ax: "Axes | None" = None) -> "Axes":
        """Draw the colour-magnitude diagram; stars above the threshold stand out.

        Parameters
        ----------
        threshold : float
            On a star's highest p_b.
        ax : matplotlib.axes.Axes, optional
            Where to draw.

        Raises
        ------
        InputError
            The run has no photometry.
        """
        stars = self._run.sql(
            "SELECT g_ks_0, m_g, p_b FROM stars WHERE g_ks_0 IS NOT NULL AND m_g IS NOT NULL"
        ).astype(float)
        if stars.empty:
            raise InputError("no star has a colour and M_G: run `pairspec photometry` and the rest")
        found = stars["p_b"] > threshold
        axes = _axes(ax, COLUMN_IN, 3.4)
        cells = axes.hexbin(
            stars["g_ks_0"], stars["m_g"], gridsize=60, bins="log", cmap="Greys", mincnt=1
        )
        axes.figure.colorbar(cells, ax=axes, label="stars per cell")
        axes.plot(
            stars["g_ks_0"][found], stars["m_g"][found], ".", ms=2, mew=0, color=BINARY,
            label=f"$p_b$ > {threshold} ({int(found.sum()):,} stars)",
        )  # fmt: skip
        axes.invert_yaxis()
        axes.set(xlabel="$(G-K_s)_0$ (mag)", ylabel="$M_G$ (mag)")
        legend(axes)
        return axes

    @styled()
    def roc(self, split: str = "test", ax: "Axes | None" = None) -> "Axes":
        """Draw the ROC curve of one part of the labels, with its interval by star.

        Parameters
        ----------
        split : str
            ``test`` or ``validation``.
        ax : matplotlib.axes.Axes, optional
            Where to draw.

        Raises
        ------
        ValueError
            The part lacks binaries or singles that have a p_b.
        """
        rows = self._run.sql(
            "SELECT l.source_id, p.p_b, l.label FROM labels AS l JOIN predictions AS p USING (row) "
            "WHERE l.split = $split AND l.label IN ('binary', 'single') AND p.p_b IS NOT NULL",
            {"split": split},
        )
        p_b, binary = rows["p_b"].to_numpy(float), (rows["label"] == "binary").to_numpy(bool)
        draws = Bootstrap(rows["source_id"].to_numpy(np.int64))
        area = draws.interval(lambda weight: weighted_auc(p_b, binary, weight))
        axes = _axes(ax, COLUMN_IN, 3.6)
        draw_roc(axes, roc_curve(p_b, binary), roc_band(p_b, binary, draws), area)
        axes.set_aspect("equal")
        legend(axes)
        return axes

    @styled()
    def p_b(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the distribution of the stars' highest p_b.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        """
        stars = self._run.sql("SELECT p_b FROM stars WHERE p_b IS NOT NULL")
        axes = _axes(ax, COLUMN_IN, 2.3)
        axes.hist(stars["p_b"].to_numpy(float), np.linspace(0, 1, 41).tolist(), color=SINGLE)
        axes.set(xlabel="highest $p_b$ of a star", ylabel="stars per bin", xlim=(0, 1))
        return axes


def _axes(ax: "Axes | None", width: float, height: float) -> "Axes":
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]
