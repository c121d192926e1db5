"""A table that pairspec writes: its columns, each with unit, UCD, description and source."""

import json
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

_NAME_KEY = "pairspec_table"
"""Schema metadata: name of the table."""

_ASTROPY_LENGTH = "table::len::"
"""Schema metadata, before a column's name: characters of its longest text."""

_ASTROPY_NULL = "None"
"""What astropy makes of a text that is null."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Column name in the Parquet file.
    type : pyarrow.DataType
        Storage type.
    description : str
        One sentence for the data dictionary.
    unit : str
        Unit in the notation of the VO (``deg``, ``km/s``); empty for none.
    ucd : str
        Unified Content Descriptor (UCD1+), where one fits.
    source : str
        Where the value comes from.
    """

    name: str
    type: pa.DataType
    description: str
    unit: str = ""
    ucd: str = ""
    source: str = ""

    def field(self) -> pa.Field:
        """Return the pyarrow field, with the documentation as its metadata."""
        notes = {
            "description": self.description,
            "unit": self.unit,
            "ucd": self.ucd,
            "source": self.source,
        }
        return pa.field(self.name, self.type, metadata={k: v for k, v in notes.items() if v})


@dataclass(frozen=True)
class Table:
    """A named set of columns and where its files lie under the root."""

    name: str
    location: str
    description: str
    columns: tuple[Column, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        """Schema for pyarrow whose metadata document every column, and keep ids in pandas."""
        fields = [column.field() for column in self.columns]
        notes = {
            _NAME_KEY: self.name,
            "description": self.description,
            "pandas": _pandas_notes(fields),
        }
        return pa.schema(fields, metadata=notes)

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


def conform(table: pa.Table, to: Table) -> pa.Table:
    """Return the columns of a table in the order, types and documentation of its schema."""
    return table.select(to.names).cast(to.schema)


def with_text_lengths(table: pa.Table) -> pa.Table:
    """Return one of our tables with the length of its texts in its metadata, for astropy.

    Parameters
    ----------
    table : pyarrow.Table
        Any other table than ours comes back as it is.

    Returns
    -------
    pyarrow.Table
        The same data.
    """
    notes = table.schema.metadata or {}
    if _NAME_KEY.encode() not in notes:
        return table
    lengths = {
        f"{_ASTROPY_LENGTH}{field.name}".encode(): str(_longest(table[field.name])).encode()
        for field in table.schema
        if pa.types.is_string(field.type)
    }
    return table.replace_schema_metadata(notes | lengths)


def _longest(column: pa.ChunkedArray) -> int:
    longest = pc.max(pc.utf8_length(column)).as_py() or 1
    return max(longest, len(_ASTROPY_NULL)) if column.null_count else longest


def _pandas_notes(fields: list[pa.Field]) -> str:
    """Return pandas' own metadata: integers are of its types that hold nulls, e.g. ``Int64``.

    Without them pandas makes floats of ids beside nulls, which lose their last digits.
    """
    columns = [
        {
            "name": field.name,
            "field_name": field.name,
            "pandas_type": str(field.type),
            "numpy_type": str(field.type).title(),
            "metadata": None,
        }
        for field in fields
        if pa.types.is_signed_integer(field.type)
    ]
    notes = {"index_columns": [], "column_indexes": [], "columns": columns, "pandas_version": "3"}
    return json.dumps(notes)
