"""The work of composites: one block, made of the stars of a few shards."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from pipeline.composites.couples import Composites, expose_couples
from pipeline.composites.mean_spectrum import fit_mean
from pipeline.composites.pairing import Couples, PairingError, draw_couples
from pipeline.composites.pool import Pool, read_pool
from pipeline.composites.sums import Stored
from pipeline.composites.variation import Neighbourhood, nearest_stars
from pipeline.core.atomic import write_bytes
from pipeline.core.ledger import Done
from pipeline.core.published import require_published
from pipeline.core.root import Root
from pipeline.labels.split import PARTS
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.stars import PopulationSettings
from pipeline.store.rows import read_rows
from pipeline.store.store import open_store
from schemas.composites import COMPOSITE_POOL

CHUNK = 128
"""Couples added up at a time, so that temporaries stay small."""

VARIED_SPECTRA = 2048
"""Spectra, drawn at random from those of its shards, that a block makes new stars of."""


@dataclass(frozen=True)
class CompositeJob:
    """What the tasks of one making of composites have in common.

    Attributes
    ----------
    root
        Where to read and write.
    digest
        Digest of everything that the composites depend on.
    composites, population, spectra
        Settings: pairs and noise; orbits; grid and continuum.
    """

    root: Root
    digest: str
    composites: CompositeSettings
    population: PopulationSettings
    spectra: SpectraSettings

    def units(self) -> list[tuple[str, int, int]]:
        """List part, number within the part, and couples of every block."""
        c = self.composites
        wanted = (c.training_couples, c.validation_couples, c.test_couples)
        return [
            (part, start // c.block_couples, min(c.block_couples, n - start))
            for part, n in zip(PARTS, wanted, strict=True)
            for start in range(0, n, c.block_couples)
        ]

    def path(self, part: str, number: int) -> Path:
        """File of one block."""
        return composite_folder(self.root, self.digest, part) / f"block-{number:06d}.safetensors"


def composite_folder(root: Root, digest: str, part: str) -> Path:
    """Folder of the blocks of one part of the split.

    Parameters
    ----------
    root : Root
        Root of the run.
    digest : str
        Digest of everything that the composites depend on.
    part : str
        Part of the split.
    """
    return root.path / "composites" / digest / part


def composite_files(root: Root, part: str) -> list[Path]:
    """List the complete blocks of a part, in order.

    Each is a safetensors file with ``flux`` (float16), ``label`` (int8), ``star`` and ``star2``
    (int64) and the columns of :attr:`pipeline.composites.couples.Composites.truth`.

    Raises
    ------
    NotReadyError
        There are none yet.
    """
    digest = require_published(root.path, "composites", "composites").digest
    return sorted(composite_folder(root, digest, part).glob("block-*.safetensors"))


def write_composites(unit: int, job: CompositeJob) -> Done:
    """Make one block and write it.

    Raises
    ------
    PairingError
        The stars of its shards make no couple.
    """
    part, number, n_couples = job.units()[unit]
    block = composite_block(part, number, n_couples, job)
    arrays: dict[str, NDArray[Any]] = {
        "flux": block.flux_BL,
        "label": block.label_B,
        "star": block.star_B,
        "star2": block.star2_B,
        **block.truth,
    }
    write_bytes(job.path(part, number), save(arrays))
    counts = {part: len(block), "missing": 2 * n_couples - len(block)}
    return Done(counts, (job.path(part, number),))


def composite_block(part: str, number: int, n_couples: int, job: CompositeJob) -> Composites:
    """Make one block of a part; it depends on nothing but its number and the job.

    Twice as many couples are drawn as are wanted, since some are masked or too faint.

    Parameters
    ----------
    part : str
        Part of the split.
    number : int
        Number of the block within the part.
    n_couples : int
        Couples wanted.
    job : CompositeJob
        Settings, and where to read.

    Raises
    ------
    PairingError
        The stars of its shards make no couple.
    """
    stream = np.random.SeedSequence(job.composites.seed, spawn_key=(PARTS.index(part), number))
    rng = np.random.default_rng(stream)
    pool = _shards_of_block(read_pool(job.root.path / COMPOSITE_POOL.location, part), number, job)
    varied = part == "training" and job.composites.vary
    if varied and len(pool) > VARIED_SPECTRA:
        pool = pool.take(np.sort(rng.choice(len(pool), VARIED_SPECTRA, replace=False)))
    try:
        couples = draw_couples(
            rng, 2 * n_couples, pool.mass_msun, pool.feh, pool.star, job.composites
        )
    except PairingError as error:
        raise PairingError(f"block {number} of the {part} part: {error}") from None
    # One reading of the shards: at most three spectra a couple, 31 kB each; all for new stars.
    rows_3D = np.concatenate(_rows(couples))
    used, place = np.unique(rows_3D, return_inverse=True)
    if varied:
        used, place = np.arange(len(pool)), rows_3D
    pool = pool.take(used)
    stored = read_stored(job.root, pool.row, pool.rv_kms)
    settings = job.composites, job.population, job.spectra
    made = expose_in_chunks(
        rng, pool, stored, Couples(*np.split(place, 3)), 2 * n_couples, *settings, varied=varied
    )
    return _first(made, 2 * n_couples)


def expose_in_chunks(
    rng: np.random.Generator,
    pool: Pool,
    stored: Stored,
    couples: Couples,
    n_wanted: int,
    settings: CompositeSettings,
    population: PopulationSettings,
    spectra: SpectraSettings,
    *,
    varied: bool,
) -> Composites:
    """Add up couples, a chunk at a time, until there are spectra enough.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    pool, stored : Pool, Stored
        The stars and their spectra, row by row.
    couples : Couples
        Rows of the pool.
    n_wanted : int
        Spectra wanted; the last chunk may give more, and some couples are dropped.
    settings, population, spectra : CompositeSettings, PopulationSettings, SpectraSettings
        As for :func:`pipeline.composites.couples.expose_couples`.
    varied : bool
        Make new stars of those of the pool.
    """
    around = _neighbourhood(pool, stored, settings, spectra) if varied else None
    made: list[Composites] = []
    for start in range(0, len(couples.primary_D), CHUNK):
        chunk = Couples(*(column[start : start + CHUNK] for column in _rows(couples)))
        if around is None:
            part = expose_couples(rng, pool, stored, chunk, settings, population, spectra)
        else:
            new = around.varied(rng, chunk, settings)
            part = expose_couples(
                rng, new.pool, new.stored, new.couples, settings, population, spectra, new.change
            )
        made.append(part)
        if sum(map(len, made)) >= n_wanted:
            break
    return _joined(made)


def read_stored(root: Root, row: NDArray[np.int64], rv_kms: NDArray[np.float64]) -> Stored:
    """Read some rows of the store, given in rising order, with the velocities of their stars.

    Parameters
    ----------
    root : Root
        Root of the run.
    row : ndarray of int64, (B,)
        Rows of the store, rising.
    rv_kms : ndarray of float64, (B,)
        Radial velocity of each star in km/s.
    """
    store = open_store(root.store)
    flux, ivar, first, n_pixel = (
        read_rows(store, name, row) for name in ("flux", "ivar", "log10_first", "n_pixel")
    )
    return Stored(flux, ivar, first, n_pixel, rv_kms)


def _neighbourhood(
    pool: Pool, stored: Stored, settings: CompositeSettings, spectra: SpectraSettings
) -> Neighbourhood:
    mean = fit_mean(pool, stored, settings, spectra)
    near_BK = nearest_stars(pool, settings.vary_neighbours)
    return Neighbourhood(pool, stored, mean, near_BK)


def _shards_of_block(pool: Pool, number: int, job: CompositeJob) -> Pool:
    """Keep the spectra of the block's shards: all shards in turn, in a random order."""
    shards = np.unique(pool.shard)
    if len(shards) <= job.composites.block_shards:
        return pool
    order = np.random.default_rng((job.composites.seed, len(shards))).permutation(shards)
    first = number * job.composites.block_shards
    mine = order[(first + np.arange(job.composites.block_shards)) % len(order)]
    return pool.take(np.isin(pool.shard, mine))


def _rows(couples: Couples) -> tuple[NDArray[np.int64], ...]:
    return couples.primary_D, couples.twin_D, couples.companion_D


def _joined(made: list[Composites]) -> Composites:
    return Composites(
        np.concatenate([m.flux_BL for m in made]),
        np.concatenate([m.label_B for m in made]),
        np.concatenate([m.star_B for m in made]),
        np.concatenate([m.star2_B for m in made]),
        {k: np.concatenate([m.truth[k] for m in made]) for k in made[0].truth},
    )


def _first(made: Composites, n: int) -> Composites:
    return Composites(
        made.flux_BL[:n],
        made.label_B[:n],
        made.star_B[:n],
        made.star2_B[:n],
        {k: values[:n] for k, values in made.truth.items()},
    )
