"""Tables of the run, written in parts of one shard each."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.atomic import write_parquet
from pipeline.core.root import Root
from schemas.table import Table


def write_parts(root: Root, table: Table, shards: Sequence[int], rows: pa.Table) -> list[Path]:
    """Write the rows of neighbouring shards, a part for each, also for one without rows.

    Parameters
    ----------
    root : Root
        Where the table lies.
    table : Table
        Which table it is; it has the column ``shard``.
    shards : sequence of int
        Which shards, rising without a gap.
    rows : pyarrow.Table
        Their rows, in order of shard.

    Returns
    -------
    list of pathlib.Path
        The files, one per shard.
    """
    edges = np.searchsorted(rows["shard"].to_numpy(), [*shards, shards[-1] + 1]).tolist()
    parts = [root.part(table, shard) for shard in shards]
    for part, (first, last) in zip(parts, pairwise(edges), strict=True):
        write_parquet(part, rows.slice(first, last - first))
    return parts
