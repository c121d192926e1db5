"""What a cross-match is made from: inputs found and checked before anything is computed."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.core.datasets import Datasets
from pipeline.core.digest import digest_of
from pipeline.core.errors import InputError, given_by
from pipeline.core.pieces import Pieces
from pipeline.core.published import Published
from pipeline.ingest.lamost_catalogue import catalogue_digest
from pipeline.photometry.sources import SourceCatalogue, find_catalogue
from pipeline.settings.inputs import InputSettings
from pipeline.settings.photometry import PhotometrySettings
from pipeline.store.manifest import open_manifest
from pipeline.tables.source_columns import GAIA, GAIA_REQUIRED, TMASS, TMASS_REQUIRED
from schemas.photometry import PHOTOMETRY

_MATCH = {
    "radius_arcsec", "position_epoch", "max_motion_arcsec_yr", "match", "blend_mag",
    "tmass_epoch_yr",
}  # fmt: skip
"""Settings that the choice of sources depends on."""

_RUNTIME_ONLY = {"partition_rows", "memory_limit"}
"""Settings that change no row."""


@dataclass(frozen=True)
class MatchPlan:
    """Everything that is known before anything is computed.

    Parameters
    ----------
    pieces : Pieces
        Shards of each task.
    partition_rows : int
        Sources that a task reads.
    gaia : SourceCatalogue
        Gaia's sources.
    tmass : SourceCatalogue or None
        2MASS's sources.
    declared : bool
        LAMOST's ids are of the release of ``gaia``.
    match_digest, digest : str
        Digests of everything that the choice of sources, and the table, depend on.
    work : pathlib.Path
        Folder of what lies between the steps.
    """

    pieces: Pieces
    partition_rows: int
    gaia: SourceCatalogue
    tmass: SourceCatalogue | None
    declared: bool
    match_digest: str
    digest: str
    work: Path

    def unit_digest(self, digest: str) -> str:
        """Return the digest of the records of tasks: the same rows in other tasks are the same."""
        return digest_of(digest, self.pieces.size, self.partition_rows)


def make_plan(asked: Datasets, observed: Published) -> MatchPlan:
    """Find the catalogues and check that the settings fit together.

    Parameters
    ----------
    asked : Datasets
        Of it: ``inputs``, ``photometry``.
    observed : Published
        The observations.

    Raises
    ------
    InputError
        No Gaia catalogue is named, a catalogue cannot be used, or ids are to be used whose release
        is not declared.
    """
    inputs, own = asked.settings.inputs, asked.settings.photometry
    declared = _check(inputs, own)
    aliases, required = dict(GAIA), list(GAIA_REQUIRED)
    if own.reddening == "gaia_column":
        aliases["e_bv"] = (own.reddening_column,)
        required.append("e_bv")
    with given_by("inputs.gaia"):
        gaia = find_catalogue(str(inputs.gaia), aliases, required)
    tmass = None
    if inputs.tmass is not None:
        with given_by("inputs.tmass"):
            tmass = find_catalogue(str(inputs.tmass), TMASS, TMASS_REQUIRED)
    match = own.model_dump(mode="json", include=_MATCH)
    match_digest = asked.digest(observed, gaia.digest, declared, match)
    tables = [
        path and catalogue_digest(path)
        for path in (inputs.tmass_best_neighbour, inputs.bailer_jones)
    ]
    how = own.model_dump(mode="json", exclude=_RUNTIME_ONLY)
    # The columns are named, so that a run of an older version gets those that it lacks.
    digest = asked.digest(match_digest, tmass and tmass.digest, tables, how, list(PHOTOMETRY.names))
    manifest, rows = open_manifest(asked.root.manifest), asked.settings.tables.unit_spectra
    pieces = Pieces.of_rows(manifest.n_shards, manifest.shard_rows, rows)
    work = asked.root.path / "crossmatch"
    return MatchPlan(pieces, own.partition_rows, gaia, tmass, declared, match_digest, digest, work)


def _check(inputs: InputSettings, own: PhotometrySettings) -> bool:
    """Return whether LAMOST's ids are of the release of the Gaia catalogue."""
    if inputs.gaia is None:
        raise InputError("no Gaia catalogue: set inputs.gaia to a HATS or Parquet catalogue")
    declared = inputs.gaia_release is not None and (
        inputs.gaia_release.upper().removeprefix("E") == own.gaia_release.upper().removeprefix("E")
    )
    if own.match == "declared_id" and not declared:
        raise InputError(
            f'photometry.match = "declared_id" needs inputs.gaia_release = "{own.gaia_release}" '
            f"(it is {inputs.gaia_release}): ids of another release name other sources"
        )
    if own.reddening == "lamost_column" and inputs.catalogue is None:
        raise InputError('photometry.reddening = "lamost_column" needs inputs.catalogue')
    return declared
