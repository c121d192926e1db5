"""Eclipsing binaries that are known from light curves: how many of them are found."""

from itertools import pairwise

import pandas as pd

from pipeline.core.colours import BINARY, SINGLE
from pipeline.core.figures import PAPER_NAME, legend, new_figure, plain_log
from pipeline.settings.validation import ValidationSettings
from pipeline.validation.drawing import draw_bins, draw_scores
from pipeline.validation.given import read_eclipsing
from pipeline.validation.matching import by_position, first_of_each, match_note
from pipeline.validation.measure import Measure, mean_of, share
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth

PAPER = {"EA": 0.9645, "EW": 0.9640}
"""Share with p_b > 0.5 of the binaries of Chen et al. 2020."""

COLOURS = {"EA": BINARY, "EW": SINGLE}


def validate(data: RunData) -> Result:
    """Compare the run with ``inputs.eclipsing`` (figure 5 of the paper)."""
    return eclipsing(data.all_stars, read_eclipsing(data.given("eclipsing")), data.settings)


def eclipsing(stars: pd.DataFrame, known: pd.DataFrame, settings: ValidationSettings) -> Result:
    """Measure the share of eclipsing binaries that are found, by type and period.

    Parameters
    ----------
    stars : pandas.DataFrame
        Stars of the catalogue, those seen in training too, which are shown apart.
    known : pandas.DataFrame
        As from `pipeline.validation.given.read_eclipsing`.
    settings : ValidationSettings
        Thresholds, radius, bins.

    Returns
    -------
    Result
        The truth is what the same count gives for the stars that truly eclipse, found by id.
    """
    row = by_position(
        known["ra"].to_numpy(), known["dec"].to_numpy(), settings.eclipsing_epoch_yr, stars,
        settings.radius_arcsec,
    )  # fmt: skip
    first = first_of_each(row)
    matched = stars.iloc[row[first]].reset_index(drop=True)
    matched[["type", "period"]] = known.loc[first, ["type", "period"]].to_numpy()
    seen = matched["seen"].to_numpy(bool)
    measures: list[Measure] = []
    figure, (upper, lower) = new_figure(2)
    lower.set_xscale("log")
    for kind, paper in PAPER.items():
        of_type = (matched["type"] == kind).to_numpy()
        ours = matched[of_type & ~seen]
        true = _true(stars, kind)
        measures += [
            share(
                f"{kind}, p_b > {t:g}", (ours["p_b"] > t).to_numpy(),
                truth=None if true is None else mean_of((true["p_b"] > t).to_numpy()),
                paper=paper if t == 0.5 else None, main=t == 0.5,
            )
            for t in settings.thresholds
        ]  # fmt: skip
        trained = (matched.loc[of_type & seen, "p_b"] > 0.5).to_numpy()
        measures.append(share(f"{kind}, p_b > 0.5, seen in training", trained))
        bins = [_in_period(kind, edge, ours, true) for edge in pairwise(settings.period_edges_day)]
        draw_scores(upper, ours["p_b"].to_numpy(), kind, COLOURS[kind], paper)
        shift = -0.06 if kind == "EA" else 0.06
        draw_bins(lower, bins, kind, COLOURS[kind], shift)
        lower.axhline(paper, color="black", ls=":", lw=0.8)
        measures += bins
    lower.plot([], [], color="black", ls=":", label=f"{PAPER_NAME}, all periods")
    lower.set(xlabel="period (d)", ylabel="fraction with $p_b$ > 0.5", ylim=(0, 1.05))
    plain_log(lower.xaxis)
    legend(upper)
    legend(lower, columns=2)
    others = int((~matched["type"].isin(list(PAPER))).sum())
    notes = [match_note(row, first), f"{int(seen.sum()):,} seen in training are shown apart"]
    if others:
        notes.append(f"{others:,} are of other types than EA and EW and are not counted")
    return Result(tuple(measures), figure, tuple(notes))


def _true(stars: pd.DataFrame, kind: str) -> pd.DataFrame | None:
    if not has_truth(stars):
        return None
    return stars[(stars["true_eclipsing"] == kind) & ~stars["seen"]]


def _in_period(
    kind: str, edge: tuple[float, float], ours: pd.DataFrame, true: pd.DataFrame | None
) -> Measure:
    inside = ours["period"].astype(float).between(*edge, inclusive="left").to_numpy()
    truth = None
    if true is not None:
        within = true["true_period_day"].between(*edge, inclusive="left").to_numpy()
        truth = mean_of((true["p_b"] > 0.5).to_numpy()[within])
    found = (ours["p_b"] > 0.5).to_numpy()[inside]
    return share(f"{kind}, p_b > 0.5, by period in days", found, bin=edge, truth=truth)
