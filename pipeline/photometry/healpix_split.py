"""A plain Parquet table as a HATS catalogue for LSDB, in bounded memory: the work of each task."""

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq
from hats.io import paths
from hats.pixel_math import HealpixPixel
from hats.pixel_math.healpix_shim import radec2pix
from hats.pixel_math.spatial_index import SPATIAL_INDEX_COLUMN, compute_spatial_index
from numpy.typing import NDArray

from pipeline.core.atomic import write_parquet
from pipeline.tables.healpix import FINEST_ORDER, FULL_ORDER

BLOCK_ROWS = 500_000


@dataclass(frozen=True)
class RowGroups:
    """Consecutive row groups, each with its Parquet file: the unit of reading."""

    number: int
    row_groups: tuple[tuple[Path, int], ...]


@dataclass(frozen=True)
class PartitionJob:
    """What every task of one partitioning has in common.

    Parameters
    ----------
    work : pathlib.Path
        Folder of the pieces, where also the plan lies (see :class:`Plan`).
    catalogue, margin : pathlib.Path
        Folders of the catalogue and of its margin.
    columns : tuple of str
        Columns to keep.
    ra, dec : str
        Names of the positions.
    """

    work: Path
    catalogue: Path
    margin: Path
    columns: tuple[str, ...]
    ra: str
    dec: str


@dataclass(frozen=True)
class Plan:
    """Where rows go.

    Parameters
    ----------
    order, pixel : numpy.ndarray
        Partitions of the catalogue, then those that have a margin only.
    home : numpy.ndarray
        Partition of every pixel of order ``FINEST_ORDER``.
    margin_order : int
        Order of the pixels along the borders; -1 without a margin.
    margin_pixel, margin_home : numpy.ndarray
        Pixels of that order, sorted, and the partition that each borders on.
    """

    order: NDArray[np.int64]
    pixel: NDArray[np.int64]
    home: NDArray[np.int64]
    margin_order: int
    margin_pixel: NDArray[np.int64]
    margin_home: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write the plan to a file."""
        with path.open("wb") as file:
            np.savez(file, **vars(self))

    @classmethod
    def load(cls, path: Path) -> "Plan":
        """Read a plan."""
        with np.load(path) as file:
            content = {name: file[name] for name in file.files}
        return cls(**content | {"margin_order": int(content["margin_order"])})


def blocks_of(files: list[Path]) -> list[RowGroups]:
    """Cut Parquet files into blocks of about ``BLOCK_ROWS`` rows along their row groups."""
    blocks: list[RowGroups] = []
    held: list[tuple[Path, int]] = []
    rows = 0
    for path in files:
        metadata = pq.read_metadata(path)
        for group in range(metadata.num_row_groups):
            held.append((path, group))
            rows += metadata.row_group(group).num_rows
            if rows >= BLOCK_ROWS:
                blocks.append(RowGroups(len(blocks), tuple(held)))
                held, rows = [], 0
    return [*blocks, RowGroups(len(blocks), tuple(held))] if held else blocks


def count_block(block: RowGroups, job: PartitionJob) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the rows of a block in each pixel.

    Returns
    -------
    tuple of numpy.ndarray
        Pixels of order ``FINEST_ORDER`` that have rows, and how many.
    """
    ra, dec = _positions(_placed(_read(block, [job.ra, job.dec]), job), job)
    counts = np.bincount(radec2pix(FINEST_ORDER, ra, dec))
    pixels = np.flatnonzero(counts)
    return pixels, counts[pixels]


def route_block(block: RowGroups, job: PartitionJob) -> int:
    """Cut a block into one piece a partition, and one a margin; return the number of rows."""
    plan = Plan.load(job.work / "plan.npz")
    table = _placed(_read(block, list(job.columns)), job)
    ra, dec = _positions(table, job)
    index = compute_spatial_index(ra, dec)
    table = table.append_column(SPATIAL_INDEX_COLUMN, pa.array(index, pa.int64()))
    home = plan.home[index >> 2 * (FULL_ORDER - FINEST_ORDER)]
    _write_pieces(job.work / "main", block.number, table, np.arange(len(home)), home)
    if plan.margin_order >= 0:
        pixel = index >> 2 * (29 - plan.margin_order)
        first = np.searchsorted(plan.margin_pixel, pixel, "left")
        count = np.searchsorted(plan.margin_pixel, pixel, "right") - first
        row = np.repeat(np.arange(len(pixel)), count)
        within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        border = plan.margin_home[np.repeat(first, count) + within]
        _write_pieces(job.work / "margin", block.number, table, row, border)
    return int(table.num_rows)


def gather(number: int, job: PartitionJob) -> tuple[int, int, int]:
    """Put the pieces of one partition together, in order of the spatial index.

    Returns
    -------
    tuple of int
        The partition's number, its rows, and the rows of its margin; no file is written for none.
    """
    plan = Plan.load(job.work / "plan.npz")
    pixel = HealpixPixel(int(plan.order[number]), int(plan.pixel[number]))
    rows = []
    for kind, folder in (("main", job.catalogue), ("margin", job.margin)):
        pieces = sorted((job.work / kind / f"{number:06d}").glob("*.arrow"))
        tables = [feather.read_table(piece) for piece in pieces]
        rows.append(sum(table.num_rows for table in tables))
        if tables:
            table = pa.concat_tables(tables).combine_chunks()
            order = np.argsort(table[SPATIAL_INDEX_COLUMN].to_numpy(), kind="stable")
            path = Path(str(paths.pixel_catalog_file(folder, pixel)))
            # Measured numbers hardly repeat: a dictionary of them costs time and saves nothing.
            write_parquet(path, table.take(pa.array(order)), 100_000, dictionary=False)
    return number, rows[0], rows[1]


def _read(block: RowGroups, columns: list[str]) -> pa.Table:
    tables = []
    for path, groups in groupby(block.row_groups, key=itemgetter(0)):
        with pq.ParquetFile(path) as file:
            tables.append(file.read_row_groups([group for _, group in groups], columns=columns))
    return pa.concat_tables(tables)


def _placed(table: pa.Table, job: PartitionJob) -> pa.Table:
    table = table.replace_schema_metadata()
    known = pc.and_(pc.is_finite(table[job.ra]), pc.less_equal(pc.abs(table[job.dec]), 90.0))
    known = pc.fill_null(known, False)  # noqa: FBT003
    return table if pc.all(known).as_py() else table.filter(known)


def _positions(
    table: pa.Table, job: PartitionJob
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ra, dec = (table[name].to_numpy().astype(np.float64) for name in (job.ra, job.dec))
    return np.mod(ra, 360), dec


def _write_pieces(
    folder: Path,
    block: int,
    table: pa.Table,
    row: NDArray[np.int64],
    home: NDArray[np.int64],
) -> None:
    order = np.argsort(home, kind="stable")
    homes, starts = np.unique(home[order], return_index=True)
    sorted_table = table.combine_chunks().take(pa.array(row[order]))
    stops = np.append(starts, len(order))[1:]
    for number, start, stop in zip(homes.tolist(), starts.tolist(), stops.tolist(), strict=True):
        path = folder / f"{number:06d}" / f"{block:06d}.arrow"
        path.parent.mkdir(parents=True, exist_ok=True)
        feather.write_feather(sorted_table.slice(start, stop - start), path, compression="lz4")
