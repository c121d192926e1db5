"""The work of inference: one partition of the observations, which is one shard of the store."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from pipeline.atomic import write_parquet
from pipeline.ingest.store import open_store
from pipeline.network.predictor import Predictor, get_predictor
from pipeline.network.settings import InferSettings
from pipeline.root import Root
from pipeline.spectra.prepare import network_input
from pipeline.spectra.settings import SpectraSettings
from schemas.catalogue import PREDICTIONS
from schemas.observations import OBSERVATIONS
from schemas.quality import UNCOUNTED, QualityFlag

REPORT = pd.DataFrame({"shard": pd.Series(dtype="int64"), "spectra": pd.Series(dtype="int64")})
"""Empty frame of what one partition reports."""

_COLUMNS = ["shard", "row", "obsid", "rv_kms", "quality"]


@dataclass(frozen=True)
class InferenceJob:
    """What every partition of one inference has in common.

    Parameters
    ----------
    root : Root
        Where to read and write.
    digest : str
        Digest of everything that the predictions depend on.
    model : pathlib.Path
        Folder of the network; the weights never travel through the scheduler.
    sha256 : str
        Digest that the weights must have.
    infer : InferSettings
        How the network is run.
    spectra : SpectraSettings
        The preprocessing that the network was trained with.
    block_rows : int
        Spectra held in memory at a time.
    """

    root: Root
    digest: str
    model: Path
    sha256: str
    infer: InferSettings
    spectra: SpectraSettings
    block_rows: int


def read_observations(shard: int, root: Root) -> pd.DataFrame:
    """Read the counted observations of one shard: one partition."""
    table = pq.read_table(root.part(OBSERVATIONS, shard), columns=_COLUMNS)
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame[(frame["quality"].astype("int64") & int(UNCOUNTED)) == 0]


def predict_partition(observations: pd.DataFrame, job: InferenceJob) -> pd.DataFrame:
    """Read, clean, resample, normalise and classify the spectra of one partition.

    Writes ``predictions/part-NNNNNN.parquet`` and its done record; an empty partition (every
    row refused) is left to the driver, since it does not know its shard.

    Parameters
    ----------
    observations : pandas.DataFrame
        Counted rows of one shard.
    job : InferenceJob
        Where to read and write.

    Returns
    -------
    pandas.DataFrame
        One row: shard and number of spectra, as :data:`REPORT`.
    """
    if observations.empty:
        return REPORT
    shard = int(observations["shard"].iloc[0])
    predictor = get_predictor(job.model, job.sha256, job.infer)
    store = open_store(job.root.store)
    blocks = [
        _predict_block(observations.iloc[start : start + job.block_rows], store, predictor, job)
        for start in range(0, len(observations), job.block_rows)
    ]
    write_predictions(shard, pa.concat_tables(blocks), job)
    return pd.DataFrame({"shard": [shard], "spectra": [len(observations)]})


def write_predictions(shard: int, table: pa.Table, job: InferenceJob) -> None:
    """Write the predictions of one shard and mark it as done."""
    write_parquet(job.root.part(PREDICTIONS, shard), table)
    counts = {"spectra": table.num_rows, "without_p_b": table["p_b"].null_count}
    job.root.ledger("predictions", job.digest).write(shard, counts)


def _predict_block(
    rows: pd.DataFrame, store: xr.Dataset, predictor: Predictor, job: InferenceJob
) -> pa.Table:
    index = rows["row"].to_numpy(dtype="int64")
    # One contiguous read of the store, then the counted rows of it.
    span = slice(int(index[0]), int(index[-1]) + 1)
    arrays = {
        name: store[name].isel(row=span).to_numpy()[index - span.start]
        for name in ("flux", "ivar", "log10_first", "n_pixel")
    }
    rest = job.spectra.frame == "rest"
    velocity = rows["rv_kms"].to_numpy(dtype="float64", na_value=0.0) if rest else None
    ready = network_input(
        arrays["flux"],
        arrays["ivar"],
        arrays["log10_first"],
        arrays["n_pixel"],
        velocity,
        job.spectra,
    )
    usable = np.asarray(ready.usable_B)
    logit, p_b = (np.full(len(rows), np.nan, np.float32) for _ in range(2))
    if usable.any():
        logit[usable], p_b[usable] = predictor.predict(np.asarray(ready.flux_BL)[usable])
    quality = rows["quality"].to_numpy(dtype="int64")
    quality = quality | np.where(usable, 0, int(QualityFlag.TOO_MANY_BAD_PIXELS))
    columns = {
        "shard": rows["shard"],
        "row": rows["row"],
        "obsid": rows["obsid"],
        "p_b": _null_where_nan(p_b),
        "logit": _null_where_nan(logit),
        "bad_fraction": np.asarray(ready.bad_fraction_B, np.float32),
        "quality": quality,
        "model_id": [predictor.card.model_id] * len(rows),
    }
    schema = PREDICTIONS.schema
    arrays_out = [pa.array(columns[f.name], type=f.type, from_pandas=True) for f in schema]
    return pa.Table.from_arrays(arrays_out, schema=schema)


def _null_where_nan(values: npt.NDArray[np.float32]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
