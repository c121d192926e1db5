"""The cross-match on the cluster: one file of pairs per block of sources, read again by piece."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.core.atomic import write_parquet
from pipeline.core.digest import digest_of
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_files
from pipeline.core.pieces import Pieces
from pipeline.core.run import Run
from pipeline.photometry.matching import MovingMatch
from pipeline.photometry.source_blocks import SourceBlock, open_block
from pipeline.photometry.target_index import Targets
from pipeline.photometry.target_parts import COARSE, TargetParts

ROW, SHARD, SEPARATION = "target_row", "target_shard", "separation_arcsec"


@dataclass(frozen=True)
class Match:
    """A cross-match that is planned: of what, by which rule, and where the pairs go.

    Parameters
    ----------
    columns : tuple of str
        Columns of the sources to keep.
    parts : TargetParts
        The targets.
    algorithm : MovingMatch
        What makes a pair.
    folder : pathlib.Path
        Folder of the pairs, one file per block, one row group per piece.
    pieces : Pieces
        Shards that are read together.
    """

    columns: tuple[str, ...]
    parts: TargetParts
    algorithm: MovingMatch
    folder: Path
    pieces: Pieces


def match_catalogues(
    run: Run, blocks: Sequence[SourceBlock], match: Match, step: str, digest: str
) -> tuple[dict[int, list[Path]], dict[str, int]]:
    """Write all pairs of sources and targets; blocks that are done are left alone.

    Parameters
    ----------
    run : Run
        Whose cluster does it.
    blocks : sequence of SourceBlock
        The sources.
    match : Match
        What to match them with, and where to write.
    step : str
        Name in the ledger.
    digest : str
        Digest of everything that the pairs depend on.

    Returns
    -------
    dict of int to list of pathlib.Path
        The files that hold pairs of each piece.
    dict of str to int
        Numbers of pairs, of sources, and of those that were left out.
    """
    counts = run.each(
        match_block, len(blocks), match, digest=digest_of(digest, "blocks"), step=step,
        of="blocks", extra=blocks.__getitem__,
    )  # fmt: skip
    return files_by_piece(match.folder, len(blocks), match.pieces), counts


def match_block(number: int, block: SourceBlock, match: Match) -> Done:
    """Write the pairs of one block of sources.

    Parameters
    ----------
    number : int
        Number of the block.
    block : SourceBlock
        Which sources.
    match : Match
        What to match them with, and where to write.
    """
    rule, path = match.algorithm, pairs_path(match.folder, number)
    with open_block(block, [*rule.columns, *match.columns]) as rows:
        placed = rows.read(rule.columns)
        sources = rule.places(placed)
        counts = {"sources": placed.num_rows, "left_out": placed.num_rows - len(sources.row)}
        del placed
        cells = COARSE.cells(sources.ra_deg, sources.dec_deg)
        found = []
        for part, near in enumerate(_near(match.parts)):
            chosen = near[cells]
            if chosen.any():
                some = sources.some(chosen)
                targets = _targets(match.parts, part)
                source, target, separation = rule.pairs(some, targets)
                seen = targets.table.select([ROW, SHARD]).take(pa.array(target))
                seen = seen.append_column(SEPARATION, pa.array(separation))
                found.append((some.row[source], seen))
        row = np.concatenate([np.zeros(0, np.int64), *(row for row, _ in found)])
        if not len(row):
            path.unlink(missing_ok=True)
            return Done(counts | {"pairs": 0})
        pairs = rows.take(match.columns, row)
    seen = pa.concat_tables([seen for _, seen in found])
    for name in seen.column_names:
        pairs = pairs.append_column(name, seen[name])
    write_pairs(path, pairs, match.pieces)
    return Done(counts | {"pairs": pairs.num_rows}, (path,))


def pairs_path(folder: Path, number: int) -> Path:
    """Return the file of the pairs of one block; there is none where it has no pairs."""
    return folder / f"part-{number:06d}.parquet"


def write_pairs(path: Path, table: pa.Table, pieces: Pieces) -> None:
    """Write pairs in order of shard, of row, then of separation.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    table : pyarrow.Table
        Pairs of sources and targets.
    pieces : Pieces
        A row group holds the pairs of one of them.
    """
    keys = [table[name].to_numpy() for name in (SEPARATION, ROW, SHARD)]
    table = table.take(pa.array(np.lexsort(keys)))
    piece = table[SHARD].to_numpy() // pieces.size
    starts = np.unique(piece, return_index=True)[1].tolist()
    write_parquet(path, table, dictionary=False, edges=starts)


def files_by_piece(folder: Path, n_blocks: int, pieces: Pieces) -> dict[int, list[Path]]:
    """Find the files of each piece from their footers alone.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the pairs.
    n_blocks : int
        Blocks of the match; files beyond are of an earlier one.
    pieces : Pieces
        As in `write_pairs`.
    """
    files: dict[int, list[Path]] = {}
    for path in (pairs_path(folder, number) for number in range(n_blocks)):
        if not path.is_file():
            continue
        metadata = pq.read_metadata(path)
        column = metadata.schema.names.index(SHARD)
        for group in range(metadata.num_row_groups):
            shard = metadata.row_group(group).column(column).statistics.min
            files.setdefault(shard // pieces.size, []).append(path)
    return files


def read_pairs(shards: range, files: list[Path]) -> pa.Table | None:
    """Read the pairs of some shards; None where they have none."""
    here = (pc.field(SHARD) >= shards[0]) & (pc.field(SHARD) <= shards[-1])
    tables = [read_files([path], "photometry", filters=here) for path in files]
    return pa.concat_tables(tables, promote_options="permissive") if tables else None


@lru_cache(maxsize=2)
def _near(parts: TargetParts) -> NDArray[np.bool_]:
    return parts.near()


@lru_cache(maxsize=2)
def _targets(parts: TargetParts, number: int) -> Targets:
    return parts.read(number)
