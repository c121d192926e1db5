"""The binary fraction behind the share of stars above a threshold on p_b."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.injection import InjectionSettings
from pipeline.stars.isochrone import BANDS, main_sequence

FloatArray = NDArray[np.float64]

STEPS = 40
"""Of the iteration; each gains a factor of about ten."""

LEAST = 0.02
"""Pairs must be found more often than single stars by so much, or no fraction can be told."""


@dataclass(frozen=True)
class LightRatio:
    """Light of a companion over that of its primary in G, by mass ratio.

    Parameters
    ----------
    q_Q, ratio_Q : ndarray of float64, (Q,)
        Mass ratios, rising, and the light ratio there.
    """

    q_Q: FloatArray
    ratio_Q: FloatArray

    @classmethod
    def of_main_sequence(cls, mass_msun: float, feh: float, log_age: float) -> "LightRatio":
        """Return that of a primary on the main sequence; 0 below the isochrone's lowest mass.

        Parameters
        ----------
        mass_msun, feh, log_age : float
            Of the primary.
        """
        q = np.linspace(0.02, 1.0, 99)
        stars = main_sequence(q * mass_msun, np.full(q.size, log_age), np.full(q.size, feh))
        m_g = stars.mag_BK[:, BANDS.index("g_mag")]
        light = np.where(stars.valid, 10 ** (-0.4 * np.nan_to_num(m_g)), 0.0)
        return cls(q, light / light[-1])

    def at(self, q_Q: FloatArray) -> FloatArray:
        """Return the light ratio at some mass ratios."""
        return np.interp(q_Q, self.q_Q, self.ratio_Q)


@dataclass(frozen=True)
class Rates:
    """Shares above the threshold, averaged over the cells of the sample.

    Parameters
    ----------
    observed : float
        Of the sample.
    single : float
        Of the stars labelled as single.
    pair_H : ndarray of float64, (H,)
        Of injected pairs by bin of mass ratio; NaN where none could be made.
    """

    observed: float
    single: float
    pair_H: FloatArray


def corrected_fraction(
    rates: Rates, q_edges: tuple[float, ...], light: LightRatio, settings: InjectionSettings
) -> tuple[float, float, float]:
    """Solve for the binary fraction f of: observed = f C + (1 - f) F.

    C is the completeness, averaged over the assumed mass ratios; F the rate of false positives.
    Three things are assumed. Below the lowest mass ratio that could be injected the excess of the
    completeness over F goes as the companion's light. Mass ratios go as q to a power, times the
    volume in which a magnitude-limited survey sees the pair. Stars labelled as single hold the
    pairs below ``q_single``; what these add to F, and to C in which such stars are primaries, is
    taken off, for the f that is solved for.

    Parameters
    ----------
    rates : Rates
        What was counted.
    q_edges : tuple of float
        Bins of mass ratio.
    light : LightRatio
        Of a star of the sample.
    settings : InjectionSettings
        What is assumed.

    Returns
    -------
    fraction, completeness, false_positives : float
        f, C and F; NaN where pairs are not found more often than single stars.
    """
    edges = np.asarray(q_edges)
    measured = np.flatnonzero(np.isfinite(rates.pair_H))
    if not measured.size:
        return np.nan, np.nan, np.nan
    lowest = int(measured[0])
    highest_rate = rates.pair_H[lowest]
    q_Q = np.linspace(settings.q_lowest, 1.0, 400)
    ratio_Q = light.at(q_Q)
    weight_Q = q_Q**settings.q_power * (1 + ratio_Q) ** (settings.density_power / 2)
    weight_Q /= weight_Q.sum()
    middle = (edges[lowest] + edges[lowest + 1]) / 2
    faint_Q = np.minimum(ratio_Q / light.at(np.array([middle]))[0], 1.0)
    bin_Q = np.clip(np.searchsorted(edges, q_Q, side="right") - 1, 0, len(edges) - 2)
    pair_Q = rates.pair_H[bin_Q]
    unknown_Q = q_Q < edges[lowest]
    low_Q = q_Q < settings.q_single
    low_share = float(weight_Q[low_Q].sum())
    faint_mean = float((weight_Q * faint_Q)[low_Q].sum() / low_share) if low_share else 0.0

    fraction, completeness, false = 0.0, np.nan, np.nan
    for _ in range(STEPS):
        pairs_among_singles = fraction * low_share / (fraction * low_share + 1 - fraction)
        excess = pairs_among_singles * faint_mean
        false = max(_cleaned(np.array([rates.single]), highest_rate, excess)[0], 0.0)
        clean_Q = np.clip(_cleaned(pair_Q, highest_rate, excess), 0, 1)
        clean_Q = np.where(unknown_Q, false + faint_Q * (highest_rate - false), clean_Q)
        usable = np.isfinite(clean_Q)
        completeness = float((weight_Q * clean_Q)[usable].sum() / weight_Q[usable].sum())
        if completeness - false < LEAST:
            return np.nan, completeness, false
        # A sample of pairs alone would have no single star left to take off.
        fraction = float(np.clip((rates.observed - false) / (completeness - false), 0, 0.999))
    return fraction, completeness, false


def _cleaned(rate: FloatArray, highest: float, excess: float) -> FloatArray:
    """Take off what faint companions of the stars labelled as single add to a rate."""
    return np.where(rate < highest, (rate - excess * highest) / (1 - excess), rate)
