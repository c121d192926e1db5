"""Folds by star of real dwarfs, and the composites of each fold."""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from safetensors.numpy import load

from cluster.connect import connect
from pipeline.composites.block import (
    CompositeJob,
    composite_folder,
    read_stored,
    write_composites,
)
from pipeline.composites.exposure import exposure, mean_snr, relative_variance
from pipeline.composites.pool import find_dwarfs, read_pool
from pipeline.composites.sums import star_light
from pipeline.core.atomic import write_parquet
from pipeline.core.digest import digest_of
from pipeline.core.root import Root
from pipeline.labels.split import PARTS
from pipeline.settings.load import Settings, load_settings
from pipeline.spectra.prepare import network_input
from pipeline.stages import run_stage
from schemas.composites import COMPOSITE_POOL
from schemas.observations import OBSERVATIONS
from schemas.quality import UNCOUNTED

ingest = partial(run_stage, "ingest")


Arrays = dict[str, np.ndarray]
N_FOLDS = 5
WIDE_SNR_MIN = 20.0
"""S/N in g above which stars may join the training stars of the wide pool."""


def settings_for(root: Path, data: Path, couples: int) -> Settings:
    """F and G dwarfs with S/N above 40, mass ratios 0.71-0.93, S/N of the sums 25-100."""
    table = data / "tables" / "dr10_stellar_subset.csv"
    overrides = {
        "ingest.shard_rows": 512, "ingest.chunk_rows": 128, "sample.teff_max_k": 7200,
        "composites.training_couples": couples, "composites.validation_couples": couples // 8,
        "composites.test_couples": couples // 4, "composites.snr_min": 25, "cluster.workers": 2,
    }  # fmt: skip
    return load_settings(
        None,
        [f"{key}={value}" for key, value in overrides.items()],
        root=root,
        inputs={"spectra": data / "spectra", "catalogue": table},
    )


def find_pool(settings: Settings) -> pa.Table:
    """Read the files, unless that is done; list the dwarfs down to the S/N of the wide pool."""
    with connect(settings.cluster) as client:
        ingest(settings, client)
    wide = settings.composites.model_copy(update={"pool_snr_min": WIDE_SNR_MIN})
    return find_dwarfs(
        Root(settings.root), wide, settings.sample, settings.labels, labelled=False,
        star_radius_arcsec=settings.catalogue.star_radius_arcsec, trust_ids=False,
    )  # fmt: skip


def fold_parts(star: np.ndarray, fold: int, seed: int) -> np.ndarray:
    """Divide the stars at random: two tenths test, one validation, seven training."""
    stars, place = np.unique(star, return_inverse=True)
    tenth = np.random.default_rng(seed).permutation(len(stars)) * 10 // len(stars)
    part = np.full(len(stars), "training", dtype="<U10")
    part[tenth // 2 == fold] = "test"
    part[tenth == (2 * fold + 2) % 10] = "validation"
    return part[place]


def make_fold(
    settings: Settings, table: pa.Table, fold: int, seed: int, *, wide: bool
) -> CompositeJob:
    """Make the composites of one fold, in a root of its own that shares the store.

    The wide pool has more and noisier stars to train with; the other parts are the same stars.
    """
    bright = table["snr_g"].to_numpy() > settings.composites.pool_snr_min
    star = table["star"].to_numpy()
    part = np.full(len(star), "training", dtype="<U10")
    part[bright] = fold_parts(star[bright], fold, seed)
    # A star observed twice may be bright only once; both spectra are in one part.
    tested = np.isin(star, star[part != "training"]) & (part == "training")
    keep = (bright | wide) & ~tested
    pool = table.set_column(table.column_names.index("split"), "split", pa.array(part))
    root = Root(Path(settings.root) / f"fold-{fold}-{'wide' if wide else 'bright'}-{seed}")
    place = root.path / COMPOSITE_POOL.location
    place.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(place, pool.filter(pa.array(keep)))
    if not root.store.exists():
        root.store.symlink_to(Root(settings.root).store.resolve())
    composites = settings.composites
    if wide:
        none = {"validation_couples": 0, "test_couples": 0, "pool_snr_min": WIDE_SNR_MIN}
        composites = composites.model_copy(update=none)
    digest = digest_of(composites, fold, seed)
    job = CompositeJob(root, digest, composites, settings.simulate.population, settings.spectra)
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        list(processes.map(partial(write_composites, job=job), range(len(job.units()))))
    return job


def read_part(job: CompositeJob, part: str) -> Arrays:
    """Read the composites of one part."""
    folder = composite_folder(job.root, job.digest, part)
    blocks = [load(path.read_bytes()) for path in sorted(folder.glob("block-*.safetensors"))]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def unlabelled(settings: Settings, root: Root) -> np.ndarray:
    """Normalise every usable spectrum of the files except those of test and validation stars."""
    pool = pq.read_table(root.path / COMPOSITE_POOL.location, columns=["row", "split"])
    split = pool["split"].to_numpy(zero_copy_only=False)
    held = pool["row"].to_numpy()[split != "training"]
    names = ["row", "rv_kms", "quality"]
    frame = ds.dataset(Root(settings.root).table(OBSERVATIONS)).to_table(names).to_pandas()
    counted = (frame["quality"] & int(UNCOUNTED)) == 0
    frame = frame[counted & frame["rv_kms"].notna() & ~frame["row"].isin(held)].sort_values("row")
    stored = read_stored(root, frame["row"].to_numpy(), frame["rv_kms"].to_numpy(np.float64))
    ready = network_input(
        stored.flux_BN, stored.ivar_BN, stored.log10_first_B, stored.n_pixel_B, stored.rv_kms_B,
        settings.spectra,
    )  # fmt: skip
    return np.asarray(ready.flux_BL)[np.asarray(ready.usable_B)]


def with_plain_singles(arrays: Arrays, settings: Settings, root: Root, part: str) -> Arrays:
    """Replace the twins by their primary's own spectrum, brought to the same S/N: the wrong way."""
    pool = read_pool(root.path / COMPOSITE_POOL.location, part)
    stored = read_stored(root, pool.row, pool.rv_kms)
    rng = np.random.default_rng(PARTS.index(part))
    flux_BL = arrays["flux"].copy()
    twins = np.flatnonzero(arrays["label"] == 0)
    first = {star: place for place, star in reversed(list(enumerate(pool.star)))}
    place_B = np.array([first[star] for star in arrays["star"][twins]])
    for start in range(0, len(twins), 256):
        rows, place = (a[start : start + 256] for a in (twins, place_B))
        light = star_light(
            stored.take(place), np.zeros(len(place)), pool.m_g[place], settings.composites,
            settings.spectra,
        )  # fmt: skip
        own_BL = relative_variance(light, settings.spectra)
        factor_B = mean_snr(own_BL, light.bad_BL, settings.spectra) / arrays["snr_g"][rows]
        wanted_BL = (own_BL * np.maximum(factor_B, 1)[:, None] ** 2).astype(np.float32)
        flux_BL[rows] = exposure(light, wanted_BL, rng, settings.spectra).flux_BL
    return arrays | {"flux": flux_BL}
