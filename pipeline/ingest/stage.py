"""``pairspec ingest``: files in, store and observations out."""

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from cluster.window import run_window
from pipeline.core.atomic import sweep
from pipeline.core.digest import digest_of
from pipeline.core.progress import track
from pipeline.core.published import publish
from pipeline.core.root import Root
from pipeline.core.stage import StageReport
from pipeline.ingest.duplicates import write_duplicates
from pipeline.ingest.lamost_catalogue import catalogue_digest, convert_catalogue
from pipeline.ingest.observations import ObservationsJob, write_observations
from pipeline.ingest.shard import IngestJob, ingest_shard
from pipeline.settings.load import Settings
from pipeline.store.manifest import Manifest, freeze, open_manifest, scan
from pipeline.store.store import ensure_store
from schemas.observations import DUPLICATES, HEADERS, OBSERVATIONS

if TYPE_CHECKING:
    from distributed import Client

_NOTED = 20


class IngestError(ValueError):
    """Rows were lost or inputs are missing."""


def run(settings: Settings, client: "Client") -> StageReport:
    """Read all spectra of a folder into the store and write the table of observations.

    Parameters
    ----------
    settings : Settings
        ``inputs.spectra``, ``inputs.catalogue``, ``ingest``.
    client : distributed.Client
        Where to run.

    Returns
    -------
    StageReport
        Files, spectra, refused and superseded ones.

    Raises
    ------
    IngestError
        No folder was named, or rows in are not rows out.
    """
    root = Root(settings.root)
    sweep(root.path)
    manifest = _manifest(settings, root)
    ensure_store(
        root.store,
        manifest.n_shards,
        manifest.shard_rows,
        settings.ingest.chunk_rows,
        manifest.digest,
    )
    _read_shards(settings, client, root, manifest)
    digest, notes, counts = _observe(settings, client, root, manifest)
    if counts["rows"] != manifest.n_files:
        raise IngestError(
            f"{manifest.n_files} files went in but {counts['rows']} rows came out; "
            f"delete {root.path / 'ledger'} and run again"
        )
    publish(root.path, "observations", digest, counts)
    read = root.ledger("ingest", manifest.digest).total(manifest.n_shards)
    return StageReport(
        "ingest",
        {
            "files": manifest.n_files,
            "spectra": read["spectra"],
            "refused": counts["refused"],
            "superseded": counts["superseded"],
            "without catalogue": counts["without_catalogue"],
            "shards": manifest.n_shards,
        },
        notes,
        (root.store, root.table(OBSERVATIONS)),
    )


def _manifest(settings: Settings, root: Root) -> Manifest:
    path = root.path / "manifest.parquet"
    if settings.inputs.spectra is None:
        raise IngestError("no folder of spectra: give --spectra DIR or set inputs.spectra")
    if settings.ingest.frozen:
        return open_manifest(path)
    return freeze(path, scan(settings.inputs.spectra), settings.ingest.shard_rows)


def _read_shards(settings: Settings, client: "Client", root: Root, manifest: Manifest) -> None:
    spectra = Path(settings.inputs.spectra or "").resolve()
    job = IngestJob(Root(root.path.resolve()), spectra, manifest.digest)
    pending = root.ledger("ingest", manifest.digest).pending(manifest.n_shards)
    retries = settings.cluster.retries
    with track("ingest", manifest.n_shards, manifest.n_shards - len(pending), "shards") as advance:
        for _ in run_window(client, ingest_shard, pending, job, retries=retries):
            advance()


def _observe(
    settings: Settings, client: "Client", root: Root, manifest: Manifest
) -> tuple[str, tuple[str, ...], dict[str, int]]:
    source = settings.inputs.catalogue
    if source is not None and not source.is_file():
        raise IngestError(f"no catalogue at {source}; give one by --catalogue, or leave it out")
    state = catalogue_digest(source) if source else None
    digest = digest_of(manifest.digest, state)
    ledger = root.ledger("observations", digest)
    pending = ledger.pending(manifest.n_shards)
    if pending:
        resolved = Root(root.path.resolve())
        # On a worker: sorting millions of headers is too much for a driver on a login node.
        folders = (resolved.table(HEADERS), resolved.table(DUPLICATES))
        client.submit(write_duplicates, *folders, pure=False).result()
        parquet = None
        if source is not None:
            folder = resolved.path / "tables" / "lamost_catalogue"
            parquet = convert_catalogue(source, folder, digest)
        job = ObservationsJob(resolved, digest, parquet)
        with track("observations", len(pending), 0, "shards") as advance:
            for _ in run_window(
                client, write_observations, pending, job, retries=settings.cluster.retries
            ):
                advance()
    return digest, _notes(root.table(DUPLICATES)), ledger.total(manifest.n_shards)


def _notes(duplicates: Path) -> tuple[str, ...]:
    with pq.ParquetFile(duplicates) as file:
        first = next(file.iter_batches(_NOTED), None)
        more = file.metadata.num_rows - _NOTED
    named = tuple(
        f"{d['exposure']}: {d['newest_path']} counts, superseded: {d['path']}"
        for d in (first.to_pylist() if first else [])
    )
    return (*named, f"and {more} more, all in {duplicates}") if more > 0 else named
