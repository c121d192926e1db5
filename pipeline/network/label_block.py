"""The survey's own training spectra: labels joined with the store, one block a shard, once."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from safetensors.numpy import save

from pipeline.core.atomic import write_bytes
from pipeline.core.errors import MismatchError
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_table
from pipeline.core.root import Root
from pipeline.labels.split import PARTS
from pipeline.network.domain import PARAMETERS
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.stored import prepare, read_blocks
from pipeline.store.store import open_store
from schemas.observations import OBSERVATIONS
from schemas.sample import LABELS

_LARGEST = float(np.finfo(np.float16).max)


def label_block_path(root: Root, digest: str, shard: int) -> Path:
    """File of the examples of one shard, made from inputs of that digest.

    Parameters
    ----------
    root : Root
        Root of the run.
    digest : str
        Digest of labels, observations and settings.
    shard : int
        Number of the shard.
    """
    return root.path / "training_cache" / digest / f"shard-{shard:06d}.safetensors"


def write_label_block(
    shard: int, root: Root, digest: str, spectra: SpectraSettings, block_rows: int
) -> Done:
    """Clean, resample and normalise the labelled spectra of one shard, keep them as float16.

    The block holds ``flux``, ``label`` (0 single, 1 binary), ``target`` (probability of binary),
    ``star`` (source id), ``split`` (place in `PARTS`), ``weight``, ``row`` and the parameters of
    the star of those that pass the cleaning; the others are counted.
    float16 is the exact one of the two short types: it rounds by about 1e-4 (rms), bfloat16 by
    9e-4, a fifth of the noise at S/N 200.

    Parameters
    ----------
    shard : int
        Number of the shard.
    root : Root
        Where to read and write.
    digest : str
        As in `label_block_path`.
    spectra : SpectraSettings
        Grid and preprocessing.
    block_rows : int
        Rows that are read at a time.

    Returns
    -------
    Done
        Counts: examples, and those with too many bad pixels.

    Raises
    ------
    MismatchError
        A labelled spectrum is not among the observations.
    """
    rows = _labelled_rows(shard, root)
    frame = rows.to_pandas(types_mapper=pd.ArrowDtype)
    fluxes = [np.zeros((0, WaveGrid.from_settings(spectra).n_pixel), np.float16)]
    usable = [np.zeros(0, bool)]
    if len(frame):
        for block in read_blocks(open_store(root.store), frame, block_rows):
            ready = prepare(block, spectra, None)
            usable.append(np.asarray(ready.usable_B))
            fluxes.append(_float16(np.asarray(ready.flux_BL)[usable[-1]]))
    keep = np.concatenate(usable)
    kept = rows.filter(pa.array(keep))
    split = pc.index_in(kept["split"].combine_chunks(), pa.array(PARTS))
    arrays: dict[str, NDArray[Any]] = {
        "flux": np.concatenate(fluxes),
        "label": np.asarray(pc.equal(kept["label"], "binary")).astype(np.int8),
        "target": np.asarray(kept["p_label_binary"], np.float32),
        "star": np.asarray(kept["source_id"], np.int64),
        "split": np.asarray(split, np.int8),
        "weight": np.asarray(kept["weight"], np.float32),
        "row": np.asarray(kept["row"], np.int64),
    }
    arrays |= {
        name: kept[name].cast(pa.float32()).to_numpy().astype(np.float32) for name in PARAMETERS
    }
    path = label_block_path(root, digest, shard)
    write_bytes(path, save(arrays))
    return Done({"examples": len(kept), "masked": len(keep) - len(kept)}, (path,))


def _labelled_rows(shard: int, root: Root) -> pa.Table:
    columns = ["shard", "row", "source_id", "label", "p_label_binary", "split", "weight"]
    wanted = pc.field("label").isin(["single", "binary"])
    rows = read_table(root.part(LABELS, shard), LABELS, columns, wanted)
    seen = read_table(root.part(OBSERVATIONS, shard), OBSERVATIONS, ["row", "rv_kms", *PARAMETERS])
    joined = rows.join(seen, "row", join_type="inner").sort_by("row")
    if joined.num_rows != rows.num_rows:
        raise MismatchError(
            f"{rows.num_rows - joined.num_rows} labelled spectra of shard {shard} below "
            f"{root.path} are not among the observations; run `pairspec label` again"
        )
    return joined


def _float16(flux_BL: NDArray[np.float32]) -> NDArray[np.float16]:
    """Round to float16; a spike beyond its range stays the largest number there is."""
    return np.clip(flux_BL, -_LARGEST, _LARGEST).astype(np.float16)
