"""The figure of one star: spectrum, what the network looked at, diagram, p_b over epochs."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm, TwoSlopeNorm

from pipeline.core.colours import BINARY, SINGLE
from pipeline.star.attribution import WINDOW, Attribution
from pipeline.star.spectrum import OneSpectrum
from pipeline.star.star import COLOUR_STEP, M_G_STEP, Diagram, Star

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE_INCHES = (12, 11)
_TOWARDS = LinearSegmentedColormap.from_list("towards", [SINGLE, "#d9d9d9", BINARY])


def draw_star(
    figure: "Figure",
    star: Star,
    diagram: Diagram,
    which: Any,
    spectrum: OneSpectrum,
    attribution: Attribution | None,
) -> None:
    """Draw one star into an empty figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Empty, with a constrained layout.
    star : Star
        The star.
    diagram : Diagram
        Of all stars.
    which : mapping
        The spectrum that is drawn, as of `Star.chosen`.
    spectrum : OneSpectrum
        Its fluxes.
    attribution : Attribution, optional
        What each pixel adds to the logit; None without the network that gave p_b.
    """
    grid = figure.add_gridspec(3, 2, height_ratios=[1, 1, 1.5])
    top = figure.add_subplot(grid[0, :])
    middle = figure.add_subplot(grid[1, :], sharex=top)
    p_b = "no $p_b$" if which["p_b"] is None else f"$p_b$ = {which['p_b']:.3f}"
    snr = "-" if which["snr_g"] is None else f"{which['snr_g']:.0f}"
    figure.suptitle(
        f"{star.row['star_id']}  {star.row['designation'] or ''}\n"
        f"obsid {which['obsid']}, S/N {snr}, {p_b}"
    )
    _draw_flux(top, spectrum)
    _draw_attribution(middle, spectrum, attribution)
    _draw_diagram(figure.add_subplot(grid[2, 0]), star, diagram)
    _draw_epochs(figure.add_subplot(grid[2, 1]), star)


def _draw_flux(axes: Any, spectrum: OneSpectrum) -> None:
    axes.plot(spectrum.wave_L, spectrum.flux_L, lw=0.5, color="0.2", label="flux")
    axes.plot(spectrum.wave_L, spectrum.continuum_L, color=BINARY, lw=1.2, label="smoothed flux")
    seen = spectrum.flux_L[~spectrum.bad_L]
    if seen.size:
        low, high = np.percentile(seen, [0.1, 99.9])
        axes.set_ylim(low - 0.1 * (high - low), high + 0.15 * (high - low))
    axes.set(ylabel="flux (survey's units)")
    axes.legend(fontsize=8, loc="upper right")


def _draw_attribution(axes: Any, spectrum: OneSpectrum, attribution: Attribution | None) -> None:
    normal_L = np.where(spectrum.bad_L, np.nan, spectrum.normal_L)
    axes.set(
        xlabel=f"{spectrum.frame} wavelength in vacuum (Angstrom)",
        ylabel="normalised flux",
        xlim=(spectrum.wave_L[0], spectrum.wave_L[-1]),
    )
    if attribution is None:
        axes.plot(spectrum.wave_L, normal_L, lw=0.6, color="0.3")
        return
    points = np.column_stack([spectrum.wave_L, normal_L])[:, None]
    ends = np.concatenate([points[:-1], points[1:]], axis=1)
    near_L = attribution.window_L
    most = float(np.abs(near_L).max()) or 1.0
    lines = LineCollection(
        list(ends), cmap=_TOWARDS, norm=TwoSlopeNorm(0, -most, most), linewidths=1.1
    )
    lines.set_array(near_L[:-1])
    axes.add_collection(lines)
    axes.autoscale_view(scalex=False)
    axes.figure.colorbar(lines, ax=axes, label=f"{WINDOW} pixels add to the logit", pad=0.01)
    axes.set_title(str(attribution), fontsize=9)


def _draw_diagram(axes: Any, star: Star, diagram: Diagram) -> None:
    axes.set(xlabel="$(G-K_s)_0$ (mag)", ylabel="$M_G$ (mag)")
    if diagram.n_B.size:
        colours = np.arange(diagram.colour_B.min(), diagram.colour_B.max() + 1.5 * COLOUR_STEP,
                            COLOUR_STEP) - COLOUR_STEP / 2  # fmt: skip
        m_gs = np.arange(diagram.m_g_B.min(), diagram.m_g_B.max() + 1.5 * M_G_STEP,
                         M_G_STEP) - M_G_STEP / 2  # fmt: skip
        axes.hist2d(
            diagram.colour_B, diagram.m_g_B, [colours, m_gs], weights=diagram.n_B, cmin=1,
            cmap="Greys", norm=LogNorm(0.3, max(diagram.n_B.max(), 1)),
        )  # fmt: skip
    if star.ridge is not None:
        colour_G, feh = star.ridge.colour_G, star.row["feh"]
        shown = float(np.median(star.ridge.feh_Z)) if feh is None else feh
        ridge_G = star.ridge.m_g(colour_G, np.full(colour_G.size, shown))
        axes.plot(colour_G, ridge_G, color=SINGLE, lw=1.5, label=f"ridge, [Fe/H] {shown:+.2f}")
    colour, m_g = star.row["g_ks_0"], star.row["m_g"]
    if colour is not None and m_g is not None:
        errors = (star.row["m_g_err"] or 0.0, star.row["g_ks_0_err"] or 0.0)
        axes.errorbar(colour, m_g, *errors, fmt="*", ms=14, color=BINARY, label="this star")
    else:
        axes.set_title("this star has no $(G-K_s)_0$ or $M_G$", fontsize=9)
    axes.invert_yaxis()
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8)


def _draw_epochs(axes: Any, star: Star) -> None:
    seen = [one for one in star.spectra if one["p_b"] is not None]
    dated = all(one["mjd_utc"] is not None for one in seen)
    time = [one["mjd_utc"] if dated else number for number, one in enumerate(seen, start=1)]
    size = [20 + (one["snr_g"] or 0.0) for one in seen]
    axes.scatter(
        time, [one["p_b"] for one in seen], size, color=SINGLE, label="size: S/N", zorder=2
    )
    combined = star.row["p_b_combined"]
    if combined is not None:
        axes.axhline(combined, color=BINARY, lw=1.2, label=f"combined {combined:.3f}")
    axes.axhline(0.5, color="0.7", lw=0.8, ls="--")
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.set(xlabel="MJD (UTC)" if dated else "spectrum", ylabel="$p_b$", ylim=(-0.03, 1.03))
    axes.legend(fontsize=8)
