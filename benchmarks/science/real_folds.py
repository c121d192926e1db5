"""Folds by star of every usable real dwarf, and couples of each part in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from composite_folds import fold_parts
from real_catalogue import write_catalogue

from cluster.connect import connect
from pipeline.composites.block import expose_in_chunks, read_stored
from pipeline.composites.couples import Composites
from pipeline.composites.pairing import Couples
from pipeline.composites.pool import Pool, find_dwarfs, pool_of
from pipeline.composites.sums import Stored
from pipeline.core.parquet import read_table
from pipeline.core.root import Root
from pipeline.settings.load import Settings, load_settings
from pipeline.stages import run_stage
from schemas.observations import OBSERVATIONS

BRIGHT_SNR, BRIGHT_LOGG = 40.0, 4.0

Draw = Callable[[np.random.Generator, int, Pool], Couples]


@dataclass(frozen=True)
class Stars:
    """A pool and its spectra, row by row."""

    pool: Pool
    stored: Stored

    def take(self, rows: np.ndarray) -> "Stars":
        """Return some of them."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Stars(self.pool.take(rows), self.stored.take(rows))

    def some(self, n_stars: int, seed: int) -> "Stars":
        """Keep n stars, drawn at random; a larger number has those of a smaller one."""
        stars = np.unique(self.pool.star)
        chosen = np.random.default_rng(seed).permutation(stars)[:n_stars]
        return self.take(np.isin(self.pool.star, chosen))


def settings_for(root: Path, data: Path, more: list[str]) -> Settings:
    """All labelled dwarfs with S/N above 15 and log g above 3.9; S/N of the sums 25-100."""
    overrides = {
        "ingest.shard_rows": 512, "ingest.chunk_rows": 128, "sample.teff_max_k": 7200,
        "composites.pool_snr_min": 15, "composites.pool_logg_min": 3.9, "composites.snr_min": 25,
        "cluster.workers": 1,
    }  # fmt: skip
    catalogue = root / "catalogue.csv"
    if not catalogue.exists():
        write_catalogue(data, catalogue)
    return load_settings(
        None,
        [*(f"{key}={value}" for key, value in overrides.items()), *more],
        root=root,
        inputs={"spectra": data / "spectra", "catalogue": catalogue},
    )


def read_stars(settings: Settings) -> tuple[Stars, np.ndarray]:
    """Read the files unless that is done; return the pool, and who belongs to the tested stars.

    The tested stars are those of docs/composites.md: of the DR10 catalogue, bright, log g above 4.
    """
    with connect(settings.cluster) as client:
        run_stage("ingest", settings, client)
    table = find_dwarfs(
        Root(settings.root), settings.composites, settings.sample, settings.labels, labelled=False,
        star_radius_arcsec=settings.catalogue.star_radius_arcsec, trust_ids=False,
    )  # fmt: skip
    pool = pool_of(table)
    stored = read_stored(Root(settings.root), pool.row, pool.rv_kms)
    known = catalogued(settings, pool)
    snr = table["snr_g"].to_numpy()
    return Stars(pool, stored), known & (snr > BRIGHT_SNR) & (pool.logg > BRIGHT_LOGG)


def catalogued(settings: Settings, pool: Pool) -> np.ndarray:
    """Say which spectra have labels of the DR10 catalogue: those without an error of Teff."""
    seen = read_table(
        Root(settings.root).table(OBSERVATIONS), OBSERVATIONS, ["row", "teff_err_k"]
    ).to_pandas()
    error = seen.set_index("row")["teff_err_k"].reindex(pool.row).to_numpy(np.float64)
    return ~(error > 0)


def parts_of(pool: Pool, tested: np.ndarray, fold: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Part of every spectrum, and whether it is of the tested stars; both by star.

    The tested stars are divided as in docs/composites.md, the others in the same way apart.
    """
    bright = np.isin(pool.star, pool.star[tested])
    part = np.empty(len(pool), dtype="<U10")
    for group in (bright, ~bright):
        part[group] = fold_parts(pool.star[group], fold, seed)
    return part, bright


def made(
    stars: Stars,
    n_couples: int,
    draw: Draw,
    settings: Settings,
    seed: int,
    *,
    vary: bool = False,
) -> Composites:
    """Make couples as ``pairspec composites`` makes a block: some more, for some are dropped."""
    rng = np.random.default_rng(seed)
    composites = settings.composites
    couples = draw(rng, 2 * n_couples, stars.pool)
    return expose_in_chunks(
        rng, stars.pool, stars.stored, couples, 2 * n_couples, composites,
        settings.simulate.population, settings.spectra, varied=vary,
    )  # fmt: skip
