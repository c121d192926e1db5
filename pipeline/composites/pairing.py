"""Which stars make a couple: twins and an unequal pair around one primary."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.composites import CompositeSettings

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class PairingError(ValueError):
    """The stars make no couple."""


@dataclass(frozen=True)
class Couples:
    """C couples, as rows of the pool that they were drawn from.

    Attributes
    ----------
    primary_C, twin_C, companion_C : numpy.ndarray of int64, (C,)
        The star that both pairs share, its twin, and its less massive companion.
    """

    primary_C: IntArray
    twin_C: IntArray
    companion_C: IntArray


def draw_couples(
    rng: np.random.Generator,
    n: int,
    mass_msun_P: FloatArray,
    feh_P: FloatArray,
    star_P: IntArray,
    settings: CompositeSettings,
) -> Couples:
    """Draw couples: primaries evenly by star, mass ratios evenly within the range.

    A star is a primary only if the pool has a twin *and* a companion for it, and then is that of
    both, so the classes have the very same primaries.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    n : int
        Number of couples.
    mass_msun_P, feh_P : numpy.ndarray, (P,)
        Mass (Sun = 1) and [Fe/H] of the spectra of the pool.
    star_P : numpy.ndarray of int64, (P,)
        Star of each spectrum; no star is paired with itself.
    settings : CompositeSettings
        Mass ratios and the tolerance in [Fe/H].

    Raises
    ------
    PairingError
        No star has both.
    """
    order = np.argsort(mass_msun_P, kind="stable")
    pool = _Sorted(order, mass_msun_P[order], feh_P[order], star_P[order], settings)
    able: dict[int, list[int]] = {}
    for place in range(len(order)):
        if len(pool.twins(place)) and len(pool.companions(place)):
            able.setdefault(int(pool.star_P[place]), []).append(place)
    if not able:
        raise PairingError(
            f"of {np.unique(star_P).size} stars none has both a twin and a companion of mass "
            f"ratio {settings.q_min}-{settings.q_max}: take more stars (lower "
            "composites.pool_snr_min, more composites.block_shards) or widen "
            "composites.feh_tolerance_dex"
        )
    spectra_of = [able[star] for star in sorted(able)]
    chosen = np.empty((n, 3), np.int64)
    for row, lot in enumerate(rng.integers(len(spectra_of), size=n)):
        primary = int(rng.choice(spectra_of[lot]))
        twin = int(rng.choice(pool.twins(primary)))
        companions = pool.companions(primary)
        q_K = pool.mass_P[companions] / pool.mass_P[primary]
        nearest = int(np.argmin(np.abs(q_K - rng.uniform(settings.q_min, settings.q_max))))
        chosen[row] = primary, twin, companions[nearest]
    return Couples(*order[chosen].T.astype(np.int64))


def companions_at(
    primary_C: IntArray,
    q_C: FloatArray,
    mass_msun_P: FloatArray,
    feh_P: FloatArray,
    star_P: IntArray,
    settings: CompositeSettings,
    q_tolerance: float = 0.02,
) -> IntArray:
    """Find, for chosen primaries, the spectra of companions of chosen mass ratios.

    With :func:`pipeline.composites.couples.pair_light` this injects companions into single stars.

    Parameters
    ----------
    primary_C : numpy.ndarray of int64, (C,)
        Rows of the pool.
    q_C : numpy.ndarray, (C,)
        Mass ratios, up to 1.
    mass_msun_P, feh_P, star_P, settings
        As for :func:`draw_couples`.
    q_tolerance : float
        How far from the chosen mass ratio the companion may be.

    Returns
    -------
    numpy.ndarray of int64, (C,)
        Row of the pool that is nearest in mass ratio; -1 where there is none.
    """
    order = np.argsort(mass_msun_P, kind="stable")
    pool = _Sorted(order, mass_msun_P[order], feh_P[order], star_P[order], settings)
    place_P = np.empty(len(order), np.int64)
    place_P[order] = np.arange(len(order))
    found_C = np.full(len(primary_C), -1, np.int64)
    for row, (place, q) in enumerate(zip(place_P[primary_C], q_C, strict=True)):
        near = pool.between(int(place), q - q_tolerance, q + q_tolerance)
        if len(near):
            distance_K = np.abs(pool.mass_P[near] / pool.mass_P[place] - q)
            found_C[row] = order[near[np.argmin(distance_K)]]
    return found_C


@dataclass(frozen=True)
class _Sorted:
    """The pool by rising mass."""

    order: IntArray
    mass_P: FloatArray
    feh_P: FloatArray
    star_P: IntArray
    settings: CompositeSettings

    def twins(self, place: int) -> IntArray:
        return self.between(place, self.settings.twin_q_min, 1.0)

    def companions(self, place: int) -> IntArray:
        return self.between(place, self.settings.q_min, self.settings.q_max)

    def between(self, place: int, q_low: float, q_high: float) -> IntArray:
        mass = self.mass_P[place]
        first = np.searchsorted(self.mass_P, q_low * mass, side="left")
        last = np.searchsorted(self.mass_P, q_high * mass, side="right")
        near = np.arange(first, last)
        alike = np.abs(self.feh_P[near] - self.feh_P[place]) <= self.settings.feh_tolerance_dex
        return np.asarray(near[alike & (self.star_P[near] != self.star_P[place])])
