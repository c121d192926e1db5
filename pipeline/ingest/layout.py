"""The description of the store that the files of a manifest get."""

from typing import Any

from pipeline.core.digest import digest_of
from pipeline.core.ledger import Done
from pipeline.core.root import Root
from pipeline.formats.door import FORMATS
from pipeline.settings.ingest import IngestSettings
from pipeline.store.manifest import Manifest
from pipeline.store.store import ensure_store, metadata_files

STORE = "store"
"""Step of the ledger that names the manifest and the description of the store."""


def store_notes(name: str, ingest: IngestSettings) -> dict[str, Any]:
    """Return what the store says of its spectra: format and resolving power, blue and red.

    Parameters
    ----------
    name : str
        Format of the spectra.
    ingest : IngestSettings
        Of it: ``resolving_power``.
    """
    own = ingest.resolving_power
    power = FORMATS[name].resolving_power or (None if own is None else (own, own))
    return {"format": name, "resolving_power": None if power is None else list(power)}


def layout_digest(manifest: Manifest, name: str, ingest: IngestSettings) -> str:
    """Return the digest of all that the store depends on.

    Parameters
    ----------
    manifest : Manifest
        The files.
    name : str
        Format of the spectra.
    ingest : IngestSettings
        How they are read and laid out.
    """
    reading = [ingest.wave_unit, ingest.wave_medium] if name == "table" else []
    return digest_of(manifest.digest, ingest.chunk_rows, store_notes(name, ingest), reading)


def lay_out(root: Root, manifest: Manifest, name: str, ingest: IngestSettings) -> Done:
    """Describe the store; from here on the ledger knows the manifest and that description.

    Parameters
    ----------
    root : Root
        Where to.
    manifest : Manifest
        The files.
    name : str
        Format of the spectra.
    ingest : IngestSettings
        How they are laid out.
    """
    n_shards, shard_rows = manifest.n_shards, manifest.shard_rows
    notes = store_notes(name, ingest)
    ensure_store(root.store, n_shards, shard_rows, ingest.chunk_rows, manifest.digest, notes)
    return Done({"shards": n_shards}, (manifest.path, *metadata_files(root.store)))
