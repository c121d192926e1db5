"""Pairs of sources and targets: the sources are moved to the epoch of each target."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.photometry.positions import (
    Floats,
    chord,
    propagate,
    separation_arcsec,
    unit_vectors,
)
from pipeline.photometry.target_index import Targets
from pipeline.photometry.zones import Integers

SLACK = 1 + 1e-9
"""Rounding must not lose a pair before its separation is known."""


@dataclass(frozen=True)
class Sources:
    """Where sources are, when, and how they move.

    Parameters
    ----------
    row : ndarray of int64, (S,)
        Their rows in what was read.
    ra_deg, dec_deg : ndarray of float64, (S,)
        Positions; right ascension from 0 to 360.
    pmra_masyr, pmdec_masyr : ndarray of float64, (S,)
        Proper motions, that in right ascension times cos(dec); 0 where there is none.
    born_yr : ndarray of float64, (S,)
        Reference epochs.
    """

    row: Integers
    ra_deg: Floats
    dec_deg: Floats
    pmra_masyr: Floats
    pmdec_masyr: Floats
    born_yr: Floats

    def some(self, chosen: NDArray[np.bool_]) -> "Sources":
        """Return some of them."""
        if chosen.all():
            return self
        rows = np.flatnonzero(chosen)
        return Sources(*(values[rows] for values in vars(self).values()))


@dataclass(frozen=True)
class MovingMatch:
    """All pairs of a moving source and a target within a radius.

    A source may be far from where it was seen: each is searched for as far as its own motion can
    have brought it, then moved to the epoch of each target found, and only then kept or not.

    Parameters
    ----------
    radius_arcsec : float
        Largest separation at the epoch of the target, inclusive.
    reach_arcsec : float
        Radius and the largest possible motion.
    names : dict of str to str
        Names in the source catalogue of ``ra``, ``dec`` and, where there are, ``pmra``, ``pmdec``
        and ``ref_epoch``.
    epoch_yr : float
        Reference epoch of the sources where they have no ``ref_epoch``.
    """

    radius_arcsec: float
    reach_arcsec: float
    names: Mapping[str, str]
    epoch_yr: float

    @property
    def columns(self) -> list[str]:
        """Columns of the sources that say where they are, and when."""
        wanted = ("ra", "dec", "pmra", "pmdec", "ref_epoch")
        return [self.names[name] for name in wanted if name in self.names]

    def places(self, table: pa.Table) -> Sources:
        """Return where the sources of a table are; those without a position are left out."""

        def floats(name: str) -> Floats:
            if name not in self.names:
                return np.full(table.num_rows, np.nan)
            column = table[self.names[name]].cast(pa.float64())
            return np.asarray(column.to_numpy(), dtype=np.float64)

        ra, dec, born = floats("ra"), floats("dec"), floats("ref_epoch")
        known = np.isfinite(ra) & (np.abs(dec) <= 90)
        if np.any((ra < 0) | (ra >= 360)):
            ra = np.mod(ra, 360)
        sources = Sources(
            np.arange(table.num_rows),
            ra,
            dec,
            np.nan_to_num(floats("pmra")),
            np.nan_to_num(floats("pmdec")),
            np.where(np.isfinite(born), born, self.epoch_yr),
        )
        return sources.some(known)

    def pairs(self, sources: Sources, targets: Targets) -> tuple[Integers, Integers, Floats]:
        """Find all pairs.

        Parameters
        ----------
        sources : Sources
            Where the sources are, and how they move.
        targets : Targets
            At least one.

        Returns
        -------
        tuple of ndarray
            Source, target and separation in arcsec of each pair.

        Raises
        ------
        InputError
            A source can have moved further than `reach_arcsec`.
        """
        seen = targets.epoch_yr
        middle, half = (seen.max() + seen.min()) / 2, (seen.max() - seen.min()) / 2
        span = np.abs(sources.born_yr - middle) + half
        reach = self.radius_arcsec + np.hypot(sources.pmra_masyr, sources.pmdec_masyr) * 1e-3 * span
        self._check(sources, reach)
        source, target = targets.within(sources.ra_deg, sources.dec_deg, reach)
        # As far apart as the reach at most: cheaper to see than the separation at the epoch.
        own, where = np.unique(source, return_inverse=True)
        place_S3 = unit_vectors(sources.ra_deg[own], sources.dec_deg[own])
        apart_Y3 = place_S3[where] - targets.place_B3[target]
        limit = chord(reach[own])[where] * SLACK
        close = np.einsum("ij,ij->i", apart_Y3, apart_Y3) <= limit**2
        source, target = source[close], target[close]
        moved_Y3 = propagate(
            sources.ra_deg[source],
            sources.dec_deg[source],
            sources.pmra_masyr[source],
            sources.pmdec_masyr[source],
            seen[target] - sources.born_yr[source],
        )
        separation = separation_arcsec(moved_Y3, targets.place_B3[target])
        near = separation <= self.radius_arcsec
        return source[near], target[near], separation[near]

    def _check(self, sources: Sources, reach: Floats) -> None:
        fastest = int(np.argmax(reach))
        if reach[fastest] > self.reach_arcsec * SLACK:
            raise InputError(
                f"a source at {sources.ra_deg[fastest]}, {sources.dec_deg[fastest]} may have moved "
                f"{reach[fastest]:.1f} arcsec; raise photometry.max_motion_arcsec_yr, or "
                "correct its proper motion"
            )
