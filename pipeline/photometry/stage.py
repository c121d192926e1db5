"""``pairspec photometry``: whose spectrum is it, and how bright is that star really."""

import json
from pathlib import Path

from pipeline.core.atomic import write_json
from pipeline.core.errors import InputError
from pipeline.core.report import StageReport
from pipeline.core.run import Run
from pipeline.photometry.inputs import lookups
from pipeline.photometry.lookup import look_up
from pipeline.photometry.matching import MovingMatch
from pipeline.photometry.pairs import Match, match_catalogues
from pipeline.photometry.plan import MatchPlan, make_plan
from pipeline.photometry.resolve import GAIA_EPOCH_YR, ResolveJob, resolve_piece
from pipeline.photometry.shard import PhotometryJob, write_photometry
from pipeline.photometry.sources import SourceCatalogue
from pipeline.photometry.target_parts import TargetParts, sort_targets
from pipeline.photometry.targets import targets_path, write_targets
from schemas.photometry import PHOTOMETRY


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
    n_units, digest = len(plan.pieces), plan.unit_digest(plan.digest)
    if run.is_pending(n_units, digest=digest):
        _compute(run, plan)
    counts = run.totals(n_units, digest=digest)
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
        notes=_notes(run, plan, counts),
        outputs=(run.root.table(PHOTOMETRY),),
    )


def _compute(run: Run, plan: MatchPlan) -> None:
    """Choose Gaia's source of each spectrum, then 2MASS's, then write the table."""
    own, inputs, best = run.settings.photometry, run.settings.inputs, plan.work / "best"
    stars, n_units = plan.work / "stars", len(plan.pieces)
    match_digest = plan.unit_digest(plan.match_digest)
    if run.is_pending(n_units, digest=match_digest, step="sources"):
        files = _match_gaia(run, plan)
        chosen = ResolveJob(run.root, best, stars, plan.gaia.names, own, plan.declared, plan.pieces)
        run.each(
            resolve_piece, n_units, chosen, digest=match_digest, step="sources", of="pieces",
            extra=lambda unit: files.get(unit, []), folders=(best, stars),
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
        plan.pieces,
    )
    run.each(
        write_photometry, n_units, job, digest=plan.unit_digest(plan.digest), of="pieces",
        extra=lambda unit: near.get(unit, []),
    )  # fmt: skip


def _match_gaia(run: Run, plan: MatchPlan) -> dict[int, list[Path]]:
    own, folder = run.settings.photometry, plan.work / "targets"
    years = [GAIA_EPOCH_YR]
    args = (plan.pieces, folder, run.root, own.position_epoch, GAIA_EPOCH_YR)
    for n, first, last in run.tasks(write_targets, range(len(plan.pieces)), *args):
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
    """Write all pairs of sources and targets; return the files that hold pairs of each piece."""
    rows = run.settings.photometry.partition_rows
    files = [targets_path(targets, unit) for unit in range(len(plan.pieces))]
    digest = plan.unit_digest(digest)
    folder = plan.work / f"{targets.name}-{digest}"
    parts = TargetParts(folder, algorithm.radius_arcsec, algorithm.reach_arcsec)
    sort_targets(run, files, parts, rows)
    blocks = sources.blocks(run.root.path / "catalogues", rows, parts)
    columns = tuple(sources.names.values())
    match = Match(columns, parts, algorithm, plan.work / step, plan.pieces)
    found, counts = match_catalogues(run, blocks, match, step, digest)
    if sources.table is not None and counts["left_out"] == counts["sources"]:
        raise InputError(f"no row of {sources.location} has a position")
    write_json(_left_out(plan, step), counts["left_out"])
    return found


def _left_out(plan: MatchPlan, step: str) -> Path:
    """Return the file with the number of sources that have no position on the sky."""
    return plan.work / f"{step}.json"


def _notes(run: Run, plan: MatchPlan, counts: dict[str, int]) -> tuple[str, ...]:
    notes = []
    if plan.declared:
        differ, known = counts["declared_id_differs"], counts["with_declared_id"]
        notes.append(f"{differ:,} of {known:,} matches differ from LAMOST's own gaia_source_id")
    else:
        release = run.settings.inputs.gaia_release or "not declared"
        notes.append(f"LAMOST's own gaia_source_id was not used: its release is {release}")
    # Records of steps on the way may be gone: their files may be deleted.
    chosen = run.totals(
        len(plan.pieces), digest=plan.unit_digest(plan.match_digest), step="sources"
    )
    if chosen.get("repeated_sources"):
        notes.append(
            f"{chosen['repeated_sources']:,} candidates repeat a source_id of the same spectrum; "
            "each source counts once"
        )
    for catalogue, step in ((plan.gaia, "match_gaia"), (plan.tmass, "match_tmass")):
        counted = _left_out(plan, step)
        left_out = json.loads(counted.read_text()) if counted.exists() else 0
        if catalogue and left_out:
            notes.append(
                f"{left_out:,} rows of {catalogue.location} have no position on the sky and were "
                "left out"
            )
    return tuple(notes)
