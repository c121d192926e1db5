"""Several spectra of one star as one probability, and how well each way of it is calibrated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from pipeline.evaluation.calibration import balanced_weights, negative_log_likelihood, reliability
from pipeline.evaluation.smooth import SmoothCalibration, calibrated

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

FEWEST_REPEATED = 20
"""Stars of each class with several spectra that a fit of the exponent needs."""

EPOCHS = ("1", "2", "3", "4+")


@dataclass(frozen=True)
class Combination:
    """How the spectra of a star are combined.

    The log-likelihood ratio of a spectrum is its logit over the temperature, less the log-odds of
    the fraction of binaries in training. Over n spectra of a star they add up to n**(-exponent)
    times their sum: 0 for independent spectra, 1 (their mean) for spectra that tell the same thing
    again. The log-odds of the stated fraction of binaries are added. [derived: Bayes]

    Parameters
    ----------
    temperature : float
        As from `pipeline.evaluation.calibration.fit_temperature`; 1 with a smooth calibration.
    trained_fraction, binary_fraction : float
        Fraction of binaries that the network saw in training, and that of the population.
    n_stars : int
        Stars with several spectra that there were to fit the exponent on.
    exponent : float
        Between 0 and 1.
    fitted : bool
        The exponent was fitted; else there were too few such stars, and 1 was taken.
    smooth : SmoothCalibration, optional
        Applied to the logit of each spectrum before they are added up.
    """

    temperature: float
    trained_fraction: float
    binary_fraction: float
    n_stars: int
    exponent: float
    fitted: bool
    smooth: SmoothCalibration | None = None

    @classmethod
    def from_report(cls, content: Mapping[str, Any]) -> Self:
        """Read it from the report of an evaluation.

        Parameters
        ----------
        content : mapping
            Its fields; ``smooth`` is missing in reports of earlier versions.
        """
        smooth = content.get("smooth")
        return cls(**{**content, "smooth": SmoothCalibration(**smooth) if smooth else None})

    def evidence(
        self, logit_B: FloatArray, teff_k_B: FloatArray, snr_g_B: FloatArray
    ) -> FloatArray:
        """Return what is added up over the spectra of a star for `posterior`: (B,).

        Parameters
        ----------
        logit_B : ndarray of float64, (B,)
            Log-odds as the network gives them.
        teff_k_B, snr_g_B : ndarray of float64, (B,)
            Effective temperature in K and S/N in g; NaN where not known.
        """
        return calibrated(self.smooth, logit_B, teff_k_B, snr_g_B)

    def posterior(self, logit_sum_S: FloatArray, n_S: IntArray) -> FloatArray:
        """Probability of a binary.

        Parameters
        ----------
        logit_sum_S : ndarray of float64, (S,)
            Sum of the `evidence` of each star's spectra.
        n_S : ndarray of int64, (S,)
            Number of these spectra.

        Returns
        -------
        ndarray of float64, (S,)
            NaN for stars without spectra.
        """
        evidence_S = logit_sum_S / self.temperature - n_S * logit(self.trained_fraction)
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled_S = evidence_S * np.asarray(n_S, np.float64) ** -self.exponent
        return np.asarray(expit(scaled_S + logit(self.binary_fraction)))


def fit_combination(
    logit_sum_S: FloatArray,
    n_S: IntArray,
    binary_S: BoolArray,
    temperature: float,
    trained_fraction: float,
    binary_fraction: float,
    smooth: SmoothCalibration | None = None,
) -> Combination:
    """Fit the exponent on stars of the validation part that have several spectra.

    Parameters
    ----------
    logit_sum_S, n_S : ndarray, (S,)
        As for `Combination.posterior`.
    binary_S : ndarray of bool, (S,)
        True classes.
    temperature, trained_fraction, binary_fraction : float
        As for `Combination`; the classes are weighted so that the last is the fraction of binaries.
    smooth : SmoothCalibration, optional
        As for `Combination`.
    """
    repeated = n_S > 1
    binary = binary_S[repeated]
    given = (temperature, trained_fraction, binary_fraction, int(binary.size))
    if min(int(binary.sum()), int((~binary).sum())) < FEWEST_REPEATED:
        return Combination(*given, exponent=1.0, fitted=False, smooth=smooth)
    weight = balanced_weights(binary, binary_fraction)
    evidence = logit_sum_S[repeated] / temperature - n_S[repeated] * logit(trained_fraction)

    def loss(exponent: float) -> float:
        scaled = evidence * n_S[repeated].astype(np.float64) ** -exponent
        return negative_log_likelihood(scaled + logit(binary_fraction), binary, weight)

    found = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded")
    return Combination(*given, exponent=float(found.x), fitted=True, smooth=smooth)


@dataclass(frozen=True)
class EpochRow:
    """Calibration error of stars with so many spectra.

    Parameters
    ----------
    epochs : str
        One of `EPOCHS`.
    n_binary, n_single : int
        Stars.
    error : dict of str to float
        Expected calibration error of ``maximum``, ``mean`` and ``combined``; empty without both
        classes.
    false_positives : dict of str to float
        Share of the singles above 0.5, likewise.
    """

    epochs: str
    n_binary: int
    n_single: int
    error: dict[str, float]
    false_positives: dict[str, float]


def by_epochs(
    p_S: Mapping[str, FloatArray],
    n_S: IntArray,
    binary_S: BoolArray,
    binary_fraction: float,
    bins: int,
) -> tuple[EpochRow, ...]:
    """Compare ways of combining spectra over stars with 1, 2, 3, and 4 or more.

    Parameters
    ----------
    p_S : mapping of str to ndarray of float64, (S,)
        Probabilities by way, of a population of that fraction of binaries.
    n_S : ndarray of int64, (S,)
        Spectra of each star.
    binary_S : ndarray of bool, (S,)
        True classes.
    binary_fraction : float
        Fraction of binaries of the population; the classes are weighted for it.
    bins : int
        Bins of probability.
    """
    rows = []
    for number, name in enumerate(EPOCHS, start=1):
        here = n_S >= number if number == len(EPOCHS) else n_S == number
        binary = binary_S[here]
        n_binary, n_single = int(binary.sum()), int((~binary).sum())
        error, false = {}, {}
        if n_binary and n_single:
            weight = balanced_weights(binary, binary_fraction)
            for way, p in p_S.items():
                error[way] = reliability(p[here], binary, weight, bins).expected_error
                false[way] = float((p[here][~binary] > 0.5).mean())
        rows.append(EpochRow(name, n_binary, n_single, error, false))
    return tuple(rows)


@dataclass(frozen=True)
class StarScores:
    """S stars with their spectra's logits.

    Parameters
    ----------
    logit_sum_S : ndarray of float64, (S,)
        Sum of the logits of its spectra.
    n_S : ndarray of int64, (S,)
        Spectra.
    binary_S : ndarray of bool, (S,)
        True classes.
    highest_S, mean_S : ndarray of float64, (S,)
        Highest and mean posterior of its spectra, each taken by itself.
    """

    logit_sum_S: FloatArray
    n_S: IntArray
    binary_S: BoolArray
    highest_S: FloatArray
    mean_S: FloatArray


def star_scores(
    star_B: IntArray, logit_B: FloatArray, posterior_B: FloatArray, binary_B: BoolArray
) -> StarScores:
    """Gather the spectra of each star.

    Parameters
    ----------
    star_B : ndarray of int64, (B,)
        Star of each spectrum.
    logit_B, posterior_B : ndarray of float64, (B,)
        Logits as the network gives them, and the probabilities of the spectra in the population.
    binary_B : ndarray of bool, (B,)
        True classes, the same for all spectra of a star.
    """
    _, first_S, of_B = np.unique(star_B, return_index=True, return_inverse=True)
    n_S = np.bincount(of_B, minlength=first_S.size)
    highest_S = np.full(first_S.size, -np.inf)
    np.maximum.at(highest_S, of_B, posterior_B)
    return StarScores(
        np.asarray(np.bincount(of_B, logit_B, first_S.size), np.float64),
        n_S.astype(np.int64),
        binary_B[first_S],
        highest_S,
        np.bincount(of_B, posterior_B, first_S.size) / n_S,
    )
