"""All figures of merit of a network on the test part, with their intervals."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.evaluation.calibrated import Calibration, calibrate, evidence
from pipeline.evaluation.calibration import posterior
from pipeline.evaluation.epochs import (
    Combination,
    EpochRow,
    StarScores,
    by_epochs,
    fit_combination,
    star_scores,
)
from pipeline.evaluation.intervals import Bootstrap, Estimate, by_star
from pipeline.evaluation.labelled import LabelledPredictions
from pipeline.evaluation.precision import precision_from_rates
from pipeline.evaluation.roc import RocBand, RocCurve, rates, roc_band, roc_curve
from pipeline.evaluation.truth import Q_RANGE
from pipeline.network.metrics import weighted_auc
from pipeline.settings.evaluate import EvaluateSettings


@dataclass(frozen=True)
class ThresholdRow:
    """What one threshold on p_b does.

    Parameters
    ----------
    threshold : float
        On p_b, strict.
    tpr, fpr : Estimate
        Shares of binaries and singles above it.
    precision : dict of float to Estimate
        By the ratio of binaries to singles.
    """

    threshold: float
    tpr: Estimate
    fpr: Estimate
    precision: dict[float, Estimate]


@dataclass(frozen=True)
class Evaluation:
    """A network on the test part.

    Parameters
    ----------
    n_binary, n_single, n_stars : int
        Spectra of both classes, and stars.
    auc : Estimate
        Area under the ROC curve by the labels.
    auc_truth : Estimate, optional
        The same by the truth of a simulated survey.
    singles_below : dict of float to Estimate
        Share of the singles with p_b below a threshold.
    table : tuple of ThresholdRow
        By threshold.
    calibration : Calibration
        Of the probabilities.
    roc : RocCurve
        The curve.
    roc_band : RocBand
        Its interval.
    combination : Combination
        How several spectra of one star are combined, fitted on the validation part.
    epochs : tuple of EpochRow
        Calibration of the stars of the test part by their number of spectra.
    """

    n_binary: int
    n_single: int
    n_stars: int
    auc: Estimate
    auc_truth: Estimate | None
    singles_below: dict[float, Estimate]
    table: tuple[ThresholdRow, ...]
    calibration: Calibration
    roc: RocCurve
    roc_band: RocBand
    combination: Combination
    epochs: tuple[EpochRow, ...]

    def row(self, threshold: float) -> ThresholdRow:
        """Return the row of a threshold.

        Parameters
        ----------
        threshold : float
            One of the settings' thresholds.

        Returns
        -------
        ThresholdRow
            Its rates and precisions.
        """
        return next(row for row in self.table if row.threshold == threshold)

    def as_json(self) -> dict[str, Any]:
        """Return everything but the curves."""
        half, high = self.row(0.5), self.row(0.8)
        calibration = self.calibration
        return {
            "auc": self.auc.value,
            "auc_low": self.auc.low,
            "auc_high": self.auc.high,
            "auc_truth": self.auc_truth.as_dict() if self.auc_truth else None,
            "precision_at_0.5": half.precision[0.5].as_dict(),
            "precision_at_0.8": high.precision[0.5].as_dict(),
            "tpr_at_0.8": high.tpr.as_dict(),
            "singles_below": {str(t): e.as_dict() for t, e in self.singles_below.items()},
            "binaries": self.n_binary,
            "singles": self.n_single,
            "stars": self.n_stars,
            "thresholds": [
                {
                    "threshold": row.threshold,
                    "tpr": row.tpr.as_dict(),
                    "fpr": row.fpr.as_dict(),
                    "precision": {str(r): e.as_dict() for r, e in row.precision.items()},
                }
                for row in self.table
            ],
            "temperature": calibration.temperature,
            "calibration_error": {
                "network": calibration.before.expected_error,
                "temperature": calibration.after.expected_error,
                "posterior": calibration.posterior.expected_error,
            },
            "combination": asdict(self.combination),
            "by_epochs": [vars(row) for row in self.epochs],
        }


def evaluate(
    labelled: LabelledPredictions, trained_fraction: float, settings: EvaluateSettings
) -> Evaluation:
    """Evaluate a network on the test part, before any oversampling.

    Parameters
    ----------
    labelled : LabelledPredictions
        All labelled spectra with their predictions.
    trained_fraction : float
        Fraction of binaries that the network saw in training.
    settings : EvaluateSettings
        Thresholds, ratios, draws.

    Returns
    -------
    Evaluation
        Intervals are drawn by star.

    Raises
    ------
    ValueError
        A class is missing from the validation or the test part.
    """
    test, validation = labelled.part("test"), labelled.part("validation")
    for name, part in (("test", test), ("validation", validation)):
        n = int(part.binary_B.sum())
        if n in (0, part.binary_B.size):
            raise ValueError(
                f"the {name} part holds {n} binaries and {part.binary_B.size - n} singles with a "
                "p_b; both classes are needed: enlarge the sample"
            )

    draws = Bootstrap(test.star_B, settings.n_bootstrap, settings.seed)
    interval = draws.interval
    p_b, binary = test.p_b_B, test.binary_B

    def precision(threshold: float, ratio: float) -> Estimate:
        return interval(
            lambda weight: precision_from_rates(*rates(p_b, binary, threshold, weight), ratio)
        )

    def row(threshold: float) -> ThresholdRow:
        return ThresholdRow(
            threshold,
            interval(lambda weight: rates(p_b, binary, threshold, weight)[0]),
            interval(lambda weight: rates(p_b, binary, threshold, weight)[1]),
            {ratio: precision(threshold, ratio) for ratio in settings.ratios},
        )

    def below(threshold: float) -> Estimate:
        return interval(lambda weight: 1 - rates(p_b, binary, threshold, weight)[1])

    calibration = calibrate(validation, test, draws, trained_fraction, settings)
    combination, epochs = _combine(validation, test, calibration, trained_fraction, settings)
    return Evaluation(
        n_binary=int(binary.sum()),
        n_single=int((~binary).sum()),
        n_stars=np.unique(test.star_B).size,
        auc=interval(lambda weight: weighted_auc(p_b, binary, weight)),
        auc_truth=_auc_truth(labelled, settings),
        singles_below={threshold: below(threshold) for threshold in (0.2, 0.8)},
        table=tuple(row(threshold) for threshold in settings.thresholds),
        calibration=calibration,
        roc=roc_curve(p_b, binary),
        roc_band=roc_band(p_b, binary, draws),
        combination=combination,
        epochs=epochs,
    )


def _auc_truth(labelled: LabelledPredictions, settings: EvaluateSettings) -> Estimate | None:
    """Rank true pairs of the mass ratios that are looked for against true singles."""
    if not (labelled.kind_B != "").any():
        return None
    pair = (labelled.kind_B == "pair") & (labelled.q_B > Q_RANGE[0]) & (labelled.q_B < Q_RANGE[1])
    known = (labelled.split_B == "test") & np.isfinite(labelled.p_b_B)
    test = labelled.take(known & (pair | (labelled.kind_B == "single")))
    is_pair = test.kind_B == "pair"
    return by_star(
        lambda weight: weighted_auc(test.p_b_B, is_pair, weight),
        test.star_B,
        settings.n_bootstrap,
        settings.seed,
    )


def _combine(
    validation: LabelledPredictions,
    test: LabelledPredictions,
    calibration: Calibration,
    trained_fraction: float,
    settings: EvaluateSettings,
) -> tuple[Combination, tuple[EpochRow, ...]]:
    """Fit the combination on the stars of the validation part and try it on those of the test."""
    prior, smooth, divisor = settings.binary_fraction, calibration.smooth, calibration.divisor

    def scores(part: LabelledPredictions) -> StarScores:
        logit_B = evidence(part, smooth)
        each = posterior(logit_B, divisor, trained_fraction, prior)
        return star_scores(part.star_B, logit_B, each, part.binary_B)

    fitted, tried = scores(validation), scores(test)
    combination = fit_combination(
        fitted.logit_sum_S, fitted.n_S, fitted.binary_S, divisor, trained_fraction, prior, smooth
    )
    ways = {
        "maximum": tried.highest_S,
        "mean": tried.mean_S,
        "combined": combination.posterior(tried.logit_sum_S, tried.n_S),
    }
    return combination, by_epochs(ways, tried.n_S, tried.binary_S, prior, settings.n_bins)
