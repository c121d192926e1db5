"""The calibration of a network: fitted on the validation part, judged on the test part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.evaluation.calibration import (
    Reliability,
    balanced_weights,
    fit_temperature,
    posterior,
    reliability,
)
from pipeline.evaluation.intervals import Bootstrap
from pipeline.evaluation.labelled import LabelledPredictions
from pipeline.evaluation.smooth import SmoothCalibration, calibrated, fit_smooth
from pipeline.settings.evaluate import EvaluateSettings

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """How far probabilities agree with observed fractions, before and after the correction.

    Parameters
    ----------
    temperature : float
        Fitted on the validation part, classes weighted as in training.
    smooth : SmoothCalibration, optional
        Takes the place of the temperature in ``after`` and ``posterior``: asked for, and likelier
        on the validation part.
    before, after : Reliability
        On the test part, classes weighted as in training.
    posterior : Reliability
        Of the posterior in a population of the stated fraction of binaries.
    """

    temperature: float
    smooth: SmoothCalibration | None
    before: Reliability
    after: Reliability
    posterior: Reliability

    @property
    def divisor(self) -> float:
        """What `evidence` is divided by: the temperature, unless it is smooth."""
        return 1.0 if self.smooth else self.temperature


def evidence(part: LabelledPredictions, smooth: SmoothCalibration | None) -> FloatArray:
    """Log-odds of the spectra of a part: as the network gives them, or calibrated smoothly.

    Parameters
    ----------
    part : LabelledPredictions
        B spectra.
    smooth : SmoothCalibration, optional
        The calibration.
    """
    return calibrated(smooth, part.logit_B, part.teff_k_B, part.snr_g_B)


def calibrate(
    validation: LabelledPredictions,
    test: LabelledPredictions,
    draws: Bootstrap,
    trained_fraction: float,
    settings: EvaluateSettings,
) -> Calibration:
    """Fit the calibration on the validation part and try it on the test part.

    Parameters
    ----------
    validation, test : LabelledPredictions
        Of both classes.
    draws : Bootstrap
        Of the stars of the test part.
    trained_fraction : float
        Fraction of binaries that the network saw in training.
    settings : EvaluateSettings
        Kind of the calibration, bins, fraction of binaries.
    """
    temperature = fit_temperature(
        validation.logit_B,
        validation.binary_B,
        balanced_weights(validation.binary_B, trained_fraction),
    )
    smooth = None
    if settings.calibration == "smooth":
        smooth = fit_smooth(
            validation.logit_B, validation.binary_B, validation.star_B, validation.teff_k_B,
            validation.snr_g_B, trained_fraction, settings.seed,
        )  # fmt: skip
    divisor = 1.0 if smooth else temperature
    logit_B = evidence(test, smooth)
    as_trained = balanced_weights(test.binary_B, trained_fraction)
    population = balanced_weights(test.binary_B, settings.binary_fraction)
    stated = posterior(logit_B, divisor, trained_fraction, settings.binary_fraction)
    n_bins = settings.n_bins
    return Calibration(
        temperature,
        smooth,
        reliability(test.p_b_B, test.binary_B, as_trained, n_bins, draws),
        reliability(expit(logit_B / divisor), test.binary_B, as_trained, n_bins, draws),
        reliability(stated, test.binary_B, population, n_bins, draws),
    )
