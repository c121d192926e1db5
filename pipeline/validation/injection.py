"""The work of injection: the pool of stars, then blocks of single stars with companions."""

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.composites.block import read_stored
from pipeline.composites.pool import Pool, find_dwarfs, read_pool
from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_files, read_table
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.labels.labels import SINGLE
from pipeline.network.card import CARD
from pipeline.network.members import (
    EnsemblePlan,
    judged_networks,
    plan_ensemble,
    predicting_networks,
)
from pipeline.settings.load import Settings
from pipeline.stars.dwarf_mass import mass_of_magnitude
from pipeline.validation.injected import Injection
from pipeline.validation.run_data import RunData
from schemas.composites import COMPOSITE_POOL
from schemas.sample import LABELS

PRIMARY, COMPANION, NOISE = "primary", "companion", "noise"
COOLEST = 0.01
"""Stars without a label that are cooler than this quantile of the single stars are companions."""

EXAMPLES = 24
"""Spectra of each bin of S/N whose noise and mask the sums of a block get."""

BLOCK = 48
"""Single stars of a unit of work."""


@dataclass(frozen=True)
class InjectionJob:
    """What the tasks of one injection have in common.

    Attributes
    ----------
    root, folder
        Root of the run; folder of what the tasks write.
    ensemble
        The networks that gave p_b.
    settings
        Of the run.
    """

    root: Root
    folder: Path
    ensemble: EnsemblePlan
    settings: Settings

    @property
    def pool(self) -> Path:
        """Table of the stars that get companions, and of those that are companions."""
        return self.folder / "pool.parquet"

    def block(self, unit: int) -> Path:
        """File of one unit of work."""
        return self.folder / f"part-{unit:06d}.parquet"


def with_injections(run: Run, data: RunData) -> RunData:
    """Inject companions, one task per block of single stars, and say where the results are.

    Parameters
    ----------
    run : Run
        Of it: ``validation``, ``composites``, ``simulate.population``, ``infer``, ``inputs``.
    data : RunData
        What the validations read.

    Returns
    -------
    RunData
        With the files of the injections, or why there are none.

    Raises
    ------
    CheckpointError, InputError, MismatchError
        A network is damaged, or they do not take the same spectra.
    """
    settings, labels = run.settings, run.uses("labels")
    if labels is None:
        return replace(data, no_injections="there are no labels: run `pairspec label`")
    networks = predicting_networks(run.root, settings.infer.models)
    if not all((folder / CARD).is_file() for folder in networks):
        return replace(data, no_injections="the run has no network: set infer.models")
    ensemble = plan_ensemble(judged_networks(run))
    (catalogue,) = run.needs()
    digest = run.digest(
        catalogue, labels, [member.sha256 for member in ensemble.members],
        injection_settings(settings),
    )  # fmt: skip
    folder = run.root.path / "injections" / digest[:16]
    job = InjectionJob(run.root, folder, ensemble, settings)
    pool = run.each(_write_pool, 1, job, digest=digest, step="injection_pool", of="pools")
    n_blocks = -(-pool[PRIMARY] // BLOCK)
    if not n_blocks:
        why = "no star labelled as single was unseen in training and has enough S/N"
        return replace(data, no_injections=why)
    run.each(inject_block, n_blocks, job, digest=digest, step="injections", of="blocks")
    files = tuple(job.block(unit) for unit in range(n_blocks))
    return replace(data, injections=files, log_age=settings.composites.log_age)


def injection_settings(settings: Settings) -> list[object]:
    """Return the settings that injections depend on."""
    return [
        settings.validation.injection.model_dump(mode="json"),
        settings.validation.q_edges,
        settings.composites.model_dump(mode="json"),
        settings.simulate.population.model_dump(mode="json"),
        settings.sample.model_dump(mode="json"),
        settings.infer.model_dump(mode="json", exclude={"models"}),
    ]


def inject_block(unit: int, job: InjectionJob) -> Done:
    """Add companions to some single stars, give the sums their p_b, and write them.

    Parameters
    ----------
    unit : int
        Number of the block.
    job : InjectionJob
        What to do.
    """
    # PyTorch takes seconds to import, and only the workers need it.
    from pipeline.network.ensemble import get_ensemble

    settings = job.settings
    primary = read_pool(job.pool, PRIMARY)
    injection = Injection(
        primary.take(np.arange(unit * BLOCK, min((unit + 1) * BLOCK, len(primary)))),
        read_pool(job.pool, COMPANION),
        _noise(job, unit),
        partial(read_stored, job.root),
        settings.composites,
        settings.simulate.population,
        job.ensemble.spectra,
        settings.validation,
    )
    rng = np.random.default_rng((settings.validation.injection.seed, unit))
    frame = injection.run(rng, get_ensemble(job.ensemble.members, settings.infer).predict)
    write_parquet(job.block(unit), pa.Table.from_pandas(frame, preserve_index=False))
    return Done({"spectra": len(frame)}, (job.block(unit),))


def read_injections(files: tuple[Path, ...]) -> pd.DataFrame:
    """Read what the tasks wrote, one row per spectrum."""
    parts = [read_files([file], "validate").to_pandas() for file in files]
    injections: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return injections


def _noise(job: InjectionJob, unit: int) -> list[Pool]:
    """Return a few spectra of each bin of S/N, others in each block."""
    rng = np.random.default_rng((job.settings.validation.injection.seed, unit, 1))
    pools = [read_pool(job.pool, f"{NOISE}{k}") for k in range(_n_bins(job))]
    return [pool.take(rng.permutation(len(pool))[:EXAMPLES]) for pool in pools]


def _n_bins(job: InjectionJob) -> int:
    return len(job.settings.validation.injection.snr_edges) - 1


def _write_pool(_: int, job: InjectionJob) -> Done:
    """Write the stars that the network has not seen; ``split`` says what each is for."""
    settings, injection = job.settings, job.settings.validation.injection
    lowest = min(injection.companion_snr_min, settings.composites.pool_snr_min)
    table = find_dwarfs(
        job.root,
        settings.composites.model_copy(update={"pool_snr_min": lowest}),
        settings.sample,
        settings.labels,
        labelled=False,
        star_radius_arcsec=settings.catalogue.star_radius_arcsec,
        trust_ids=settings.inputs.gaia_release is not None,
    )
    frame = table.to_pandas()
    labels = read_table(job.root.table(LABELS), LABELS, ["row", "label", "delta_m_g", "m_g"])
    frame = frame.merge(labels.to_pandas(), on="row", how="left", suffixes=("", "_labels"))
    # A label table of one's own has no place on the ridge.
    single = (frame["label"] == SINGLE) & ~(frame["delta_m_g"] < injection.delta_m_g_min)
    # Where M_G was measured, masses are known better than from Teff.
    mass = mass_of_magnitude(
        frame["m_g_labels"].to_numpy(np.float64), frame["feh"].to_numpy(np.float64),
        settings.composites.log_age,
    )  # fmt: skip
    known = single & np.isfinite(mass)
    frame["mass_msun"] = np.where(known, mass, frame["mass_msun"])
    frame["m_g"] = np.where(known, frame["m_g_labels"], frame["m_g"])
    # Companions redder than the labels' colours have no label.
    cool = frame["teff_k"] < frame.loc[single, "teff_k"].quantile(COOLEST)
    frame = frame[single | (frame["label"].isna() & cool)]
    frame = frame[~frame["star"].isin(job.ensemble.training_stars())]
    bright = (frame["label"] == SINGLE) & (frame["snr_g"] > settings.composites.pool_snr_min)
    best = frame[bright].sort_values("snr_g", ascending=False, kind="stable")
    best = best.drop_duplicates("star")
    rng = np.random.default_rng(injection.seed)
    chosen = best.iloc[rng.permutation(len(best))[: injection.stars]]
    pools = [chosen.assign(split=PRIMARY), frame.assign(split=COMPANION)]
    for k, (low, high) in enumerate(pairwise(injection.snr_edges)):
        inside = frame[(frame["snr_g"] >= low) & (frame["snr_g"] < high)]
        some = rng.permutation(len(inside))[: 10 * EXAMPLES]
        pools.append(inside.iloc[some].assign(split=f"{NOISE}{k}"))
    whole = pd.concat(pools)
    columns = {f.name: pa.array(whole[f.name].to_numpy(), f.type) for f in COMPOSITE_POOL.schema}
    write_parquet(job.pool, pa.table(columns, schema=COMPOSITE_POOL.schema))
    return Done({PRIMARY: len(chosen), COMPANION: len(frame)}, (job.pool,))
