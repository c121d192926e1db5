"""The cross-match on the cluster: one file of pairs a partition, read again by shard."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.atomic import write_bytes
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_files
from pipeline.core.run import Run
from pipeline.photometry.matching import MovingMatch

SUFFIXES = ("", "_target")
ROW, SHARD, SEPARATION = "target_row", "target_shard", "separation_arcsec"


@dataclass(frozen=True)
class Match:
    """A cross-match that is planned: which catalogues, by which rule, and where the pairs go.

    Parameters
    ----------
    sources, targets : lsdb.Catalog
        The sources, and the targets with their margin.
    algorithm : MovingMatch
        What makes a pair.
    folder : pathlib.Path
        Folder of the pairs, one file per partition, one row group per shard.
    """

    sources: Any
    targets: Any
    algorithm: MovingMatch
    folder: Path

    def partitions(self) -> list[Any]:
        """Return the pairs of each partition, not yet computed."""
        crossed = self.sources.crossmatch(
            self.targets,
            algorithm=self.algorithm,
            how="inner",
            suffixes=SUFFIXES,
            suffix_method="overlapping_columns",
            require_right_margin=True,
            log_changes=False,
        )
        partitions: list[Any] = crossed.to_delayed()
        return partitions


def match_catalogues(run: Run, match: Match, step: str, digest: str) -> dict[int, list[Path]]:
    """Write all pairs of two catalogues; partitions that are done are left alone.

    Parameters
    ----------
    run : Run
        Whose cluster does it.
    match : Match
        What to match, and where to write.
    step : str
        Name in the ledger.
    digest : str
        Digest of everything that the pairs depend on.

    Returns
    -------
    dict of int to list of pathlib.Path
        The files that hold pairs of each shard.
    """
    pieces = match.partitions()
    run.each_delayed(pieces, write_pairs, match.folder, digest=digest, step=step, of="partitions")
    return files_by_shard(match.folder, len(pieces))


def pairs_path(folder: Path, number: int) -> Path:
    """Return the file of the pairs of one partition; there is none where it has no pairs."""
    return folder / f"part-{number:06d}.parquet"


def write_pairs(frame: pd.DataFrame, number: int, folder: Path) -> Done:
    """Write the pairs of one partition, in order of shard, of row, then of separation.

    Parameters
    ----------
    frame : pandas.DataFrame
        Pairs of sources and targets.
    number : int
        Number of the partition.
    folder : pathlib.Path
        Folder of the pairs.
    """
    table = pa.Table.from_pandas(pd.DataFrame(frame), preserve_index=False)
    table = table.replace_schema_metadata().combine_chunks()
    path = pairs_path(folder, number)
    if table.num_rows == 0:
        path.unlink(missing_ok=True)
        return Done({"pairs": 0})
    keys = [table[name].to_numpy() for name in (SEPARATION, ROW, SHARD)]
    table = table.take(pa.array(np.lexsort(keys)))
    starts = np.unique(table[SHARD].to_numpy(), return_index=True)[1].tolist()
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink, table.schema, compression="zstd", use_dictionary=False, write_page_checksum=True
    ) as writer:
        for start, stop in pairwise([*starts, table.num_rows]):
            writer.write_table(table.slice(start, stop - start))
    write_bytes(path, sink.getvalue())
    return Done({"pairs": table.num_rows}, (path,))


def files_by_shard(folder: Path, n_partitions: int) -> dict[int, list[Path]]:
    """Find the files of each shard from their footers alone.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the pairs.
    n_partitions : int
        Partitions of the match; files beyond are of an earlier one.
    """
    files: dict[int, list[Path]] = {}
    for path in (pairs_path(folder, number) for number in range(n_partitions)):
        if not path.is_file():
            continue
        metadata = pq.read_metadata(path)
        column = metadata.schema.names.index(SHARD)
        for group in range(metadata.num_row_groups):
            shard = metadata.row_group(group).column(column).statistics.min
            files.setdefault(shard, []).append(path)
    return files


def read_pairs(shard: int, files: list[Path]) -> pa.Table | None:
    """Read the pairs of one shard; None where it has none."""
    here = pc.field(SHARD) == shard
    tables = [read_files([path], "photometry", filters=here) for path in files]
    return pa.concat_tables(tables, promote_options="permissive") if tables else None
