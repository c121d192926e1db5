"""Figures 1, 7, 8, 9 and 10 of the paper from the run's own stars, and the numbers in them.

They show the whole catalogue, as the paper's do: stars seen in training, too.
"""

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, LogNorm
from numpy.typing import NDArray

from pipeline.core.colours import BINARY, EXCLUDED, SINGLE
from pipeline.core.density import draw_stars
from pipeline.core.figures import PAPER, PAPER_NAME, legend, new_figure, plain_log
from pipeline.validation.drawing import BINS
from pipeline.validation.measure import Measure, count_interval, median_interval, share
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth

PAPER_SINGLES, PAPER_BINARIES = 68_299, 3_818
PAPER_ABOVE = {0.5: 468_634 / 971_805, 0.8: 323_909 / 971_805}
PAPER_MEDIAN_PC, PAPER_BEYOND = 700.0, 115
FAR_PC = 10_000.0
_CMD = {"xlabel": "$(G-K_s)_0$ (mag)", "ylabel": "$M_G$ (mag)"}


def training_cmd(data: RunData) -> Result:
    """Figure 1: the training sample in the colour-magnitude diagram, by label."""
    stars = data.all_stars
    parts = {"excluded": (EXCLUDED, None), "single": (SINGLE, PAPER_SINGLES),
             "binary": (BINARY, PAPER_BINARIES)}  # fmt: skip
    if not stars["label"].isin(list(parts)).any():
        return Result(skipped="no star has a label: run `pairspec label`")
    figure, (axis,) = new_figure(panel_in=3.4)
    measures = []
    for name, (colour, paper) in parts.items():
        here = stars[stars["label"] == name]
        n = len(here)
        measures.append(Measure(f"stars labelled {name}", count_interval(n), n, paper=paper))
        theirs = "" if paper is None else f"; {PAPER_NAME}: {paper:,}"
        draw_stars(
            axis,
            here["g_ks_0"].to_numpy(),
            here["m_g"].to_numpy(),
            f"{name} ({n:,}{theirs})",
            colour,
        )
    axis.set(**_CMD)
    axis.invert_yaxis()
    legend(axis)
    return Result(tuple(measures), figure)


def counts(data: RunData) -> Result:
    """Figure 7: p_b of spectra and of stars, and how many lie above each value."""
    stars, spectra = data.all_stars["p_b"].to_numpy(), data.all_spectra["p_b"].to_numpy()
    figure, (upper, lower) = new_figure(2)
    for name, value, colour in (("spectra", spectra, SINGLE), ("stars", stars, BINARY)):
        label = f"{name} ({value.size:,})"
        upper.hist(value, BINS, histtype="step", color=colour, label=label)
        at = np.linspace(0, 1, 501)
        above = 1 - np.searchsorted(np.sort(value), at, side="right") / max(value.size, 1)
        lower.plot(at, above, color=colour, label=label)
    upper.set(xlabel="$p_b$", ylabel="number per bin", xlim=(0, 1), yscale="log")
    lower.plot(list(PAPER_ABOVE), list(PAPER_ABOVE.values()), **PAPER, label=f"{PAPER_NAME}, stars")
    lower.set(xlabel="$p_b$", ylabel="fraction above $p_b$", xlim=(0, 1), ylim=(0, 1.02))
    legend(upper, columns=2)
    legend(lower, columns=2)
    truth = None
    if has_truth(data.all_stars):
        truth = float((data.all_stars["true_kind"] == "pair").mean())
    measures = [
        share(f"stars with p_b > {t:g}", stars > t, truth=truth, paper=paper, main=True)
        for t, paper in PAPER_ABOVE.items()
    ]
    return Result(tuple(measures), figure)


def sky(data: RunData) -> Result:
    """Figure 8: binaries on the sky, in Galactic coordinates."""
    # Here, since astropy's coordinates are slow to import.
    from astropy.coordinates import SkyCoord

    stars = data.all_stars
    placed = stars[np.isfinite(stars["ra_deg"])]
    places = SkyCoord(placed["ra_deg"].to_numpy(), placed["dec_deg"].to_numpy(), unit="deg")
    found = (placed["p_b"] > 0.5).to_numpy()
    figure, (axis,) = new_figure(panel_in=2.2)
    grid = {"gridsize": (72, 18), "extent": (0, 360, -90, 90), "linewidths": 0.1, "mincnt": 1}
    place = places.galactic
    longitude, latitude = place.l.deg, place.b.deg
    axis.hexbin(longitude, latitude, cmap=ListedColormap(["0.85"]), **grid)
    if found.any():
        cells = axis.hexbin(
            longitude[found], latitude[found], norm=LogNorm(), cmap="viridis_r", **grid
        )
        figure.colorbar(cells, label="stars with $p_b$ > 0.5 per cell", location="bottom", pad=0.02)
    axis.plot([], [], "h", ms=5, color="0.85", label="observed, none above 0.5")
    axis.set(xlabel="Galactic longitude $l$ (deg)", ylabel="Galactic latitude $b$ (deg)",
             xlim=(360, 0), ylim=(-90, 90))  # fmt: skip
    axis.set(xticks=range(0, 361, 60), yticks=range(-90, 91, 30))
    legend(axis)
    latitude = np.abs(latitude)
    measures = tuple(
        share("p_b > 0.5, by |b| in degrees", found[(latitude >= low) & (latitude < high)],
              bin=(float(low), float(high)))
        for low, high in ((0, 15), (15, 30), (30, 50), (50, 90.1))
    )  # fmt: skip
    return Result(measures, figure)


def distances(data: RunData) -> Result:
    """Figure 9: distances of the stars above 0.5."""
    stars = data.all_stars
    stars = stars[(stars["p_b"] > 0.5) & np.isfinite(stars["distance_pc"])]
    if stars.empty:
        return Result(skipped="no star above 0.5 has a distance: run `pairspec photometry`")
    distance = stars["distance_pc"].to_numpy()
    figure, (axis,) = new_figure()
    edges = np.geomspace(distance.min(), np.nextafter(distance.max(), np.inf), 31)
    axis.hist(distance, edges, histtype="step", color=BINARY,
              label=f"{distance.size:,} stars with $p_b$ > 0.5")  # fmt: skip
    middle = float(np.median(distance))
    axis.axvline(middle, color=BINARY, ls="--", label=f"median {middle:.0f} pc")
    axis.axvline(PAPER_MEDIAN_PC, color="black", ls=":",
                 label=f"median of {PAPER_NAME}, {PAPER_MEDIAN_PC:.0f} pc")  # fmt: skip
    axis.set(xlabel="distance (pc)", ylabel="stars per bin", xscale="log")
    plain_log(axis.xaxis)
    legend(axis)
    true_median, true_far = None, None
    if has_truth(stars):
        true_median = float(np.nanmedian(stars["true_distance_pc"]))
        true_far = float((stars["true_distance_pc"] > FAR_PC).sum())
    n_far = int((distance > FAR_PC).sum())
    measures = (
        Measure("median distance in pc, p_b > 0.5", median_interval(distance), len(stars),
                truth=true_median, paper=PAPER_MEDIAN_PC, main=True),
        Measure("stars beyond 10 kpc, p_b > 0.5", count_interval(n_far), len(stars),
                truth=true_far, paper=PAPER_BEYOND),
    )  # fmt: skip
    return Result(measures, figure)


def cmd_density(data: RunData) -> Result:
    """Figure 10: density in the colour-magnitude diagram below and above 0.5."""
    stars = data.all_stars
    stars = stars[np.isfinite(stars["g_ks_0"]) & np.isfinite(stars["m_g"])]
    if stars.empty:
        return Result(skipped="no star has a colour and M_G: run `pairspec photometry`")
    figure, axes = new_figure(2, 2.8)
    found = (stars["p_b"] > 0.5).to_numpy()
    colour, m_g = stars["g_ks_0"].to_numpy(), stars["m_g"].to_numpy()
    extent = (*_span(colour), *_span(m_g))
    measures, shown = [], []
    for axis, rows, name in ((axes[0], ~found, "p_b < 0.5"), (axes[1], found, "p_b > 0.5")):
        if rows.any():
            shown.append(
                axis.hexbin(colour[rows], m_g[rows], gridsize=40, extent=extent, mincnt=1,
                            cmap="viridis_r", linewidths=0.1)
            )  # fmt: skip
        axis.plot([], [], " ", label=f"${name}$ ({int(rows.sum()):,} stars)")
        axis.set(**_CMD, xlim=extent[:2], ylim=extent[:1:-1])
        legend(axis)
        excess = _excess(stars[rows])
        measures.append(
            Measure(f"median Delta M_G in mag, {name}", median_interval(excess), excess.size)
        )
    most = max(float(cells.get_array().max()) for cells in shown)
    for cells in shown:
        cells.set_norm(LogNorm(1, max(most, 2)))
    plain_log(figure.colorbar(shown[0], ax=axes, label="stars per cell").ax.yaxis)
    return Result(tuple(measures), figure)


def _excess(stars: pd.DataFrame) -> NDArray[np.float64]:
    excess = stars["delta_m_g"].to_numpy(np.float64)
    return np.asarray(excess[np.isfinite(excess)])


def _span(value: NDArray[np.float64]) -> tuple[float, float]:
    return float(value.min()) - 0.02, float(value.max()) + 0.02
