"""Targets of the cross-match in parts of neighbouring zones of the sky, in bounded memory."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.atomic import PARTIAL, write_parquet
from pipeline.core.parquet import read_files
from pipeline.core.run import Run
from pipeline.photometry.target_index import Targets, in_order, marks_of
from pipeline.photometry.targets import POSITION, TARGETS, positions
from pipeline.photometry.zones import Floats, Integers, Zones

COARSE = Zones(1800.0)
"""Cells of half a degree: parts are runs of them."""

_NEAR = pa.schema([("part", pa.int32()), ("cell", pa.int32())])


@dataclass(frozen=True)
class TargetParts:
    """Targets that are sorted into parts.

    Parameters
    ----------
    folder : pathlib.Path
        Where they lie.
    radius_arcsec : float
        Largest separation of a pair, at the epoch of the target.
    reach_arcsec : float
        How far from a target its source may have been seen.
    """

    folder: Path
    radius_arcsec: float
    reach_arcsec: float

    def near(self) -> NDArray[np.bool_]:
        """Return parts by coarse cells: whether a cell is within reach of targets of the part."""
        table = read_files([self._near], "photometry")
        part, cell = (table[name].to_numpy() for name in _NEAR.names)
        near = np.zeros((int(part.max(initial=-1)) + 1, COARSE.n_cells), dtype=bool)
        near[part, cell] = True
        return near

    def positions(self) -> Iterator[tuple[Floats, Floats]]:
        """Yield right ascensions and declinations, a part at a time."""
        for number in range(len(self.near())):
            yield positions(read_files([self.path(number)], "photometry", POSITION))

    def read(self, number: int) -> Targets:
        """Read one part."""
        table, marks = (
            read_files([path], "photometry") for path in (self.path(number), self._marks(number))
        )
        return Targets(table, marks["marks"].to_numpy(), self.radius_arcsec)

    def write(self, number: int, table: pa.Table) -> Integers:
        """Write one part; return the coarse cells within its reach."""
        table = in_order(table, self.radius_arcsec)
        marks = pa.table({"marks": marks_of(table, self.radius_arcsec)})
        write_parquet(self.path(number), table)
        write_parquet(self._marks(number), marks)
        return np.unique(COARSE.touched(*positions(table), self.reach_arcsec))

    def close(self, cells: Mapping[int, Integers]) -> None:
        """Write which coarse cells are within reach of which part, once all parts are written."""
        part = np.repeat(list(cells), [len(one) for one in cells.values()])
        columns = [part, np.concatenate(list(cells.values()))]
        write_parquet(self._near, pa.table(columns, names=_NEAR.names).cast(_NEAR))

    def is_whole(self) -> bool:
        """Tell whether all is there."""
        return self._near.is_file() and all(
            path.is_file()
            for number in range(len(self.near()))
            for path in (self.path(number), self._marks(number))
        )

    def path(self, number: int) -> Path:
        """Return the file of the targets of one part."""
        return self.folder / f"part-{number:06d}.parquet"

    def _marks(self, number: int) -> Path:
        return self.folder / f"marks-{number:06d}.parquet"

    @property
    def _near(self) -> Path:
        return self.folder / "near.parquet"


def sort_targets(run: Run, files: Sequence[Path], parts: TargetParts, part_rows: int) -> None:
    """Sort targets into parts; those that are whole are left alone.

    Parameters
    ----------
    run : Run
        Whose cluster does it.
    files : sequence of pathlib.Path
        Files of targets, in any order.
    parts : TargetParts
        What to write; its folder appears when it is complete.
    part_rows : int
        Most rows of a part; only a single coarse cell may have more.
    """
    if parts.is_whole():
        return
    folder = parts.folder
    partial = folder.with_name(folder.name + PARTIAL)
    for one in (folder, partial):
        shutil.rmtree(one, ignore_errors=True)
    partial.mkdir(parents=True)
    counts = np.zeros(COARSE.n_cells, dtype=np.int64)
    held: dict[Path, Integers] = {}
    for path, cells, rows in run.tasks(count_targets, files):
        counts[cells] += rows
        held[path] = cells
    edges = _edges(counts, part_rows)
    pieces = [
        (number, first, last, [f for f in files if np.any((held[f] >= first) & (held[f] < last))])
        for number, (first, last) in enumerate(pairwise(edges))
    ]
    begun = replace(parts, folder=partial)
    begun.close(dict(sorted(run.tasks(write_part, pieces, begun))))
    partial.rename(folder)


def count_targets(path: Path) -> tuple[Path, Integers, Integers]:
    """Return the file, the coarse cells that have targets in it, and how many."""
    ra, dec = positions(read_files([path], "photometry", POSITION))
    cells, rows = np.unique(COARSE.cells(ra, dec), return_counts=True)
    return path, cells, rows


def write_part(piece: tuple[int, int, int, list[Path]], parts: TargetParts) -> tuple[int, Integers]:
    """Write the targets of a run of coarse cells; return its number and the cells within reach.

    Parameters
    ----------
    piece : tuple
        Number of the part, first cell, last cell (exclusive), files that have targets of it.
    parts : TargetParts
        Where to write.
    """
    number, first, last, files = piece
    tables = [TARGETS.empty_table()]
    for path in files:
        table = read_files([path], "photometry")
        cell = COARSE.cells(*positions(table))
        tables.append(table.filter(pa.array((cell >= first) & (cell < last))))
    return number, parts.write(number, pa.concat_tables(tables).combine_chunks())


def _edges(counts: Integers, part_rows: int) -> list[int]:
    """Cut the cells into runs of at most so many rows, as even as may be."""
    n_parts = max(1, -(-int(counts.sum()) // part_rows))
    most, edges, rows = int(counts.sum()) / n_parts, [0], 0
    for cell in np.flatnonzero(counts).tolist():
        if rows and rows + counts[cell] > most:
            edges.append(cell)
            rows = 0
        rows += counts[cell]
    return [*edges, len(counts)]
