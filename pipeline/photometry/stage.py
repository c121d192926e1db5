"""``pairspec photometry``: whose spectrum is it, and how bright is that star really."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lsdb

from cluster.window import run_window
from pipeline.core.atomic import sweep
from pipeline.core.digest import digest_of
from pipeline.core.progress import track
from pipeline.core.published import publish, published
from pipeline.core.root import Root
from pipeline.core.stage import StageReport
from pipeline.ingest.lamost_catalogue import catalogue_digest
from pipeline.photometry.columns import GAIA, GAIA_REQUIRED, TMASS, TMASS_REQUIRED
from pipeline.photometry.hats_import import import_parquet
from pipeline.photometry.lookup import look_up
from pipeline.photometry.matching import MovingMatch
from pipeline.photometry.pairs import Pairs, match_catalogues
from pipeline.photometry.resolve import GAIA_EPOCH_YR, ResolveJob, resolve_shard
from pipeline.photometry.shard import (
    DESIGNATION,
    GEOMETRIC,
    PhotometryJob,
    write_photometry,
)
from pipeline.photometry.sources import SourceCatalogue, find_catalogue
from pipeline.photometry.targets import POSITION, TARGETS, targets_path, write_targets
from pipeline.settings.load import Settings
from pipeline.store.manifest import open_manifest
from schemas.photometry import PHOTOMETRY

if TYPE_CHECKING:
    from distributed import Client

TARGET_ROWS = 100_000
"""Observations of one partition; with half a million sources they make tasks of seconds."""


class PhotometryError(ValueError):
    """Inputs are missing, contradict each other, or rows were lost."""


@dataclass(frozen=True)
class Plan:
    """Everything that is known before anything is computed.

    Parameters
    ----------
    settings : Settings
        Of the run.
    root : Root
        Resolved root.
    n_shards : int
        Shards of the store.
    gaia : SourceCatalogue
        Gaia's sources.
    tmass : SourceCatalogue or None
        2MASS's sources.
    declared : bool
        LAMOST's ids are of the release of ``gaia``.
    match_digest, digest : str
        Digests of everything that the choice of sources, and the table, depend on.
    """

    settings: Settings
    root: Root
    n_shards: int
    gaia: SourceCatalogue
    tmass: SourceCatalogue | None
    declared: bool
    match_digest: str
    digest: str

    @property
    def work(self) -> Path:
        """Folder of what lies between the steps."""
        return self.root.path / "crossmatch"


def run(settings: Settings, client: "Client") -> StageReport:
    """Match every counted spectrum to Gaia and 2MASS and derive its intrinsic brightness.

    Parameters
    ----------
    settings : Settings
        ``root``, ``inputs``, ``photometry``.
    client : distributed.Client
        Where to run, also for LSDB.

    Returns
    -------
    StageReport
        Spectra with and without sources, distances and colours.

    Raises
    ------
    PhotometryError
        No Gaia catalogue is named, ids are to be used whose release is not declared, or counted
        observations and rows differ in number.
    """
    root = Root(settings.root.resolve())
    observed = published(root.path, "observations", "ingest")
    plan = _plan(settings, root, observed.digest)
    ledger = root.ledger("photometry", plan.digest)
    if ledger.pending(plan.n_shards):
        sweep(plan.work)
        _compute(plan, client)
    counts = ledger.total(plan.n_shards)
    expected = observed.counts["rows"] - observed.counts["superseded"] - observed.counts["refused"]
    if counts["spectra"] != expected:
        raise PhotometryError(
            f"{expected} counted observations but {counts['spectra']} rows of photometry; "
            f"delete {ledger.folder} and run again"
        )
    chosen = _resolve_job(plan).ledger.total(plan.n_shards)
    publish(root.path, "photometry", plan.digest, counts)
    shown = {
        "spectra": counts["spectra"],
        "without Gaia": counts["NO_GAIA"],
        "without 2MASS": counts["NO_TMASS"],
        "blended": counts["BLENDED"],
        "without distance": counts["NO_DISTANCE"],
        "with (G-Ks)0": counts["g_ks_0"],
        "with M_G": counts["m_g"],
    }
    return StageReport("photometry", shown, _notes(plan, chosen), (root.table(PHOTOMETRY),))


def _plan(settings: Settings, root: Root, observed: str) -> Plan:
    inputs, own = settings.inputs, settings.photometry
    if inputs.gaia is None:
        raise PhotometryError("no Gaia catalogue: set inputs.gaia to a HATS or Parquet catalogue")
    declared = inputs.gaia_release is not None and (
        inputs.gaia_release.upper().removeprefix("E") == own.gaia_release.upper().removeprefix("E")
    )
    if own.match == "declared_id" and not declared:
        raise PhotometryError(
            f'photometry.match = "declared_id" needs inputs.gaia_release = "{own.gaia_release}" '
            f"(it is {inputs.gaia_release}): ids of another release name other sources"
        )
    if own.reddening == "lamost_column" and inputs.catalogue is None:
        raise PhotometryError('photometry.reddening = "lamost_column" needs inputs.catalogue')
    aliases, required = dict(GAIA), list(GAIA_REQUIRED)
    if own.reddening == "gaia_column":
        aliases["e_bv"] = (own.reddening_column,)
        required.append("e_bv")
    gaia = find_catalogue(str(inputs.gaia), aliases, required)
    tmass = None if inputs.tmass is None else find_catalogue(
        str(inputs.tmass), TMASS, TMASS_REQUIRED
    )  # fmt: skip
    match = ("radius_arcsec", "position_epoch", "max_motion_arcsec_yr", "match", "blend_mag",
             "tmass_epoch_yr", "partition_rows")  # fmt: skip
    match_digest = digest_of(
        observed, gaia.digest, declared, own.model_dump(mode="json", include=set(match))
    )
    tables = [
        path and catalogue_digest(path)
        for path in (inputs.tmass_best_neighbour, inputs.bailer_jones)
    ]
    digest = digest_of(match_digest, tmass and tmass.digest, tables, own)
    n_shards = open_manifest(root.path / "manifest.parquet").n_shards
    return Plan(settings, root, n_shards, gaia, tmass, declared, match_digest, digest)


def _resolve_job(plan: Plan) -> ResolveJob:
    return ResolveJob(
        plan.root,
        plan.work / "best",
        plan.work / "stars",
        plan.gaia.names,
        plan.settings.photometry,
        plan.declared,
        plan.match_digest,
    )


def _compute(plan: Plan, client: "Client") -> None:
    own, inputs = plan.settings.photometry, plan.settings.inputs
    retries = plan.settings.cluster.retries
    chosen = _resolve_job(plan)
    if chosen.ledger.pending(plan.n_shards):
        files = _match_gaia(plan, client)
        _each_shard(client, resolve_shard, files, chosen, chosen.ledger, plan.n_shards, retries)
    files = {} if plan.tmass is None else _match_tmass(plan, plan.tmass, client)
    keys, limit = plan.work / "best", own.memory_limit

    def joined(name: str, key: str, table: Path | None, *columns: str) -> Path | None:
        if table is None:
            return None
        return look_up(keys, key, table, columns, plan.work / f"{name}.parquet", limit)

    dusty = inputs.catalogue if own.reddening == "lamost_column" else None
    job = PhotometryJob(
        plan.root,
        keys,
        {} if plan.tmass is None else plan.tmass.names,
        joined("neighbours", "source_id", inputs.tmass_best_neighbour, DESIGNATION),
        joined("geometric", "source_id", inputs.bailer_jones, *GEOMETRIC),
        joined("reddening", "obsid", dusty, own.reddening_column),
        own,
        plan.digest,
    )
    ledger = plan.root.ledger("photometry", plan.digest)
    _each_shard(client, write_photometry, files, job, ledger, plan.n_shards, retries)


def _each_shard(
    client: "Client",
    work: Callable[..., int],
    files: dict[int, list[Path]],
    job: Any,
    ledger: Any,
    n_shards: int,
    retries: int,
) -> None:
    pending = ledger.pending(n_shards)
    items = ((shard, files.get(shard, [])) for shard in pending)
    with track("photometry", n_shards, n_shards - len(pending), "shards") as advance:
        for _ in run_window(client, work, items, job, retries=retries):
            advance()


def _match_gaia(plan: Plan, client: "Client") -> dict[int, list[Path]]:
    own, retries = plan.settings.photometry, plan.settings.cluster.retries
    folder = plan.work / "targets"
    years: list[float] = [GAIA_EPOCH_YR]
    args = (folder, plan.root, own.position_epoch, GAIA_EPOCH_YR)
    for n, first, last in run_window(
        client, write_targets, range(plan.n_shards), *args, retries=retries
    ):
        years += [first, last] if n else []
    # Catalogues of Gaia have reference epochs of 2015.0 to 2017.5: two more years cover all.
    span = max(GAIA_EPOCH_YR - min(years), max(years) - GAIA_EPOCH_YR) + 2
    reach = own.radius_arcsec + own.max_motion_arcsec_yr * span
    algorithm = MovingMatch(own.radius_arcsec, reach, plan.gaia.names, GAIA_EPOCH_YR)
    return _match(plan, client, plan.gaia, "gaia", folder, algorithm, plan.match_digest)


def _match_tmass(plan: Plan, tmass: SourceCatalogue, client: "Client") -> dict[int, list[Path]]:
    own = plan.settings.photometry
    radius = own.tmass_radius_arcsec
    names = {name: own_name for name, own_name in tmass.names.items() if name in ("ra", "dec")}
    algorithm = MovingMatch(radius, radius, names, own.tmass_epoch_yr)
    digest = digest_of(plan.match_digest, tmass.digest, radius)
    return _match(plan, client, tmass, "tmass", plan.work / "stars", algorithm, digest)


def _match(
    plan: Plan,
    client: "Client",
    sources: SourceCatalogue,
    name: str,
    folder: Path,
    algorithm: MovingMatch,
    digest: str,
) -> dict[int, list[Path]]:
    own, retries = plan.settings.photometry, plan.settings.cluster.retries
    parts = [targets_path(folder, shard) for shard in range(plan.n_shards)]
    targets = import_parquet(
        client,
        parts,
        plan.work / f"{folder.name}-{digest}",
        TARGETS.names,
        POSITION,
        partition_rows=TARGET_ROWS,
        margin_arcsec=algorithm.reach_arcsec,
        retries=retries,
    )
    catalogue = sources.open(client, plan.root.path / "catalogues", own.partition_rows, retries)
    pairs = Pairs(plan.work / name, digest)
    opened = lsdb.open_catalog(targets)
    return match_catalogues(client, catalogue, opened, algorithm, pairs, retries)


def _notes(plan: Plan, chosen: dict[str, int]) -> tuple[str, ...]:
    if not plan.declared:
        release = plan.settings.inputs.gaia_release
        return (
            f"LAMOST's own gaia_source_id was not used: its release is {release or 'not declared'}",
        )
    differ, known = chosen["declared_id_differs"], chosen["with_declared_id"]
    return (f"{differ:,} of {known:,} matches differ from LAMOST's own gaia_source_id",)
