"""Figures 1, 7, 8, 9 and 10 of the paper from the run's own stars, and the numbers in them."""

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from numpy.typing import NDArray

from pipeline.core.colours import BINARY, SINGLE
from pipeline.validation.drawing import OTHER, legend, new_figure
from pipeline.validation.measure import Measure, count_interval, median_interval, share
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth

PAPER_SINGLES, PAPER_BINARIES = 68_299, 3_818
PAPER_ABOVE = {0.5: 468_634 / 971_805, 0.8: 323_909 / 971_805}
PAPER_MEDIAN_PC, PAPER_BEYOND = 700.0, 115
FAR_PC = 10_000.0
_CMD = {"xlabel": "$(G-K_s)_0$ / mag", "ylabel": "$M_G$ / mag"}


def training_cmd(data: RunData) -> Result:
    """Figure 1: the training sample in the colour-magnitude diagram, by label.

    Stars seen in training are what it shows, so none is left out.
    """
    stars = data.all_stars
    parts = {"single": (SINGLE, PAPER_SINGLES), "binary": (BINARY, PAPER_BINARIES),
             "excluded": (OTHER, None)}  # fmt: skip
    if not stars["label"].isin(list(parts)).any():
        return Result(skipped="no star has a label: run `pairspec label`")
    figure, (axis,) = new_figure(5, 5)
    measures = []
    for name, (colour, paper) in parts.items():
        here = stars[stars["label"] == name]
        n = len(here)
        measures.append(Measure(f"stars labelled {name}", count_interval(n), n, paper=paper))
        label = f"{name} ({n:,})"
        axis.plot(
            here["g_ks_0"], here["m_g"], ".", ms=2, color=colour, label=label, rasterized=True
        )
    axis.set(**_CMD)
    axis.invert_yaxis()
    legend(axis)
    return Result(tuple(measures), figure)


def counts(data: RunData) -> Result:
    """Figure 7: p_b of spectra and of stars, and how many lie above each value."""
    stars, spectra = data.stars["p_b"].to_numpy(), data.spectra["p_b"].to_numpy()
    figure, axes = new_figure(10, 4, 2)
    edges = np.linspace(0, 1, 41)
    for name, value, colour in (("spectra", spectra, SINGLE), ("stars", stars, BINARY)):
        axes[0].hist(value, edges, histtype="step", color=colour, label=f"{name} ({value.size:,})")
        axes[1].plot(np.sort(value)[::-1], np.arange(1, value.size + 1), color=colour, label=name)
    axes[0].set(xlabel="$p_b$", ylabel="number", xlim=(0, 1))
    axes[1].set(xlabel="$p_b$", ylabel="number above", xlim=(0, 1), yscale="log")
    legend(axes[0])
    truth = None
    if has_truth(data.stars):
        truth = float((data.stars["true_kind"] == "pair").mean())
    measures = [
        share(f"stars with p_b > {t:g}", stars > t, truth=truth, paper=paper, main=True)
        for t, paper in PAPER_ABOVE.items()
    ]
    return Result(tuple(measures), figure)


def sky(data: RunData) -> Result:
    """Figure 8: binaries on the sky, in Galactic coordinates."""
    # Here, since astropy's coordinates are slow to import.
    from astropy.coordinates import SkyCoord

    stars = data.stars
    placed = stars[np.isfinite(stars["ra_deg"])]
    places = SkyCoord(placed["ra_deg"].to_numpy(), placed["dec_deg"].to_numpy(), unit="deg")
    found = (placed["p_b"] > 0.5).to_numpy()
    figure, (axis,) = new_figure(9, 4.5)
    for rows, colour, name in ((~found, SINGLE, "others"), (found, BINARY, "$p_b$ > 0.5")):
        place = places.galactic[rows]
        axis.plot(place.l.deg, place.b.deg, ".", ms=1.5, color=colour, label=name, rasterized=True)
    axis.set(xlabel="l / deg", ylabel="b / deg", xlim=(360, 0), ylim=(-90, 90))
    legend(axis)
    latitude = np.abs(places.galactic.b.deg)
    measures = tuple(
        share("p_b > 0.5, by |b| in degrees", found[(latitude >= low) & (latitude < high)],
              bin=(float(low), float(high)))
        for low, high in ((0, 15), (15, 30), (30, 50), (50, 90.1))
    )  # fmt: skip
    return Result(measures, figure)


def distances(data: RunData) -> Result:
    """Figure 9: distances of the stars above 0.5."""
    stars = data.stars[(data.stars["p_b"] > 0.5) & np.isfinite(data.stars["distance_pc"])]
    if stars.empty:
        return Result(skipped="no star above 0.5 has a distance: run `pairspec photometry`")
    distance = stars["distance_pc"].to_numpy()
    figure, (axis,) = new_figure(5.5, 4)
    axis.hist(np.log10(distance), 40, histtype="step", color=BINARY)
    axis.set(xlabel="log10 distance / pc", ylabel="stars with $p_b$ > 0.5")
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
    stars = data.stars[np.isfinite(data.stars["g_ks_0"]) & np.isfinite(data.stars["m_g"])]
    if stars.empty:
        return Result(skipped="no star has a colour and M_G: run `pairspec photometry`")
    figure, axes = new_figure(9, 4.5, 2)
    found = (stars["p_b"] > 0.5).to_numpy()
    colour, m_g = stars["g_ks_0"].to_numpy(), stars["m_g"].to_numpy()
    span = [[float(f(colour)), float(g(m_g))] for f, g in ((np.min, np.min), (np.max, np.max))]
    bounds = list(zip(*span, strict=True))
    measures = []
    for axis, rows, name in ((axes[0], ~found, "p_b < 0.5"), (axes[1], found, "p_b > 0.5")):
        if rows.any():
            axis.hist2d(colour[rows], m_g[rows], 60, range=bounds, norm=LogNorm(), cmap="viridis")
        axis.set(title=f"${name}$", **_CMD)
        axis.set_ylim(bounds[1][::-1])
        excess = _excess(stars[rows])
        measures.append(
            Measure(f"median Delta M_G in mag, {name}", median_interval(excess), excess.size)
        )
    return Result(tuple(measures), figure)


def _excess(stars: pd.DataFrame) -> NDArray[np.float64]:
    excess = stars["delta_m_g"].to_numpy(np.float64)
    return np.asarray(excess[np.isfinite(excess)])
