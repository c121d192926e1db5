"""Another catalogue of binaries: overlap, recall, and where the two disagree."""

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.core.colours import BINARY, SINGLE
from pipeline.core.figures import legend, new_figure
from pipeline.settings.validation import ValidationSettings
from pipeline.validation.drawing import draw_scores
from pipeline.validation.given import read_compare
from pipeline.validation.matching import by_id_or_position, first_of_each, match_note
from pipeline.validation.measure import Measure, count_interval, mean_of, share
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth


def validate(data: RunData) -> Result:
    """Compare the run with ``inputs.compare``."""
    theirs = read_compare(data.given("compare"), data.settings)
    return compare(data.all_stars, theirs, data.settings)


def compare(stars: pd.DataFrame, theirs: pd.DataFrame, settings: ValidationSettings) -> Result:
    """Measure how far two catalogues agree, and list the stars on which they do not.

    Parameters
    ----------
    stars : pandas.DataFrame
        Stars of the catalogue, those seen in training too, which are counted as overlap only.
    theirs : pandas.DataFrame
        As from `pipeline.validation.given.read_compare`.
    settings : ValidationSettings
        Radius, epoch, threshold on their score.

    Returns
    -------
    Result
        The truth is the share of the same stars that truly are pairs, or single.
    """
    row = by_id_or_position(
        theirs["source_id"].to_numpy(), theirs["ra"].to_numpy(), theirs["dec"].to_numpy(),
        settings.compare_epoch_yr, stars, settings.radius_arcsec,
    )  # fmt: skip
    first = first_of_each(row)
    both = stars.iloc[row[first]].reset_index(drop=True)
    both["their_score"] = theirs["score"].to_numpy()[first] if "score" in theirs else np.inf
    usable = ~both["their_score"].isna() & ~both["seen"]
    judged = both[usable].reset_index(drop=True)
    theirs_binary = (judged["their_score"] > settings.compare_threshold).to_numpy()
    true = (judged["true_kind"] == "pair").to_numpy() if has_truth(judged) else None
    p_b = judged["p_b"].to_numpy()
    n = len(both)
    measures = [Measure("stars in both catalogues", count_interval(n), n, main=True)]
    for t in settings.thresholds:
        for word, rows, hit in (
            (f"their binaries with p_b > {t:g}", theirs_binary, p_b > t),
            (f"their others with p_b < {t:g}", ~theirs_binary, p_b < t),
        ):
            truth = None if true is None else mean_of((true == theirs_binary)[rows])
            measures.append(share(word, hit[rows], truth=truth, main=t == 0.5))
    apart = (p_b > 0.5) != theirs_binary
    columns = ("star_id", "source_id", "p_b", "p_b_combined", "n_spectra", "their_score")
    listed = pa.table(
        {name: pa.array(judged.loc[apart, name].to_numpy(), from_pandas=True) for name in columns}
    )
    figure, (axis,) = new_figure()
    draw_scores(axis, p_b[theirs_binary], "their binaries", BINARY)
    draw_scores(axis, p_b[~theirs_binary], "their others", SINGLE)
    legend(axis)
    apart_note = (
        f"{n - len(judged):,} of these have no score or were seen in training; "
        f"{int(apart.sum()):,} stars on which the catalogues disagree are in listed.parquet"
    )
    notes = (match_note(row, first), apart_note)
    return Result(tuple(measures), figure, notes, listed)
