"""A table that a user brings: files of any kind as Parquet of one schema, in bounded memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow.fs import LocalFileSystem

from pipeline.core.errors import InputError
from pipeline.tables.file import TableFile
from pipeline.tables.kind import WANTED
from pipeline.tables.names import resolve
from pipeline.tables.rows import open_rows

PARQUET_ENDINGS = (".parquet", ".parq", ".pq")
OTHER_ENDINGS = tuple(
    f"{ending}{packed}"
    for ending in (".csv", ".tsv", ".txt", ".ecsv", ".fits", ".fit", ".vot", ".votable", ".xml")
    for packed in ("", ".gz")
)

_HATS_OWN = ("per_partition_statistics.parquet", "data_thumbnail.parquet")
"""What HATS writes beside the rows of a catalogue."""


@dataclass(frozen=True)
class UserTable:
    """A table of one file or a folder of them; made by :func:`open_table`.

    Parameters
    ----------
    files : tuple of TableFile
        At least one.
    names : dict of str to str
        Canonical names of the columns that are there to their names in the table.
    """

    files: tuple[TableFile, ...]
    names: dict[str, str]

    def read(self) -> pa.Table:
        """Return the whole table by canonical names; for small tables."""
        batches = (batch for file in self.files for batch in file.batches())
        table = pa.Table.from_batches(batches, self.files[0].schema)
        return table.select(list(self.names.values())).rename_columns(list(self.names))

    def as_parquet(self, folder: Path) -> list[Path]:
        """Return Parquet files of one schema, columns by their names in the table.

        Parameters
        ----------
        folder : pathlib.Path
            For copies of the files that are something else; each is made once, and is there
            whole or not at all.
        """
        return [file.as_parquet(folder) for file in self.files]

    def scan(self, folder: Path) -> pa.RecordBatchReader:
        """Read the table a batch at a time, by canonical names; ``folder`` is for copies."""
        files = self.as_parquet(folder)
        found = ds.FileSystemDataset.from_paths(
            [str(file) for file in files],
            schema=self.files[0].schema,
            format=ds.ParquetFileFormat(),
            filesystem=LocalFileSystem(),
        )
        columns = {name: ds.field(own) for name, own in self.names.items()}
        return found.scanner(columns=columns).to_reader()


def open_table(
    path: Path,
    aliases: Mapping[str, Sequence[str]],
    required: Sequence[str],
    types: Mapping[str, pa.DataType | None],
    hints: Mapping[str, str] | None = None,
) -> UserTable:
    """Open a table and check all of its files; no rows are read.

    Parameters
    ----------
    path : pathlib.Path
        File, or folder of files: CSV, ECSV, FITS, VOTable or Parquet.
    aliases : mapping of str to sequence of str
        Columns that are used, each with its names.
    required : sequence of str
        Columns that every file must have; others are null where a file lacks them.
    types : mapping of str to pyarrow.DataType
        What columns are: ``int64`` for ids, ``string``, None for anything; by default ``float64``.
        Other types of the same sort are kept, e.g. ``float32``, if all files agree on them.
    hints : mapping of str to str, optional
        What to do where a column is missing.

    Raises
    ------
    InputError
        There is no table, or one of another kind, or ids have lost digits.
    InputError
        A file lacks a required column.
    """
    found = []
    for file in files_of(path):
        schema = open_rows(file).schema
        found.append((file, schema, resolve(schema.names, aliases, required, str(file), hints)))
    names = {
        column: next(own[column] for *_, own in found if column in own)
        for column in aliases
        if any(column in own for *_, own in found)
    }
    fields = {}
    for column, name in names.items():
        kinds = {schema.field(own[column]).type for _, schema, own in found if column in own}
        fields[name] = _common(kinds, types.get(column, pa.float64()))
    schema = pa.schema(list(fields.items()))
    files = [
        TableFile(file, {names[column]: name for column, name in own.items()}, schema)
        for file, _, own in found
    ]
    for one in files:
        one.check()
    return UserTable(tuple(files), names)


def files_of(path: Path) -> list[Path]:
    """Return the files of a table: the path itself, or all tables below it.

    Raises
    ------
    InputError
        There is nothing, or no table below the folder, or tables of Parquet and of other kinds.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"no table at {path}; {WANTED}")
    below = sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and file.name[0] not in "._" and file.name not in _HATS_OWN
    )
    parquet = [file for file in below if file.name.lower().endswith(PARQUET_ENDINGS)]
    others = [file for file in below if file.name.lower().endswith(OTHER_ENDINGS)]
    if parquet and others:
        raise InputError(
            f"{path} holds Parquet files and others ({others[0].name}); name a folder with "
            "nothing but the files of one table"
        )
    if not (parquet or others):
        raise InputError(f"no table below {path}; {WANTED}, or a folder of such files")
    return parquet or others


def _common(kinds: set[pa.DataType], wanted: pa.DataType | None) -> pa.DataType:
    """Return the one type of a column where it is of the wanted sort, else the wanted type."""
    known = kinds - {pa.null()}
    is_id = all(pa.types.is_integer(kind) for kind in known)
    is_number = all(pa.types.is_integer(k) or pa.types.is_floating(k) for k in known)
    is_text = all(pa.types.is_string(kind) or pa.types.is_large_string(kind) for kind in known)
    sorts = {None: is_text or is_number, pa.string(): is_text, pa.int64(): is_id}
    if len(known) == 1 and sorts.get(wanted, is_number):
        return known.pop()
    return wanted or (pa.float64() if is_number else pa.string())
