"""Planet hosts that are called binaries, and which of them are not known as such."""

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.core.colours import BINARY, SINGLE
from pipeline.core.figures import GUIDE, PAPER_NAME, legend, new_figure
from pipeline.settings.validation import ValidationSettings
from pipeline.validation.drawing import draw_scores
from pipeline.validation.given import read_planets
from pipeline.validation.matching import by_id_or_position, first_of_each, match_note
from pipeline.validation.measure import Measure, count_interval, mean_of, share
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth

PAPER_HOSTS, PAPER_NEW = 128, 114


def validate(data: RunData) -> Result:
    """Compare the run with ``inputs.planets``."""
    return planets(data.all_stars, read_planets(data.given("planets")), data.settings)


def planets(stars: pd.DataFrame, hosts: pd.DataFrame, settings: ValidationSettings) -> Result:
    """Count the planet hosts above 0.5, and list them.

    Parameters
    ----------
    stars : pandas.DataFrame
        Stars of the catalogue, those seen in training too, which are left out.
    hosts : pandas.DataFrame
        As from `pipeline.validation.given.read_planets`.
    settings : ValidationSettings
        Radius and epoch.

    Returns
    -------
    Result
        The truth is the number, or the share, of the same hosts that truly are pairs.
    """
    row = by_id_or_position(
        hosts["source_id"].to_numpy(), hosts["ra"].to_numpy(), hosts["dec"].to_numpy(),
        settings.planets_epoch_yr, stars, settings.radius_arcsec,
    )  # fmt: skip
    first = first_of_each(row)
    found = stars.iloc[row[first]].reset_index(drop=True)
    found["name"] = hosts.loc[first, "name"].to_numpy()
    found["sy_snum"] = hosts.loc[first, "stars"].to_numpy()
    n_seen = int(found["seen"].sum())
    found = found[~found["seen"]].reset_index(drop=True)
    flagged = (found["p_b"] > 0.5).to_numpy()
    known = (found["sy_snum"] > 1).to_numpy()
    new = flagged & ~known
    true = (found["true_kind"] == "pair").to_numpy() if has_truth(found) else None

    def counted(
        name: str, rows: "np.ndarray[tuple[int], np.dtype[np.bool_]]", paper: int
    ) -> Measure:
        truth = None if true is None else float((rows & true).sum())
        n = int(rows.sum())
        return Measure(name, count_interval(n), n, truth=truth, paper=paper, main=True)

    measures = (
        counted("hosts with p_b > 0.5", flagged, PAPER_HOSTS),
        counted("of them not known as binaries", new, PAPER_NEW),
        share(
            "share of hosts with p_b > 0.5", flagged, truth=None if true is None else mean_of(true)
        ),
    )
    columns = ("star_id", "p_b", "p_b_combined", "n_spectra", "sy_snum")
    listed = pa.table(
        {"name": found.loc[flagged, "name"].to_numpy(str)}
        | {
            name: pa.array(found.loc[flagged, name].to_numpy(), from_pandas=True)
            for name in columns
        }
        | {"known_binary": known[flagged]}
    )
    figure, (axis,) = new_figure()
    draw_scores(axis, found["p_b"].to_numpy(), "planet hosts", BINARY)
    draw_scores(axis, stars["p_b"].to_numpy(), "all stars", SINGLE)
    axis.axvline(0.5, **GUIDE)
    axis.plot(
        [], [], " ", label=f"{int(flagged.sum())} hosts above 0.5 ({PAPER_NAME}: {PAPER_HOSTS})"
    )
    legend(axis)
    notes = [match_note(row, first), f"{n_seen:,} of these were seen in training and are left out"]
    if not np.isfinite(hosts["stars"]).any():
        notes.append("the table has no sy_snum: no host counts as a known binary")
    return Result(measures, figure, tuple(notes), listed)
