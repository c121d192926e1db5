"""``pairspec ingest``: files in, store and observations out."""

import shlex
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.core.errors import MismatchError
from pipeline.core.pieces import Pieces
from pipeline.core.report import StageReport
from pipeline.core.run import Run
from pipeline.formats.door import FORMATS
from pipeline.ingest.duplicates import write_duplicates
from pipeline.ingest.lamost_catalogue import Catalogue, convert_catalogue
from pipeline.ingest.layout import STORE, lay_out, layout_digest
from pipeline.ingest.matches import matches_path, write_matches
from pipeline.ingest.observations import ObservationsJob, write_observations
from pipeline.ingest.shard import IngestJob, ingest_shard
from pipeline.store.manifest import Manifest, freeze, open_manifest, scan
from pipeline.store.tree import LeftOut
from schemas.observations import DUPLICATES, OBSERVATIONS

_NOTED = 20


def run(run: Run) -> StageReport:
    """Read all spectra of a folder into the store and write the table of observations.

    Parameters
    ----------
    run : Run
        Of it: ``inputs.spectra``, ``inputs.catalogue``, ``ingest``.

    Returns
    -------
    StageReport
        Files, spectra, refused and superseded ones.

    Raises
    ------
    InputError
        No folder was named, or there is no catalogue where one was named.
    InputError
        The folder of spectra has changed since an earlier run.
    MismatchError
        Rows in are not rows out, the manifest is damaged, or shards are and the files are gone.
    """
    settings, root = run.settings, run.root
    known = FORMATS[settings.inputs.format]
    left_out = LeftOut(names=known.names)
    manifest = _manifest(run, left_out)
    catalogue, catalogue_notes = _catalogue(run)
    reading = (settings.inputs.format, settings.ingest)
    layout = layout_digest(manifest, *reading)
    run.once(lay_out, root, manifest, *reading, digest=layout, step=STORE)
    run.require_sound(1, digest=layout, step=STORE)
    if settings.inputs.spectra is None and run.is_pending(manifest.n_shards, digest=layout):
        raise MismatchError(
            f"shards of {root.store} are missing or damaged, and no folder of spectra is named to "
            "read them from; name one (inputs.spectra), or acquire the spectra again into another "
            "folder"
        )
    folder = Path(settings.inputs.spectra or "").resolve()
    job = IngestJob(root, folder, *reading)
    read = run.each(ingest_shard, manifest.n_shards, job, digest=layout)
    run.once(write_duplicates, root, digest=layout, step="duplicates", on_worker=True)
    digest = run.digest(layout, catalogue and catalogue.digest)
    matches = None
    if catalogue is not None:
        matched = run.once(
            write_matches, root, catalogue.parquet, digest=digest, step="matches", on_worker=True
        )
        catalogue_notes = (*catalogue_notes, *matched.notes)
        matches = matches_path(catalogue.parquet)
    pieces = Pieces.of_rows(manifest.n_shards, manifest.shard_rows, settings.tables.unit_spectra)
    observed = run.each(
        write_observations,
        len(pieces),
        ObservationsJob(root, matches, pieces),
        digest=run.digest(digest, pieces.size),
        step="observations",
        of="pieces",
    )
    observed["valid"] = observed["rows"] - observed["superseded"] - observed["refused"]
    run.balance(manifest.n_files, observed["rows"], "files", "observations")
    shown = {
        "files": manifest.n_files,
        "spectra": read["spectra"],
        "refused": observed["refused"],
        "superseded": observed["superseded"],
        "without catalogue": observed["without_catalogue"],
        "shards": manifest.n_shards,
    }
    told = (
        *catalogue_notes,
        *left_out.notes(),
        *_notes(root.table(DUPLICATES)),
        *_refused(observed["refused"], root.path),
    )
    outputs = (root.store, root.table(OBSERVATIONS))
    return run.publish(digest, observed, shown=shown, notes=told, outputs=outputs)


def _catalogue(run: Run) -> tuple[Catalogue | None, tuple[str, ...]]:
    """Bring the catalogue into Parquet before any file is read: a bad value in it shows early."""
    source = run.settings.inputs.catalogue
    if source is None:
        return None, ()
    catalogue = Catalogue.at(source, run.root.path / "tables" / "lamost_catalogue")
    done = run.once(
        convert_catalogue, catalogue, digest=run.digest(catalogue.digest), step="lamost_catalogue"
    )
    return catalogue, done.notes


def _manifest(run: Run, left_out: LeftOut) -> Manifest:
    spectra, ingest = Path(run.settings.inputs.spectra or ""), run.settings.ingest
    if ingest.frozen:
        return open_manifest(run.root.manifest)
    known = FORMATS[run.settings.inputs.format]
    return freeze(
        run.root.manifest,
        lambda: known.entries(spectra, scan(spectra, left_out)),
        ingest.shard_rows,
    )


def _refused(n_refused: int, root: Path) -> tuple[str, ...]:
    if n_refused == 0:
        return ()
    query = "SELECT path, reason FROM observations WHERE reason IS NOT NULL"
    return (
        f'{n_refused:,} refused; why: pairspec query "{query}" --root {shlex.quote(str(root))}',
    )


def _notes(duplicates: Path) -> tuple[str, ...]:
    with pq.ParquetFile(duplicates, page_checksum_verification=True) as file:
        first = next(file.iter_batches(_NOTED), None)
        more = file.metadata.num_rows - _NOTED
    named = tuple(
        f"{d['exposure']}: {d['newest_path']} counts, superseded: {d['path']}"
        for d in (first.to_pylist() if first else [])
    )
    return (*named, f"and {more} more, all in {duplicates}") if more > 0 else named
