"""``pairspec label``: the ridge, the labels made from it, and the split by star."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.atomic import write_parquet
from pipeline.core.figures import KINDS, write_figure
from pipeline.core.ledger import Done
from pipeline.core.parts import write_parts
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.core.words import counted
from pipeline.labels.figure import ridge_figure
from pipeline.labels.label_table import (
    LabelledStars,
    count,
    label_all,
    labels_per_spectrum,
    split_lines,
)
from pipeline.labels.labels import BINARY, LABELS, SINGLE
from pipeline.labels.probability import photometric_error, with_scatter
from pipeline.labels.ridge import RidgeError, as_ridge, fit_ridge
from pipeline.labels.split import PARTS
from pipeline.labels.stars import Stars, gather_stars, read_measured, read_spectra
from pipeline.labels.user_labels import label_digest, match_labels
from pipeline.photometry.extinction import LAWS
from pipeline.selection.release import is_the_papers
from pipeline.settings.load import Settings
from pipeline.store.manifest import open_manifest
from schemas.photometry import PHOTOMETRY
from schemas.sample import LABELS as LABELS_TABLE
from schemas.sample import RIDGE, SAMPLE

PAPER_SPECTRA = {SINGLE: 68_299, BINARY: 3_818}
"""Labelled spectra of Jing et al. 2025. [paper]"""


def run(run: Run) -> StageReport:
    """Fit the ridge, label the stars of the training sample and split them.

    Parameters
    ----------
    run : Run
        Of it: ``labels``, ``inputs.labels``. The training sample, a small part of the survey, is
        held in memory.

    Returns
    -------
    StageReport
        Spectra by label, and stars by label and part as a table.

    Raises
    ------
    RidgeError
        There are too few stars for a ridge.
    """
    root, settings = run.root, run.settings
    sample, *_ = run.needs()
    brought = settings.inputs.labels
    # The columns are named, so that a run of an older version gets those that it lacks.
    digest = run.digest(
        sample, settings.labels, LABELS_TABLE.names, brought and label_digest(brought)
    )
    counts = run.once(_label, settings, root, brought, digest=digest).counts
    beside_paper = is_the_papers(sample.counts, settings)
    outputs = (root.table(LABELS_TABLE), root.table(RIDGE), root.reports / "ridge.png")
    return run.publish(
        digest,
        counts,
        shown={name: counts[name] for name in ("spectra", "stars", *LABELS)},
        notes=_notes(counts, settings, beside_paper=beside_paper),
        outputs=(path for path in outputs if path.exists()),
        table=split_lines(counts),
    )


def _label(settings: Settings, root: Root, brought: Path | None) -> Done:
    spectra = read_spectra(root.table(SAMPLE), training=True)
    stars = gather_stars(spectra, settings.sample.missing_values)
    ridge = _fit(stars, settings, needed=brought is None)
    given, unused = None, 0
    if brought is not None:
        spectra = read_spectra(root.table(SAMPLE), training=False)
        given, unused = match_labels(brought, spectra)
        named = np.isin(spectra["source_id"].to_numpy(), np.array(list(given), np.int64))
        spectra = spectra.filter(pa.array(named))
        stars = gather_stars(spectra, settings.sample.missing_values)
    error_S = _errors(stars, ridge, settings, root)
    curve = None if ridge is None else as_ridge(ridge)
    labelled = label_all(stars, curve, error_S, given, settings.labels)
    labels = labels_per_spectrum(labelled, spectra, settings.labels.binary_share)
    outputs = _write(settings, root, ridge, labelled, labels)
    ridge_stars = 0 if ridge is None else int(ridge["n_stars"].to_numpy().min())
    counts = count(labelled, labels) | {"unused": unused, "ridge_stars": ridge_stars}
    return Done(counts, outputs)


def _fit(stars: Stars, settings: Settings, *, needed: bool) -> pa.Table | None:
    useful = stars.complete_S & ~(stars.blended_S & settings.labels.exclude_blended)
    colours = (settings.sample.colour_min, settings.sample.colour_max)
    try:
        return fit_ridge(
            stars.colour_S[useful],
            stars.m_g_S[useful],
            stars.feh_S[useful],
            colours,
            settings.labels,
        )
    except RidgeError:
        # The user's own labels do without a ridge.
        if needed:
            raise
        return None


def _errors(
    stars: Stars, ridge: pa.Table | None, settings: Settings, root: Root
) -> NDArray[np.float64]:
    """Error of each star's distance from the ridge."""
    if ridge is None:
        return np.full(stars.source_S.size, np.nan)
    slope_S = as_ridge(ridge).colour_slope(stars.colour_S, stars.feh_S)
    measured = read_measured(root.table(PHOTOMETRY), stars.source_S)
    photometry = settings.photometry
    law = LAWS[photometry.extinction]
    scatter = np.average(ridge["sigma_mag"].to_numpy(), weights=ridge["n_kept"].to_numpy())
    error_S = photometric_error(measured, slope_S, law, photometry.e_bv_error)
    return with_scatter(error_S, float(scatter))


def _write(
    settings: Settings,
    root: Root,
    ridge: pa.Table | None,
    labelled: LabelledStars,
    labels: pa.Table,
) -> list[Path]:
    outputs = []
    if ridge is None:
        root.table(RIDGE).unlink(missing_ok=True)
        for kind in KINDS:
            (root.reports / f"ridge.{kind}").unlink(missing_ok=True)
    else:
        write_parquet(root.table(RIDGE), ridge)
        figure = ridge_figure(labelled, ridge, settings.labels)
        outputs = [root.table(RIDGE), *write_figure(root.reports, "ridge", figure)]
    shards = range(open_manifest(root.manifest).n_shards)
    return outputs + write_parts(root, LABELS_TABLE, shards, labels)


def _notes(counts: Mapping[str, int], settings: Settings, *, beside_paper: bool) -> list[str]:
    notes = []
    if settings.inputs.labels is not None:
        notes.append(f"labels of {settings.inputs.labels}")
        if counts["unused"]:
            notes.append(f"not in the sample: {counted(counts['unused'], 'rows')} of that table")
    if counts["blended"]:
        notes.append(f"blends by chance among the excluded: {counted(counts['blended'], 'stars')}")
    wanted = settings.labels.ridge_min_stars
    if counts["ridge_stars"] == 0:
        notes.append("too few stars for a ridge: no distance from it and no mass ratio is given")
    elif counts["ridge_stars"] < wanted:
        notes.append(
            f"the ridge rests on {counts['ridge_stars']} stars in all, {wanted} are wanted: its "
            "labels are rough"
        )
    empty = [
        f"{label} in {part}"
        for label in (SINGLE, BINARY)
        for part in PARTS
        if counts[f"{label} {part}"] == 0
    ]
    if empty:
        notes.append(f"no star is {', '.join(empty)}: the sample is too small to train on")
    if beside_paper:
        notes.append(
            f"the paper has {PAPER_SPECTRA[SINGLE]:,} single and {PAPER_SPECTRA[BINARY]:,} "
            "binary spectra"
        )
    return notes
