"""The one style sheet of all figures: sized for a column of a journal, and written as files."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from cycler import cycler
from matplotlib import RcParams, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from pipeline.core.atomic import write_bytes
from pipeline.core.colours import BINARY, OTHER, SINGLE

COLUMN_IN = 3.31
"""Width of every figure in inches: one column of a journal, 84 mm."""

KINDS = ("png", "pdf")

STYLE: dict[str, Any] = {
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.prop_cycle": cycler(color=[SINGLE, BINARY, OTHER]),
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.labelspacing": 0.25,
    "legend.columnspacing": 1.0,
    "legend.borderaxespad": 0.15,
    "lines.linewidth": 1.0,
    "lines.markersize": 3,
    "patch.linewidth": 1.0,
    "errorbar.capsize": 0,
    # Letters as text, so that a journal can set them.
    "pdf.fonttype": 42,
}

BAND = {"alpha": 0.2, "lw": 0}
PAPER = {"marker": "*", "ms": 7, "ls": "none", "color": "black", "zorder": 5}
PAPER_NAME = "Jing et al. (2025)"
GUIDE = {"color": "0.7", "lw": 0.8, "zorder": 0}

# A date or a name of a version would make the same figure another file.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw and write figures in the style; also a decorator."""
    with rc_context(RcParams(STYLE)):
        yield


def new_figure(panels: int = 1, panel_in: float = 2.3) -> tuple[Figure, list[Any]]:
    """Return a figure of one column's width and its panels, one below the other.

    Parameters
    ----------
    panels : int
        Number of panels; several are labelled (a), (b) and so on.
    panel_in : float
        Height of a panel in inches.
    """
    figure = Figure(figsize=(COLUMN_IN, panels * panel_in), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(np.atleast_1d(figure.subplots(panels, 1)))
    if panels > 1:
        for letter, axis in zip("abcdefgh", axes, strict=False):
            # Beside the legend, which is above the panel, and above a number at its upper edge.
            axis.text(-0.03, 1.05, f"({letter})", ha="right", fontweight="bold",
                      transform=axis.transAxes)  # fmt: skip
    return figure, axes


def legend(axes: Any, columns: int = 1, **style: Any) -> None:
    """Name everything that is drawn, above the panel, where no data are.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    columns : int
        Columns of the legend.
    **style : object
        As `matplotlib.axes.Axes.legend` takes them.
    """
    if axes.get_legend_handles_labels()[1]:
        place = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0)}
        axes.legend(ncols=columns, **(place | style))


def plain_log(axis: Any) -> None:
    """Label a logarithmic axis by 1, 2, 5, 10 and so on, instead of powers.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        The axis.
    """
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


@styled()
def as_bytes(figure: Figure, kind: str, dpi: float | None = None) -> bytes:
    """Return a figure as a file; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    kind : str
        ``png`` or ``pdf``.
    dpi : float, optional
        Pixels per inch; by default those of the style.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=_METADATA[kind])
    return buffer.getvalue()


def write_figure(folder: Path, name: str, figure: Figure) -> Sequence[Path]:
    """Write a figure as PNG and as PDF.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    name : str
        Name of both files, without the ending.
    figure : matplotlib.figure.Figure
        The figure.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    paths = [folder / f"{name}.{kind}" for kind in KINDS]
    for path, kind in zip(paths, KINDS, strict=True):
        write_bytes(path, as_bytes(figure, kind))
    return paths
