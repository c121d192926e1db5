"""The cross-match on the cluster: one file of pairs a partition, read again by shard."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.atomic import write_bytes
from pipeline.core.ledger import Ledger
from pipeline.core.progress import track
from pipeline.photometry.matching import MovingMatch

if TYPE_CHECKING:
    from distributed import Client

SUFFIXES = ("", "_target")
ROW, SHARD, SEPARATION = "target_row", "target_shard", "separation_arcsec"


@dataclass(frozen=True)
class Pairs:
    """Pairs of sources and targets, one file a partition, one row group a shard.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the files and of their done records.
    digest : str
        Digest of everything that the pairs depend on.
    """

    folder: Path
    digest: str

    @property
    def ledger(self) -> Ledger:
        """Done records of the partitions."""
        return Ledger(self.folder / "ledger", self.digest)

    def path(self, number: int) -> Path:
        """Return the file of one partition; there is none where it has no pairs."""
        return self.folder / f"part-{number:06d}.parquet"


def match_catalogues(
    client: "Client", sources: Any, targets: Any, algorithm: MovingMatch, pairs: Pairs, retries: int
) -> dict[int, list[Path]]:
    """Write all pairs of two catalogues.

    Parameters
    ----------
    client : distributed.Client
        Where to run.
    sources, targets : lsdb.Catalog
        The sources, and the targets with their margin.
    algorithm : MovingMatch
        What makes a pair.
    pairs : Pairs
        Where to write; partitions that are there are left alone.
    retries : int
        Tries after a failure.

    Returns
    -------
    dict of int to list of pathlib.Path
        The files that hold pairs of each shard.
    """
    from dask.delayed import delayed
    from distributed import as_completed

    crossed = sources.crossmatch(
        targets,
        algorithm=algorithm,
        how="inner",
        suffixes=SUFFIXES,
        suffix_method="overlapping_columns",
        require_right_margin=True,
        log_changes=False,
    )
    partitions = crossed.to_delayed()
    pending = pairs.ledger.pending(len(partitions))
    write = delayed(write_pairs, pure=False)
    done = len(partitions) - len(pending)
    with track("match", len(partitions), done, "partitions") as advance:
        if pending:
            tasks = [write(partitions[number], number, pairs) for number in pending]
            for future in as_completed(client.compute(tasks, retries=retries)):
                future.result()
                advance()
    return files_by_shard(pairs, len(partitions))


def write_pairs(frame: pd.DataFrame, number: int, pairs: Pairs) -> int:
    """Write the pairs of one partition, in order of shard, of row, then of separation."""
    table = pa.Table.from_pandas(pd.DataFrame(frame), preserve_index=False)
    table = table.replace_schema_metadata().combine_chunks()
    if table.num_rows:
        keys = [table[name].to_numpy() for name in (SEPARATION, ROW, SHARD)]
        table = table.take(pa.array(np.lexsort(keys)))
        starts = np.unique(table[SHARD].to_numpy(), return_index=True)[1].tolist()
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(
            sink, table.schema, compression="zstd", use_dictionary=False
        ) as writer:
            for start, stop in pairwise([*starts, table.num_rows]):
                writer.write_table(table.slice(start, stop - start))
        write_bytes(pairs.path(number), sink.getvalue())
    pairs.ledger.write(number, {"pairs": table.num_rows})
    return int(table.num_rows)


def files_by_shard(pairs: Pairs, n_partitions: int) -> dict[int, list[Path]]:
    """Find the files of each shard from their footers alone."""
    files: dict[int, list[Path]] = {}
    for number in range(n_partitions):
        record = pairs.ledger.read(number)
        if record is None or record["counts"]["pairs"] == 0:
            continue
        path = pairs.path(number)
        metadata = pq.read_metadata(path)
        column = metadata.schema.names.index(SHARD)
        for group in range(metadata.num_row_groups):
            shard = metadata.row_group(group).column(column).statistics.min
            files.setdefault(shard, []).append(path)
    return files


def read_pairs(shard: int, files: list[Path]) -> pa.Table | None:
    """Read the pairs of one shard; None where it has none."""
    here = pc.field(SHARD) == shard
    tables = [pq.read_table(path, filters=here, partitioning=None) for path in files]
    return pa.concat_tables(tables, promote_options="permissive") if tables else None
