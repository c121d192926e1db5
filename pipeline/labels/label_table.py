"""The table of labels: what is known of every star, repeated for each of its spectra; counts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.labels.labels import EXCLUDED, LABELS, label_stars, sampler_weights
from pipeline.labels.mass_ratio import q_fixed_colour, q_fixed_primary
from pipeline.labels.probability import binary_probability
from pipeline.labels.ridge import Ridge
from pipeline.labels.split import PARTS, split
from pipeline.labels.stars import Stars
from pipeline.settings.labels import LabelSettings
from schemas.sample import LABELS as LABELS_TABLE

Float32Array = NDArray[np.float32]
StrArray = NDArray[np.str_]


@dataclass(frozen=True)
class LabelledStars:
    """S stars with their labels.

    Parameters
    ----------
    stars : Stars
        The stars.
    ridge_m_g_S, delta_m_g_S : ndarray of float32, (S,)
        M_G of the ridge, and M_G less that, in magnitudes; NaN where unknown.
    error_S : ndarray of float64, (S,)
        Error of that difference in magnitudes; NaN where unknown.
    p_binary_S : ndarray of float64, (S,)
        Probability of the class binary; NaN where excluded.
    label_S, split_S : ndarray of str, (S,)
        Label and part.
    q_fixed_primary_S, q_fixed_colour_S : ndarray of float64, (S,)
        Mass ratio in both conventions.
    """

    stars: Stars
    ridge_m_g_S: Float32Array
    delta_m_g_S: Float32Array
    error_S: NDArray[np.float64]
    p_binary_S: NDArray[np.float64]
    label_S: StrArray
    split_S: StrArray
    q_fixed_primary_S: NDArray[np.float64]
    q_fixed_colour_S: NDArray[np.float64]


def label_all(
    stars: Stars,
    ridge: Ridge | None,
    error_S: NDArray[np.float64],
    given: dict[int, str] | None,
    settings: LabelSettings,
) -> LabelledStars:
    """Label stars by the ridge, or as the user says, and put each into its part.

    Parameters
    ----------
    stars : Stars
        The stars.
    ridge : Ridge, optional
        None where there are too few stars for one.
    error_S : ndarray of float64, (S,)
        Error of M_G less the ridge; NaN where unknown. Labels that the user gives are certain.
    given : dict of int to str, optional
        The user's labels by source id; all stars must be in it.
    settings : LabelSettings
        Bands, split, isochrone.

    Returns
    -------
    LabelledStars
        In the order of ``stars``.
    """
    nan = np.full(stars.source_S.size, np.nan)
    ridge_m_g = nan if ridge is None else ridge.m_g(stars.colour_S, stars.feh_S)
    stored = ridge_m_g.astype(np.float32)
    delta = (stars.m_g_S - ridge_m_g).astype(np.float32)
    if given is None:
        label = label_stars(delta, stars.blended_S & settings.exclude_blended, settings)
    else:
        label = np.array([given[source] for source in stars.source_S.tolist()])
    above = delta.astype(float)
    unsure = error_S if given is None else nan
    return LabelledStars(
        stars,
        stored,
        delta,
        error_S,
        binary_probability(above, unsure, label, settings),
        label,
        split(stars.source_S, settings),
        q_fixed_primary(ridge_m_g, above, stars.feh_S, settings.log_age),
        q_fixed_colour(stars.colour_S, above, stars.feh_S, settings.log_age),
    )


def labels_per_spectrum(
    labelled: LabelledStars, spectra: pa.Table, binary_share: float
) -> pa.Table:
    """Give every spectrum what is known of its star, and its weight for the sampler.

    Parameters
    ----------
    labelled : LabelledStars
        The stars.
    spectra : pyarrow.Table
        Spectra of these stars, ordered by row.
    binary_share : float
        Wanted share of binaries in the training part.

    Returns
    -------
    pyarrow.Table
        As ``schemas.sample.LABELS``.
    """
    stars = labelled.stars
    star_B = np.searchsorted(stars.source_S, spectra["source_id"].to_numpy())
    label_B, split_B = labelled.label_S[star_B], labelled.split_S[star_B]
    columns = {name: spectra[name] for name in ("shard", "row", "obsid", "source_id")} | {
        "g_ks_0": stars.colour_S[star_B],
        "m_g": stars.m_g_S[star_B],
        "feh": stars.feh_S[star_B],
        "ridge_m_g": labelled.ridge_m_g_S[star_B],
        "delta_m_g": labelled.delta_m_g_S[star_B],
        "delta_m_g_err": labelled.error_S[star_B],
        "p_label_binary": labelled.p_binary_S[star_B],
        "label": label_B.tolist(),
        "split": split_B.tolist(),
        "weight": sampler_weights(label_B, split_B, binary_share),
        "q_fixed_primary": labelled.q_fixed_primary_S[star_B],
        "q_fixed_colour": labelled.q_fixed_colour_S[star_B],
    }
    arrays = {}
    for field in LABELS_TABLE.schema:
        value = columns[field.name]
        if isinstance(value, np.ndarray):
            value = value.astype(np.float32)  # all of them are single precision
            arrays[field.name] = pa.array(value, field.type, from_pandas=True)
        else:
            arrays[field.name] = value if isinstance(value, pa.ChunkedArray) else pa.array(value)
    return pa.table(arrays).cast(LABELS_TABLE.schema)


def count(labelled: LabelledStars, labels: pa.Table) -> dict[str, int]:
    """Count spectra and stars by label and part.

    Parameters
    ----------
    labelled : LabelledStars
        The stars.
    labels : pyarrow.Table
        As from :func:`labels_per_spectrum`.

    Returns
    -------
    dict of str to int
        ``spectra``, ``stars``, ``blended`` (stars), spectra by label (``single``), stars by
        label and part (``single training``).
    """
    label_B = np.array(labels["label"].to_pylist(), dtype=object)
    counts = {
        "spectra": labels.num_rows,
        "stars": labelled.label_S.size,
        "blended": int((labelled.stars.blended_S & (labelled.label_S == EXCLUDED)).sum()),
    }
    for label in LABELS:
        counts[label] = int((label_B == label).sum())
        for part in PARTS:
            inside = (labelled.label_S == label) & (labelled.split_S == part)
            counts[f"{label} {part}"] = int(inside.sum())
    return counts


def split_lines(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return stars by label and part as lines of text."""
    head = f"{'stars':<12}" + "".join(f"{part:>12}" for part in PARTS)
    rows = (
        f"{label:<12}" + "".join(f"{counts[f'{label} {part}']:>12,}" for part in PARTS)
        for label in LABELS
    )
    return (head, *rows)
