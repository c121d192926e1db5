"""Which stars form a couple: twins and an unequal pair around one primary."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.composites import CompositeSettings

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class PairingError(ValueError):
    """The stars form no couple."""


@dataclass(frozen=True)
class Couples:
    """D couples, as rows of the pool that they were drawn from.

    Parameters
    ----------
    primary_D, twin_D, companion_D : ndarray of int64, (D,)
        The star that both pairs share, its twin, and its less massive companion.
    """

    primary_D: IntArray
    twin_D: IntArray
    companion_D: IntArray


def draw_couples(
    rng: np.random.Generator,
    n: int,
    mass_msun_B: FloatArray,
    feh_B: FloatArray,
    star_B: IntArray,
    settings: CompositeSettings,
) -> Couples:
    """Draw couples: primaries uniform over stars, mass ratios uniform within the range.

    A star is a primary only if the pool has a twin *and* a companion for it, and then is that of
    both, so the classes have the same primaries.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    n : int
        Number of couples.
    mass_msun_B, feh_B : ndarray of float64, (B,)
        Mass (Sun = 1) and [Fe/H] in dex of the spectra of the pool.
    star_B : ndarray of int64, (B,)
        Star of each spectrum; no star is paired with itself.
    settings : CompositeSettings
        Mass ratios and the tolerance in [Fe/H].

    Returns
    -------
    Couples
        n couples.

    Raises
    ------
    PairingError
        No star has both.
    """
    order = np.argsort(mass_msun_B, kind="stable")
    pool = _Sorted(order, mass_msun_B[order], feh_B[order], star_B[order], settings)
    able: dict[int, list[int]] = {}
    for place in range(len(order)):
        if len(pool.twins(place)) and len(pool.companions(place)):
            able.setdefault(int(pool.star_B[place]), []).append(place)
    if not able:
        raise PairingError(
            f"of {np.unique(star_B).size} stars none has both a twin and a companion of mass "
            f"ratio {settings.q_min}-{settings.q_max}: take more stars (lower "
            "composites.pool_snr_min, more composites.block_shards) or widen "
            "composites.feh_tolerance_dex"
        )
    spectra_of = [able[star] for star in sorted(able)]
    chosen = np.empty((n, 3), np.int64)
    for row, place in enumerate(rng.integers(len(spectra_of), size=n)):
        primary = int(rng.choice(spectra_of[place]))
        twin = int(rng.choice(pool.twins(primary)))
        companions = pool.companions(primary)
        q_near = pool.mass_B[companions] / pool.mass_B[primary]
        nearest = int(np.argmin(np.abs(q_near - rng.uniform(settings.q_min, settings.q_max))))
        chosen[row] = primary, twin, companions[nearest]
    return Couples(*order[chosen].T.astype(np.int64))


def companions_at(
    primary_D: IntArray,
    q_D: FloatArray,
    mass_msun_B: FloatArray,
    feh_B: FloatArray,
    star_B: IntArray,
    settings: CompositeSettings,
    q_tolerance: float = 0.02,
) -> IntArray:
    """Find, for chosen primaries, the spectra of companions of chosen mass ratios.

    With :func:`pipeline.composites.couples.pair_light` this injects companions into single stars.

    Parameters
    ----------
    primary_D : ndarray of int64, (D,)
        Rows of the pool.
    q_D : ndarray of float64, (D,)
        Mass ratios, up to 1.
    mass_msun_B, feh_B : ndarray of float64, (B,)
        As for :func:`draw_couples`.
    star_B : ndarray of int64, (B,)
        As for :func:`draw_couples`.
    settings : CompositeSettings
        The tolerance in [Fe/H].
    q_tolerance : float
        Largest distance from the chosen mass ratio.

    Returns
    -------
    ndarray of int64, (D,)
        Row of the pool that is nearest in mass ratio; -1 where there is none.
    """
    order = np.argsort(mass_msun_B, kind="stable")
    pool = _Sorted(order, mass_msun_B[order], feh_B[order], star_B[order], settings)
    place_B = np.empty(len(order), np.int64)
    place_B[order] = np.arange(len(order))
    found_D = np.full(len(primary_D), -1, np.int64)
    for row, (place, q) in enumerate(zip(place_B[primary_D], q_D, strict=True)):
        near = pool.between(int(place), q - q_tolerance, q + q_tolerance)
        if len(near):
            distance = np.abs(pool.mass_B[near] / pool.mass_B[place] - q)
            found_D[row] = order[near[np.argmin(distance)]]
    return found_D


@dataclass(frozen=True)
class _Sorted:
    """The pool by rising mass."""

    order: IntArray
    mass_B: FloatArray
    feh_B: FloatArray
    star_B: IntArray
    settings: CompositeSettings

    def twins(self, place: int) -> IntArray:
        return self.between(place, self.settings.twin_q_min, 1.0)

    def companions(self, place: int) -> IntArray:
        return self.between(place, self.settings.q_min, self.settings.q_max)

    def between(self, place: int, q_low: float, q_high: float) -> IntArray:
        mass = self.mass_B[place]
        first = np.searchsorted(self.mass_B, q_low * mass, side="left")
        last = np.searchsorted(self.mass_B, q_high * mass, side="right")
        near = np.arange(first, last)
        alike = np.abs(self.feh_B[near] - self.feh_B[place]) <= self.settings.feh_tolerance_dex
        return np.asarray(near[alike & (self.star_B[near] != self.star_B[place])])
