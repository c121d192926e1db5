"""Radial velocities of several spectra: stars whose velocity varies, and stars that stand still."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from pipeline.catalogue.groups import Groups
from pipeline.core.colours import BINARY, SINGLE
from pipeline.core.figures import legend, new_figure
from pipeline.settings.validation import ValidationSettings
from pipeline.validation.drawing import draw_scores
from pipeline.validation.measure import Measure, mean_of, share
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth

FloatArray = NDArray[np.float64]

PAPER_VARIABLE, PAPER_STABLE = 0.928, 0.688
_HALF_NORMAL_MEDIAN = 0.67449
_LARGEST_FLOOR_KMS = 100.0
_CONSTANT = 0.1
WAYS = {"highest": "p_b", "mean": "p_b_mean", "combined": "p_b_combined"}


def validate(data: RunData) -> Result:
    """Compare p_b with the velocities of the spectra (figure 6 of the paper)."""
    return velocities(data.stars, data.spectra, data.settings)


def velocities(stars: pd.DataFrame, spectra: pd.DataFrame, settings: ValidationSettings) -> Result:
    """Measure how many variable stars are called binaries, and how many stable ones single.

    Parameters
    ----------
    stars : pandas.DataFrame
        Stars of the catalogue.
    spectra : pandas.DataFrame
        ``star_id, rv_kms, rv_err_kms`` of their spectra.
    settings : ValidationSettings
        Limits of the classes.

    Returns
    -------
    Result
        The truth is the share of the same stars that truly are pairs, or single.
    """
    known = spectra[np.isfinite(spectra["rv_kms"])]
    frame = known.merge(stars, on="star_id", suffixes=("", "_star"))
    frame = frame.sort_values("star_id", kind="stable", ignore_index=True)
    groups = Groups(frame["star_id"].to_numpy())
    floor = error_floor(groups, frame["rv_kms"].to_numpy(), frame["rv_err_kms"].to_numpy())
    constant = constant_probability(
        groups, frame["rv_kms"].to_numpy(), frame["rv_err_kms"].to_numpy(), floor
    )
    n = groups.count(np.ones(len(frame), bool))
    span = _span(groups, frame["rv_kms"].to_numpy())
    several = frame.iloc[groups.start_S].reset_index(drop=True)
    enough = n >= settings.stable_spectra
    limit = settings.constant_probability
    classes = {
        f"Delta rv_max > {settings.rv_variable_kms:g} km/s": (
            (n > 1) & (span > settings.rv_variable_kms), True, PAPER_VARIABLE,
        ),
        f"Delta rv_max < {settings.rv_stable_kms:g} km/s, {settings.stable_spectra}+ spectra": (
            enough & (span < settings.rv_stable_kms), False, PAPER_STABLE,
        ),
        f"P(constant) < {limit:g}": ((n > 1) & (constant < limit), True, None),
        f"P(constant) > {_CONSTANT:g}, {settings.stable_spectra}+ spectra": (
            enough & (constant > _CONSTANT), False, None,
        ),
    }  # fmt: skip
    measures: list[Measure] = []
    figure, axes = new_figure(2)
    for number, (name, (rows, binary, paper)) in enumerate(classes.items()):
        here = several[rows]
        for way, column in WAYS.items():
            p = here.loc[np.isfinite(here[column]), column].to_numpy()
            word = "binary" if binary else "single"
            measures.append(
                share(
                    f"{name}: {word} by the {way}", (p > 0.5) == binary, truth=_true(here, binary),
                    paper=paper if way == "highest" else None, main=way == "highest",
                )
            )  # fmt: skip
        measures += _numbers(name, n[rows], settings.stable_spectra)
        colour = BINARY if binary else SINGLE
        above = paper if binary or paper is None else 1 - paper
        text = name.replace("Delta rv_max", r"$\Delta v_{\rm max}$").replace("km/s", "km s$^{-1}$")
        draw_scores(axes[number // 2], here["p_b"].to_numpy(), text, colour, above)
    for axis in axes:
        legend(axis)
    if not measures or not (n > 1).any():
        return Result(skipped="no star has two spectra with a radial velocity and a p_b")
    note = (
        f"{int((n > 1).sum()):,} stars have several velocities; {floor:.2f} km/s are added in "
        "quadrature to the errors of the survey, so that most stars stand still"
    )
    return Result(tuple(measures), figure, (note,))


def error_floor(groups: Groups, rv_kms_B: FloatArray, error_kms_B: FloatArray) -> float:
    """Fit what must be added to the errors for most stars to have a constant velocity.

    The median of ``|v1 - v2| / sqrt(e1^2 + e2^2 + 2 s^2)`` over the first two spectra of all stars
    is that of a half-normal distribution, which few variable stars hardly change. [derived]

    Parameters
    ----------
    groups : Groups
        Stars of the spectra.
    rv_kms_B, error_kms_B : ndarray of float64, (B,)
        Velocities and their errors; an unknown error counts as 0.

    Returns
    -------
    float
        The floor s in km/s; 0 where the errors are large enough, or no star has two spectra.
    """
    first = groups.start_S[np.bincount(groups.of_row_B, minlength=len(groups)) > 1]
    if not first.size:
        return 0.0
    apart = np.abs(rv_kms_B[first] - rv_kms_B[first + 1])
    variance = np.nan_to_num(error_kms_B) ** 2
    total = variance[first] + variance[first + 1]

    def excess(floor: float) -> float:
        # Positive while the errors are too small.
        return float(np.median(apart - _HALF_NORMAL_MEDIAN * np.sqrt(total + 2 * floor**2)))

    if excess(0.0) <= 0:
        return 0.0
    if excess(_LARGEST_FLOOR_KMS) >= 0:
        return _LARGEST_FLOOR_KMS
    return float(brentq(excess, 0.0, _LARGEST_FLOOR_KMS))


def constant_probability(
    groups: Groups, rv_kms_B: FloatArray, error_kms_B: FloatArray, floor_kms: float
) -> FloatArray:
    """Chance of a larger chi-square if the velocity of each star is constant.

    Parameters
    ----------
    groups, rv_kms_B, error_kms_B
        As of `error_floor`.
    floor_kms : float
        Added to the errors in quadrature.

    Returns
    -------
    ndarray of float64, (S,)
        NaN for stars with one spectrum, or whose errors are all 0.
    """
    variance = np.nan_to_num(error_kms_B) ** 2 + floor_kms**2
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = 1 / variance
        mean = groups.sum(weight * rv_kms_B) / groups.sum(weight)
        total = groups.sum(weight * (rv_kms_B - mean[groups.of_row_B]) ** 2)
    n = np.bincount(groups.of_row_B, minlength=len(groups))
    return np.where(n > 1, chi2.sf(total, np.maximum(n - 1, 1)), np.nan)


def _span(groups: Groups, rv_kms: FloatArray) -> FloatArray:
    everywhere = np.ones(rv_kms.size, bool)
    highest, lowest = groups.largest(rv_kms, everywhere), groups.largest(-rv_kms, everywhere)
    return np.asarray(rv_kms[highest] - rv_kms[lowest])


def _true(here: pd.DataFrame, binary: bool) -> float | None:
    if not has_truth(here):
        return None
    kind = here.loc[here["true_kind"] != "", "true_kind"]
    return mean_of((kind == ("pair" if binary else "single")).to_numpy())


def _numbers(name: str, n: "NDArray[np.int64]", most: int) -> list[Measure]:
    """Share of the stars of a class that have so many spectra."""
    return [
        share(f"{name}: {k}{'+' if k == most else ''} spectra", n >= k if k == most else n == k)
        for k in range(2, most + 1)
    ]
