"""A table that pairspec writes: its columns, each with unit, UCD, description and source."""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa


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
        """Schema for pyarrow whose metadata documents every column."""
        return pa.schema(
            [column.field() for column in self.columns],
            metadata={"pairspec_table": self.name, "description": self.description},
        )

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


def conform(table: pa.Table, to: Table) -> pa.Table:
    """Return the columns of a table in the order, types and documentation of its schema."""
    return table.select(to.names).cast(to.schema)
