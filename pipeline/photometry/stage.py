"""``pairspec photometry``: whose spectrum is it, and how bright is that star really."""

from pathlib import Path

import lsdb

from pipeline.core.report import StageReport
from pipeline.core.run import Run
from pipeline.photometry.hats_import import import_parquet
from pipeline.photometry.inputs import lookups
from pipeline.photometry.lookup import look_up
from pipeline.photometry.matching import MovingMatch
from pipeline.photometry.pairs import Match, match_catalogues
from pipeline.photometry.plan import MatchPlan, make_plan
from pipeline.photometry.resolve import GAIA_EPOCH_YR, ResolveJob, resolve_shard
from pipeline.photometry.shard import PhotometryJob, write_photometry
from pipeline.photometry.sources import SourceCatalogue
from pipeline.photometry.targets import POSITION, TARGETS, targets_path, write_targets
from schemas.photometry import PHOTOMETRY

TARGET_ROWS = 100_000
"""Observations of one partition; with half a million sources they make tasks of seconds."""


def run(run: Run) -> StageReport:
    """Match every counted spectrum to Gaia and 2MASS and derive its intrinsic brightness.

    Parameters
    ----------
    run : Run
        Of it: ``inputs``, ``photometry``.

    Returns
    -------
    StageReport
        Spectra with and without sources, distances and colours.

    Raises
    ------
    InputError
        No Gaia catalogue is named, or ids are to be used whose release is not declared.
    MismatchError
        Counted observations and rows differ in number.
    """
    (observed,) = run.needs()
    plan = make_plan(run, observed)
    if run.is_pending(plan.n_shards, digest=plan.digest):
        _compute(run, plan)
    counts = run.totals(plan.n_shards, digest=plan.digest)
    chosen = run.totals(plan.n_shards, digest=plan.match_digest, step="sources")
    run.balance(observed.counts["valid"], counts["spectra"], "counted observations")
    shown = {
        "spectra": counts["spectra"],
        "without Gaia": counts["NO_GAIA"],
        "without 2MASS": counts["NO_TMASS"],
        "blended": counts["BLENDED"],
        "without distance": counts["NO_DISTANCE"],
        "with (G-Ks)0": counts["g_ks_0"],
        "with M_G": counts["m_g"],
    }
    return run.publish(
        plan.digest,
        counts,
        shown=shown,
        notes=_notes(run, plan, chosen),
        outputs=(run.root.table(PHOTOMETRY),),
    )


def _compute(run: Run, plan: MatchPlan) -> None:
    """Choose Gaia's source of each spectrum, then 2MASS's, then write the table."""
    own, inputs, best = run.settings.photometry, run.settings.inputs, plan.work / "best"
    chosen = ResolveJob(run.root, best, plan.work / "stars", plan.gaia.names, own, plan.declared)
    if run.is_pending(plan.n_shards, digest=plan.match_digest, step="sources"):
        files = _match_gaia(run, plan)
        run.each(
            resolve_shard, plan.n_shards, chosen, digest=plan.match_digest, step="sources",
            extra=lambda shard: files.get(shard, []),
        )  # fmt: skip
    near = {} if plan.tmass is None else _match_tmass(run, plan, plan.tmass)

    tables = lookups(inputs, own)

    def joined(name: str, setting: str) -> Path | None:
        if setting not in tables:
            return None
        key, table, columns = tables[setting]
        return look_up(best, key, table, columns, plan.work / f"{name}.parquet", own.memory_limit)

    job = PhotometryJob(
        run.root,
        best,
        {} if plan.tmass is None else plan.tmass.names,
        joined("neighbours", "inputs.tmass_best_neighbour"),
        joined("geometric", "inputs.bailer_jones"),
        joined("reddening", "inputs.catalogue"),
        own,
    )
    run.each(
        write_photometry, plan.n_shards, job, digest=plan.digest,
        extra=lambda shard: near.get(shard, []),
    )  # fmt: skip


def _match_gaia(run: Run, plan: MatchPlan) -> dict[int, list[Path]]:
    own, folder = run.settings.photometry, plan.work / "targets"
    years: list[float] = [GAIA_EPOCH_YR]
    args = (folder, run.root, own.position_epoch, GAIA_EPOCH_YR)
    for n, first, last in run.tasks(write_targets, range(plan.n_shards), *args):
        years += [first, last] if n else []
    # Catalogues of Gaia have reference epochs of 2015.0 to 2017.5: two more years cover all.
    span = max(GAIA_EPOCH_YR - min(years), max(years) - GAIA_EPOCH_YR) + 2
    reach = own.radius_arcsec + own.max_motion_arcsec_yr * span
    algorithm = MovingMatch(own.radius_arcsec, reach, plan.gaia.names, GAIA_EPOCH_YR)
    return _match(run, plan, plan.gaia, folder, algorithm, "match_gaia", plan.match_digest)


def _match_tmass(run: Run, plan: MatchPlan, tmass: SourceCatalogue) -> dict[int, list[Path]]:
    own = run.settings.photometry
    radius = own.tmass_radius_arcsec
    names = {name: own_name for name, own_name in tmass.names.items() if name in ("ra", "dec")}
    algorithm = MovingMatch(radius, radius, names, own.tmass_epoch_yr)
    digest = run.digest(plan.match_digest, tmass.digest, radius)
    return _match(run, plan, tmass, plan.work / "stars", algorithm, "match_tmass", digest)


def _match(
    run: Run,
    plan: MatchPlan,
    sources: SourceCatalogue,
    targets: Path,
    algorithm: MovingMatch,
    step: str,
    digest: str,
) -> dict[int, list[Path]]:
    """Write all pairs of sources and targets; return the files that hold pairs of each shard."""
    own = run.settings.photometry
    imported = import_parquet(
        run,
        [targets_path(targets, shard) for shard in range(plan.n_shards)],
        plan.work / f"{targets.name}-{digest}",
        TARGETS.names,
        POSITION,
        partition_rows=TARGET_ROWS,
        margin_arcsec=algorithm.reach_arcsec,
    )
    opened = sources.open(run, run.root.path / "catalogues", own.partition_rows)
    match = Match(opened, lsdb.open_catalog(imported), algorithm, plan.work / step)
    return match_catalogues(run, match, step, digest)


def _notes(run: Run, plan: MatchPlan, chosen: dict[str, int]) -> tuple[str, ...]:
    notes = []
    if plan.declared:
        differ, known = chosen["declared_id_differs"], chosen["with_declared_id"]
        notes.append(f"{differ:,} of {known:,} matches differ from LAMOST's own gaia_source_id")
    else:
        release = run.settings.inputs.gaia_release or "not declared"
        notes.append(f"LAMOST's own gaia_source_id was not used: its release is {release}")
    if chosen["repeated_sources"]:
        notes.append(
            f"{chosen['repeated_sources']:,} candidates repeat a source_id of the same spectrum; "
            "each source counts once"
        )
    for catalogue in (plan.gaia, plan.tmass):
        left_out = catalogue.left_out(run.root.path / "catalogues") if catalogue else 0
        if left_out:
            notes.append(
                f"{left_out:,} rows of {catalogue and catalogue.location} have no position on the "
                "sky and were left out"
            )
    return tuple(notes)
