"""Pairs of sources and observations: the sources are moved to the epoch of each observation."""

from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa
from lsdb import Catalog
from lsdb.core.crossmatch.abstract_crossmatch_algorithm import AbstractCrossmatchAlgorithm
from lsdb.core.crossmatch.crossmatch_args import CrossmatchArgs
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pipeline.core.errors import InputError
from pipeline.photometry.positions import (
    Floats,
    chord,
    propagate,
    separation_arcsec,
    unit_vectors,
)

SLACK = 1 + 1e-9
"""Rounding must not lose a pair before its separation is known."""


class MovingMatch(AbstractCrossmatchAlgorithm):
    """All pairs of a moving source (left) and a target (right) within a radius.

    A source may be far from where it was seen: each is searched for as far as its own motion can
    have brought it, then moved to the epoch of each target found, and only then kept or not.
    Targets need a margin of ``reach_arcsec``; sources need none, since each lies in one partition
    and meets there every target of the surroundings.

    Parameters
    ----------
    radius_arcsec : float
        Largest separation at the epoch of the target, inclusive.
    reach_arcsec : float
        Margin of the targets: radius and the largest possible motion.
    names : dict of str to str
        Names in the source catalogue of ``ra``, ``dec`` and, where there are, ``pmra``, ``pmdec``
        and ``ref_epoch``.
    epoch_yr : float
        Reference epoch of the sources where they have no ``ref_epoch``.
    """

    extra_columns = pd.DataFrame(
        {"separation_arcsec": pd.Series(dtype=pd.ArrowDtype(pa.float64()))}
    )

    def __init__(
        self, radius_arcsec: float, reach_arcsec: float, names: dict[str, str], epoch_yr: float
    ) -> None:
        self.radius_arcsec = radius_arcsec
        self.reach_arcsec = reach_arcsec
        self.names = names
        self.epoch_yr = epoch_yr

    def validate(self, left: Catalog, right: Catalog) -> None:
        """Refuse targets whose margin is too narrow.

        Raises
        ------
        ValueError
            The margin is less than sources may move.
        """
        super().validate(left, right)
        margin = right.margin
        wide = 0.0 if margin is None else margin.hc_structure.catalog_info.margin_threshold
        if wide < self.reach_arcsec:
            raise ValueError(f"a margin of {wide} arcsec is less than {self.reach_arcsec} arcsec")

    def perform_crossmatch(
        self, crossmatch_args: CrossmatchArgs
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], pd.DataFrame]:
        """Find the pairs of one partition.

        Raises
        ------
        InputError
            A source can have moved further than the margin.
        """
        sources, targets = crossmatch_args.left_df, crossmatch_args.right_df
        ra, dec = (_floats(sources, self.names[name]) for name in ("ra", "dec"))
        pmra, pmdec = (
            np.nan_to_num(_floats(sources, self.names.get(name))) for name in ("pmra", "pmdec")
        )
        born = _floats(sources, self.names.get("ref_epoch"))
        born = np.where(np.isfinite(born), born, self.epoch_yr)
        seen = _floats(targets, "target_epoch_yr")
        place_B3 = unit_vectors(
            _floats(targets, "target_ra_deg"), _floats(targets, "target_dec_deg")
        )
        span = np.maximum(np.abs(seen.max() - born), np.abs(seen.min() - born))
        reach = self.radius_arcsec + np.hypot(pmra, pmdec) * 1e-3 * span
        self._check(sources, reach)
        source, target = _within(unit_vectors(ra, dec), place_B3, reach)
        moved_Y3 = propagate(
            ra[source], dec[source], pmra[source], pmdec[source], seen[target] - born[source]
        )
        separation = separation_arcsec(moved_Y3, place_B3[target])
        near = separation <= self.radius_arcsec
        column = pd.Series(separation[near], dtype=pd.ArrowDtype(pa.float64()))
        return source[near], target[near], pd.DataFrame({"separation_arcsec": column})

    def _check(self, sources: pd.DataFrame, reach: Floats) -> None:
        fastest = int(np.argmax(reach))
        if reach[fastest] > self.reach_arcsec * SLACK:
            raise InputError(
                f"a source at {sources[self.names['ra']].iloc[fastest]}, "
                f"{sources[self.names['dec']].iloc[fastest]} may have moved "
                f"{reach[fastest]:.1f} arcsec; raise photometry.max_motion_arcsec_yr, or "
                "correct its proper motion"
            )


def _within(
    source_S3: Floats, target_B3: Floats, reach_arcsec: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of all pairs within each source's own reach."""
    tree = KDTree(target_B3, balanced_tree=False, compact_nodes=False)
    limit = chord(reach_arcsec) * SLACK
    # Few sources move far: nearly all are dismissed by one short query.
    slow = limit <= 2 * np.median(limit)
    near = np.zeros(len(limit), dtype=bool)
    for group in (slow, ~slow):
        if group.any():
            closest, _ = tree.query(source_S3[group], distance_upper_bound=limit[group].max())
            near[group] = closest <= limit[group]
    candidates = np.flatnonzero(near)
    found = tree.query_ball_point(source_S3[candidates], limit[candidates], return_sorted=True)
    lengths = np.fromiter(map(len, found), np.int64, len(found))
    target = np.fromiter(chain.from_iterable(found), np.int64, int(lengths.sum()))
    return np.repeat(candidates, lengths), target


def _floats(frame: pd.DataFrame, name: str | None) -> Floats:
    if name is None:
        return np.full(len(frame), np.nan)
    return np.asarray(frame[name].to_numpy(dtype="float64", na_value=np.nan))
