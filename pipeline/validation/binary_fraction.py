"""The binary fraction behind the share of stars above a threshold on p_b."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.injection import InjectionSettings
from pipeline.stars.isochrone import BANDS, main_sequence

FloatArray = NDArray[np.float64]

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

    C is the completeness, averaged over the assumed mass ratios, F the rate of false positives.
    Mass ratios are assumed to go as q to a power, times the volume in which a magnitude-limited
    survey sees the pair. Below the lowest bin that could be injected, the excess of the
    completeness over F is assumed to go as the light of the companion.

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
        f, C and F. f is NaN where pairs are not found more often than single stars, and may be
        below 0 or above 1 by chance.
    """
    edges = np.asarray(q_edges)
    measured = np.flatnonzero(np.isfinite(rates.pair_H))
    if not measured.size:
        return np.nan, np.nan, rates.single
    lowest = measured[0]
    q_Q = np.linspace(max(settings.q_lowest, edges[0]), edges[-1], 400)
    ratio_Q = light.at(q_Q)
    weight_Q = q_Q**settings.q_power * (1 + ratio_Q) ** (settings.density_power / 2)
    middle = np.array([edges[lowest] + edges[lowest + 1]]) / 2
    faint_Q = np.minimum(ratio_Q / light.at(middle), 1.0)
    faint_Q = rates.single + faint_Q * (rates.pair_H[lowest] - rates.single)
    bin_Q = np.clip(np.searchsorted(edges, q_Q, side="right") - 1, 0, len(edges) - 2)
    rate_Q = np.where(q_Q < edges[lowest], faint_Q, rates.pair_H[bin_Q])
    known_Q = np.isfinite(rate_Q)
    completeness = float(np.average(rate_Q[known_Q], weights=weight_Q[known_Q]))
    if completeness - rates.single < LEAST:
        return np.nan, completeness, rates.single
    fraction = (rates.observed - rates.single) / (completeness - rates.single)
    return fraction, completeness, rates.single
