"""Counts of a sample and of injected spectra by cell, and what draws of their stars give."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.evaluation.intervals import Estimate
from pipeline.settings.injection import InjectionSettings
from pipeline.validation.binary_fraction import LightRatio, Rates, corrected_fraction
from pipeline.validation.injected import PAIR, SINGLE

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class FractionData:
    """The sample and the injections, in cells of S/N, Teff and [Fe/H].

    Parameters
    ----------
    cell_S, hit_S, stratum_S, weight_S : ndarray, (S,)
        Of each star of the sample that was not seen in training: cell, whether p_b is above the
        threshold, group of stars of one label, and the number of stars that it stands for.
    cell_B, bin_B, star_B, hit_B : ndarray, (B,)
        Of each injected spectrum: cell, bin of mass ratio (-1: single), star, p_b above.
    shape : tuple of int
        Bins of S/N; other cells per bin of S/N; bins of mass ratio.
    """

    cell_S: IntArray
    hit_S: NDArray[np.bool_]
    stratum_S: IntArray
    weight_S: FloatArray
    cell_B: IntArray
    bin_B: IntArray
    star_B: IntArray
    hit_B: NDArray[np.bool_]
    shape: tuple[int, int, int]

    def rates(self, times_S: FloatArray, times_B: FloatArray) -> Rates:
        """Count, with how often each star and each injected spectrum is drawn.

        A bin of mass ratio without spectra in a cell has the mean of the cells of its S/N, else of
        all.

        Parameters
        ----------
        times_S, times_B : ndarray of float64
            Draws, 1 for the counts themselves.
        """
        n_snr, n_other, n_q = self.shape
        weight = self.weight_S * times_S
        sample = np.bincount(self.cell_S, weight, n_snr * n_other)
        key = self.cell_B * (n_q + 1) + self.bin_B + 1
        size = n_snr * n_other * (n_q + 1)
        shape = (n_snr, n_other, n_q + 1)
        n = np.bincount(key, times_B, size).reshape(shape)
        hit = np.bincount(key, times_B * self.hit_B, size).reshape(shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = hit / n
            for axes in ((1,), (0, 1)):
                pooled = hit.sum(axes, keepdims=True) / n.sum(axes, keepdims=True)
                rate = np.where(np.isnan(rate), pooled, rate)
        mean = (rate.reshape(-1, n_q + 1) * sample[:, None]).sum(axis=0) / sample.sum()
        return Rates(float((weight * self.hit_S).sum() / weight.sum()), float(mean[0]), mean[1:])

    def draw(self, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw stars with replacement: of the sample within each stratum, and of the injections."""
        times_S = np.zeros(len(self.cell_S))
        for stratum in np.unique(self.stratum_S):
            rows = np.flatnonzero(self.stratum_S == stratum)
            np.add.at(times_S, rng.choice(rows, rows.size), 1.0)
        _, place = np.unique(self.star_B, return_inverse=True)
        n = int(place.max()) + 1
        return times_S, np.bincount(rng.integers(n, size=n), minlength=n)[place].astype(float)


def fraction_data(
    sample: pd.DataFrame, injected: pd.DataFrame, threshold: float, shape: tuple[int, int, int, int]
) -> FractionData:
    """Arrange sample and injections, both with the numbers of their bins.

    Parameters
    ----------
    sample : pandas.DataFrame
        Stars within the grid, seen in training or not: ``label``, ``seen``, ``p_b``.
    injected : pandas.DataFrame
        ``kind`` pair or single.
    threshold : float
        On p_b.
    shape : tuple of int
        Bins of S/N, Teff, [Fe/H] and mass ratio.
    """
    n_snr, n_teff, n_feh, n_q = shape

    def cell(frame: pd.DataFrame) -> IntArray:
        of_snr = frame["snr_bin"] * n_teff + frame["teff_bin"]
        return np.asarray(of_snr * n_feh + frame["feh_bin"], np.int64)

    stratum, _ = pd.factorize(sample["label"], sort=True)
    unseen = ~sample["seen"].to_numpy(bool)
    all_n = np.bincount(stratum)
    stands_for = all_n / np.maximum(np.bincount(stratum[unseen], minlength=all_n.size), 1)
    used = injected[injected["kind"].isin([SINGLE, PAIR])]
    return FractionData(
        cell(sample)[unseen], (sample["p_b"] > threshold).to_numpy()[unseen], stratum[unseen],
        stands_for[stratum[unseen]], cell(used), used["q_bin"].to_numpy(np.int64),
        used["star"].to_numpy(np.int64), (used["p_b"] > threshold).to_numpy(),
        (n_snr, n_teff * n_feh, n_q),
    )  # fmt: skip


def fraction_estimate(
    data: FractionData,
    q_edges: tuple[float, ...],
    light: LightRatio,
    settings: InjectionSettings,
    n_draws: int,
) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    """Estimate the binary fraction and its 95 % interval from draws of stars.

    Parameters
    ----------
    data : FractionData
        Sample and injections.
    q_edges, light, settings
        As of `corrected_fraction`.
    n_draws : int
        Draws.

    Returns
    -------
    fraction, completeness, false_positives, observed : Estimate
        Corrected fraction, C, F, and the share above the threshold.
    """
    ones = np.ones(len(data.cell_S)), np.ones(len(data.cell_B))
    rng = np.random.default_rng(settings.seed)
    rates = [data.rates(*ones), *(data.rates(*data.draw(rng)) for _ in range(n_draws))]
    values = np.array(
        [(*corrected_fraction(rate, q_edges, light, settings), rate.observed) for rate in rates]
    )
    found = []
    for column in values.T:
        draws = column[1:][np.isfinite(column[1:])]
        low, high = np.percentile(draws, [2.5, 97.5]) if draws.size else (np.nan, np.nan)
        found.append(Estimate(float(column[0]), float(low), float(high)))
    return found[0], found[1], found[2], found[3]
