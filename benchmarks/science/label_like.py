"""Couples of real stars as the photometric label would see them: by brightness at their colour.

A pair is of class 1 if its combined M_G at its combined (G-Ks)0 lies in the label's band of
binaries. Class 0 are the objects of the band of singles in the proportions of a population: single
stars, which twins stand for, and pairs that hardly rise above the sequence.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.composites.pairing import Couples
from pipeline.composites.pool import Pool
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.labels import LabelSettings
from pipeline.stars.isochrone import BANDS, main_sequence

BINARY_FRACTION = 0.42
"""Of the population; q uniform from `Q_MIN` to 1 [source: Niu et al. 2021, GALAH and LAMOST]."""

Q_MIN = 0.3
COLOUR_ERROR, MAGNITUDE_ERROR, FEH_ERROR = 0.03, 0.06, 0.10
"""Errors of (G-Ks)0, M_G (parallax above 3 mas, extinction, ages) and [Fe/H], mag and dex."""

Q_STEP = 0.02
Q_EDGES = (0.3, 0.6, 0.71, 0.82, 1.0)
RIDGE_MASS = np.arange(0.2, 1.5, 0.005)


@dataclass(frozen=True)
class Excess:
    """M_G above the sequence of single stars, for any two masses, with drawn errors."""

    settings: CompositeSettings
    rng: np.random.Generator

    def __call__(self, mass1_B: np.ndarray, mass2_B: np.ndarray, feh_B: np.ndarray) -> np.ndarray:
        """Delta M_G in mag, shape (B,); a second mass of 0 is a single star; NaN off the table."""
        g, ks = (BANDS.index(name) for name in ("g_mag", "ks_mag"))
        first = _magnitudes(mass1_B, feh_B, self.settings)
        second = _magnitudes(np.where(mass2_B > 0, mass2_B, mass1_B), feh_B, self.settings)
        light = 10 ** (-0.4 * first) + np.where(mass2_B > 0, 1, 0)[:, None] * 10 ** (-0.4 * second)
        both = -2.5 * np.log10(light)
        n = len(mass1_B)
        colour_B = both[:, g] - both[:, ks] + COLOUR_ERROR * self.rng.standard_normal(n)
        seen_B = both[:, g] + MAGNITUDE_ERROR * self.rng.standard_normal(n)
        known_B = feh_B + FEH_ERROR * self.rng.standard_normal(n)
        return seen_B - ridge(colour_B, known_B, self.settings)


def ridge(colour_B: np.ndarray, feh_B: np.ndarray, settings: CompositeSettings) -> np.ndarray:
    """M_G of a single dwarf of that (G-Ks)0 and [Fe/H]; NaN outside the sequence."""
    g, ks = (BANDS.index(name) for name in ("g_mag", "ks_mag"))
    nearest_B = np.clip(np.round(feh_B / 0.05) * 0.05, -1.2, 0.3)
    found_B = np.full(len(colour_B), np.nan)
    for feh in np.unique(nearest_B):
        stars = _magnitudes(RIDGE_MASS, np.full(RIDGE_MASS.size, feh), settings)
        colour, m_g = stars[:, g] - stars[:, ks], stars[:, g]
        known = np.isfinite(m_g)
        # Up to the turn-off, the bluest star, colour falls with mass.
        end = int(np.nanargmin(np.where(known, colour, np.inf))) + 1
        keep = known & (np.arange(len(colour)) < end)
        here = nearest_B == feh
        found_B[here] = np.interp(
            colour_B[here], colour[keep][::-1], m_g[keep][::-1], left=np.nan, right=np.nan
        )
    return found_B


def _magnitudes(mass_B: np.ndarray, feh_B: np.ndarray, settings: CompositeSettings) -> np.ndarray:
    stars = main_sequence(mass_B, np.full(len(mass_B), settings.log_age), feh_B)
    return np.where(stars.valid[:, None], stars.mag_BK, np.nan)


@dataclass(frozen=True)
class Population:
    """Objects around each primary: which pairs and twins the bands hold, with their weights.

    Parameters
    ----------
    primary_K, second_K : ndarray of int64, (K,)
        Rows of the pool.
    binary_K : ndarray of bool, (K,)
        In the band of binaries and a pair; else in the band of singles.
    weight_K : ndarray of float64, (K,)
        Share of the population of its primary.
    share_Q : ndarray of float64, (Q,)
        Shares of the bins of `Q_EDGES` among the population's pairs in the band of binaries.
    made : float
        Share of these pairs for which the pool has a companion.
    contamination : float
        Share of single stars among all objects in the band of binaries.
    """

    primary_K: np.ndarray
    second_K: np.ndarray
    binary_K: np.ndarray
    weight_K: np.ndarray
    share_Q: np.ndarray
    made: float
    contamination: float


def population(
    rng: np.random.Generator,
    pool: Pool,
    settings: CompositeSettings,
    labels: LabelSettings,
    n_each: int = 200,
) -> Population:
    """Draw objects around every star of a pool and keep those that get a label."""
    excess = Excess(settings, rng)
    rows = [_around(rng, row, pool, settings, n_each) for row in range(len(pool))]
    primary, second, weight, ratio = (np.concatenate([r[k] for r in rows]) for k in range(4))
    pair, there = ratio > 0, second >= 0
    mass = pool.mass_msun[primary]
    delta = excess(mass, ratio * mass, pool.feh[primary])
    in_binary = (delta > labels.binary_min_mag) & (delta < labels.single_min_mag)
    in_single = (delta > labels.single_min_mag) & (delta < labels.single_max_mag)
    pairs = in_binary & pair
    share_Q, _ = np.histogram(ratio[pairs], Q_EDGES, weights=weight[pairs])
    made = float(weight[pairs & there].sum() / weight[pairs].sum())
    contamination = float(weight[in_binary & ~pair].sum() / weight[in_binary].sum())
    keep = there & (pairs | in_single)
    return Population(
        primary[keep], second[keep], pairs[keep], weight[keep], share_Q / share_Q.sum(), made,
        contamination,
    )  # fmt: skip


def _around(
    rng: np.random.Generator, row: int, pool: Pool, settings: CompositeSettings, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Primary, second, weight, mass ratio: pairs of uniform q, and as many twins (ratio 0).

    The second is -1 where the pool has no companion of that mass.
    """
    ratio = pool.mass_msun / pool.mass_msun[row]
    able = np.abs(pool.feh - pool.feh[row]) <= settings.feh_tolerance_dex
    able &= pool.star != pool.star[row]
    twins = np.flatnonzero(able & (ratio >= settings.twin_q_min) & (ratio <= 1))
    others = np.flatnonzero(able & (ratio <= 1))
    if not len(twins):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0)
    wanted_Q = Q_MIN + (1 - Q_MIN) * rng.random(n)
    nearest_Q = others[np.argmin(np.abs(ratio[others][None] - wanted_Q[:, None]), axis=1)]
    found_Q = np.abs(ratio[nearest_Q] - wanted_Q) < Q_STEP
    second = np.concatenate([np.where(found_Q, nearest_Q, -1), rng.choice(twins, n)])
    ratio_K = np.concatenate([np.where(found_Q, ratio[nearest_Q], wanted_Q), np.zeros(n)])
    weight = np.repeat([BINARY_FRACTION / n, (1 - BINARY_FRACTION) / n], n)
    return np.full(2 * n, row), second, weight, ratio_K


def label_couples(rng: np.random.Generator, n: int, pool: Pool, found: Population) -> Couples:
    """Draw couples of one primary: an object of the band of singles, and a pair of the other."""
    order = np.argsort(found.primary_K, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(found.primary_K[order])) + 1)
    able: dict[int, list[np.ndarray]] = {}
    for rows in groups:
        if found.binary_K[rows].any() and not found.binary_K[rows].all():
            able.setdefault(int(pool.star[found.primary_K[rows[0]]]), []).append(rows)
    stars = [able[star] for star in sorted(able)]
    if not stars:
        raise ValueError("no star of the pool has companions within both bands of the label")
    chosen = np.empty((n, 3), np.int64)
    for k, place in enumerate(rng.integers(len(stars), size=n)):
        rows = stars[place][rng.integers(len(stars[place]))]
        seconds = []
        for binary in (False, True):
            mine = rows[found.binary_K[rows] == binary]
            share = found.weight_K[mine] / found.weight_K[mine].sum()
            seconds.append(found.second_K[rng.choice(mine, p=share)])
        chosen[k] = found.primary_K[rows[0]], *seconds
    return Couples(*chosen.T.copy())
