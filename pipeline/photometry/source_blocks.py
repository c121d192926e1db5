"""Blocks of source catalogues, which are read together: rows of Parquet files, here or by URL."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.core.errors import InputError


@dataclass(frozen=True)
class SourceBlock:
    """Sources that are read together.

    Parameters
    ----------
    files : tuple of tuple
        Parquet files, each with the numbers of its row groups, or None for all: paths as text, or
        UPath of what is elsewhere.
    """

    files: tuple[tuple[Any, tuple[int, ...] | None], ...]


class OpenBlock:
    """A block whose files are open.

    Parameters
    ----------
    files : list of tuple
        Files, each with the numbers of its row groups.
    """

    def __init__(self, files: list[tuple[pq.ParquetFile, list[int]]]) -> None:
        self._files = files

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Read some columns of all rows."""
        return _read(self._files, columns)

    def take(self, columns: Sequence[str], rows: NDArray[np.int64]) -> pa.Table:
        """Read some columns of some rows; row groups without any of them are not read.

        Parameters
        ----------
        columns : sequence of str
            Which columns.
        rows : ndarray of int64
            Which rows of the block, in any order; at least one.
        """
        sizes = np.array(
            [file.metadata.row_group(n).num_rows for file, groups in self._files for n in groups]
        )
        ends = np.cumsum(sizes)
        group = np.searchsorted(ends, rows, side="right")
        used = np.bincount(group, minlength=len(sizes)) > 0
        left_out = np.cumsum(np.where(used, 0, sizes))
        is_used = iter(used.tolist())
        files = [(file, [n for n in groups if next(is_used)]) for file, groups in self._files]
        table = _read([(file, groups) for file, groups in files if groups], columns)
        return table.take(pa.array(rows - left_out[group]))


@contextmanager
def open_block(block: SourceBlock, columns: Sequence[str]) -> Iterator[OpenBlock]:
    """Open the files of a block.

    Parameters
    ----------
    block : SourceBlock
        Which block.
    columns : sequence of str
        All columns that will be read: of a URL, they are transferred at once.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    with ExitStack() as stack:
        files = []
        try:
            for place, numbers in block.files:
                file = stack.enter_context(_open(place, columns))
                wanted = range(file.metadata.num_row_groups) if numbers is None else numbers
                files.append((file, list(wanted)))
            yield OpenBlock(files)
        except (OSError, pa.ArrowException) as error:
            words = " ".join(str(error).split())
            raise InputError(f"{block.files[0][0]} cannot be read ({words})") from error


def blocks_of(files: Sequence[Path], block_rows: int) -> list[SourceBlock]:
    """Cut Parquet files along their row groups into blocks of so many rows, the last group's more.

    Parameters
    ----------
    files : sequence of pathlib.Path
        Files of one schema.
    block_rows : int
        Rows with which a block is full.
    """
    blocks: list[SourceBlock] = []
    held: dict[str, tuple[int, ...]] = {}
    rows = 0
    for path in files:
        metadata = pq.read_metadata(path)
        for group in range(metadata.num_row_groups):
            held[str(path)] = (*held.get(str(path), ()), group)
            rows += metadata.row_group(group).num_rows
            if rows >= block_rows:
                blocks.append(SourceBlock(tuple(held.items())))
                held, rows = {}, 0
    return [*blocks, SourceBlock(tuple(held.items()))] if held else blocks


@contextmanager
def _open(place: Any, columns: Sequence[str]) -> Iterator[pq.ParquetFile]:
    if isinstance(place, str):
        with pq.ParquetFile(place, page_checksum_verification=True) as file:
            yield file
        return
    # fsspec takes a while to import, and few catalogues are elsewhere.
    from fsspec.parquet import open_parquet_file

    options = {"fs": place.fs, "columns": list(columns), "engine": "pyarrow"}
    with open_parquet_file(place.path, **options) as far, pq.ParquetFile(far) as file:
        yield file


def _read(files: list[tuple[pq.ParquetFile, list[int]]], columns: Sequence[str]) -> pa.Table:
    names = list(dict.fromkeys(columns))
    tables = [
        file.read_row_groups(groups, columns=names).select(names).replace_schema_metadata()
        for file, groups in files
    ]
    return pa.concat_tables(tables, promote_options="permissive").combine_chunks()
