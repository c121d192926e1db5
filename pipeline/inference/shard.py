"""The work of inference: one partition of rows, which is one shard of the store."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.root import Root
from pipeline.inference.quality import count_bits, domain_bits
from pipeline.network.ensemble import Ensemble, get_ensemble
from pipeline.network.members import EnsemblePlan
from pipeline.settings.infer import InferSettings
from pipeline.spectra.arrays import host
from pipeline.spectra.stored import StoredBlock, prepare, read_blocks
from pipeline.store.store import open_store
from schemas.catalogue import PREDICTIONS
from schemas.quality import QualityFlag

MODE = "mode: "
"""What the counts of spectra by mode begin with."""


@dataclass(frozen=True)
class InferenceJob:
    """What every partition of one inference has in common.

    Parameters
    ----------
    root : Root
        Where to read and write.
    ensemble : EnsemblePlan
        The networks; their weights never travel through the scheduler.
    infer : InferSettings
        How they are run.
    block_rows : int
        Rows of an inner chunk of the store.
    missing_values : mapping of str to tuple of float
        Numbers that stand for a missing parameter, by its name.
    """

    root: Root
    ensemble: EnsemblePlan
    infer: InferSettings
    block_rows: int
    missing_values: Mapping[str, tuple[float, ...]]


def load_networks(job: InferenceJob) -> str:
    """Make the networks ready on a worker; return how they would really run.

    Parameters
    ----------
    job : InferenceJob
        Which networks, and where they are to compute.

    Raises
    ------
    ValueError
        The worker does not have the device.
    CheckpointError
        A network is missing, damaged or not the one that is wanted.
    """
    return get_ensemble(job.ensemble.members, job.infer).mode


def predict_partition(rows: pd.DataFrame, shard: int, job: InferenceJob) -> Done:
    """Read, clean, resample, normalise and classify the spectra of one partition.

    Parameters
    ----------
    rows : pandas.DataFrame
        Spectra of one shard, as from `read_rows`; may be empty.
    shard : int
        Number of the shard.
    job : InferenceJob
        Where to read and write.

    Returns
    -------
    Done
        Counts: spectra, those without p_b, by quality bit and by mode of arithmetic.
    """
    blocks = [PREDICTIONS.schema.empty_table()]
    if len(rows):
        rows = rows.assign(quality=_quality(rows, job))
        ensemble = get_ensemble(job.ensemble.members, job.infer)
        store = open_store(job.root.store)
        found = read_blocks(store, rows, job.block_rows)
        blocks = [_predict_block(block, ensemble, job) for block in found]
    table, part = pa.concat_tables(blocks), job.root.part(PREDICTIONS, shard)
    write_parquet(part, table)
    counts = {"spectra": table.num_rows, "without_p_b": table["p_b"].null_count}
    counts |= count_bits(table["quality"])
    modes = Counter(f"{MODE}{mode}" for mode in table["mode"].to_pylist())
    return Done(counts | modes, (part,))


def _quality(rows: pd.DataFrame, job: InferenceJob) -> NDArray[np.int64]:
    """Return the bits of the observations and of the networks' domain."""
    plan = job.ensemble
    seen = domain_bits(
        rows, plan.ranges, plan.training_stars(), job.infer.giant_logg, job.missing_values
    )
    return np.asarray(rows["quality"].to_numpy(dtype="int64") | seen)


def _predict_block(block: StoredBlock, ensemble: Ensemble, job: InferenceJob) -> pa.Table:
    rows, on_gpu = block.rows, ensemble.device.type != "cpu"
    ready = prepare(block, job.ensemble.spectra, ensemble.device if on_gpu else None)
    usable = host(ready.usable_B)
    logit, p_b, spread = (np.full(len(rows), np.nan, np.float32) for _ in range(3))
    quality = rows["quality"].to_numpy(dtype="int64").copy()
    if usable.any():
        flux_BL = ready.flux_BL[ready.usable_B]
        logit[usable], p_b[usable], spread[usable] = ensemble.predict(flux_BL)
        unlike = job.ensemble.unlike_training(flux_BL)
        quality[usable] |= np.where(unlike, int(QualityFlag.UNLIKE_TRAINING), 0)
    quality = quality | np.where(usable, 0, int(QualityFlag.TOO_MANY_BAD_PIXELS))
    columns = {
        "shard": rows["shard"],
        "row": rows["row"],
        "obsid": rows["obsid"],
        "source_id": rows["source_id"],
        "p_b": _null_where_nan(p_b),
        "logit": _null_where_nan(logit),
        "logit_spread": _null_where_nan(spread),
        "bad_fraction": host(ready.bad_fraction_B).astype(np.float32),
        "quality": quality,
        "model_id": [job.ensemble.model_id] * len(rows),
        "mode": [ensemble.mode] * len(rows),
    }
    schema = PREDICTIONS.schema
    arrays = [pa.array(columns[f.name], type=f.type, from_pandas=True) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _null_where_nan(values: NDArray[np.float32]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
