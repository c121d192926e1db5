"""Raw values of a user's table to ids, numbers and texts; digits are never lost."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError

NULLS = ("", "null", "NULL", "Null", "nan", "NaN", "NAN", "None", "N/A", "--")
"""Texts that stand for a missing value."""

_FLOAT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_NAMED = 3
_ID = re.compile(r"(id|source|gaia[ _]?(e?dr\d)?)$", re.IGNORECASE)
"""How the names of ids end, in the archives and in VizieR."""
_LOST = (
    "ids above 2^53 have lost digits where they were floating-point numbers; write them as 64-bit "
    'integers or as text (pandas keeps integers beside missing values in the type "Int64" only)'
)


def check_type(kind: pa.DataType, to: pa.DataType, column: str, table: str) -> None:
    """Refuse a column whose type cannot become what it must be, before anything is read.

    Parameters
    ----------
    kind, to : pyarrow.DataType
        What it is, and what it must be: ``int64`` for an id, ``float64`` or ``string``.
    column, table : str
        Names, for the message.

    Raises
    ------
    InputError
        An id that is not an integer or text; several values per row.
    """
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if _is_text(plain) or pa.types.is_null(plain) or pa.types.is_integer(plain):
        return
    if pa.types.is_integer(to):
        raise InputError(f"column {column} of {table} is {str(kind).upper()}: {_LOST}")
    if pa.types.is_nested(plain):
        raise InputError(f"column {column} of {table} is {kind}: one value per row is wanted")


def may_lose_digits(kind: pa.DataType, column: str) -> bool:
    """Whether a column of floating-point numbers is named like ids.

    Parameters
    ----------
    kind : pyarrow.DataType
        Type of the column.
    column : str
        Its name.
    """
    return pa.types.is_floating(kind) and _ID.search(column) is not None


def check_ids(values: pa.Array | pa.ChunkedArray, column: str, table: str) -> None:
    """Refuse floating-point numbers that are named like ids and too large to be exact.

    Parameters
    ----------
    values : pyarrow.Array or pyarrow.ChunkedArray
        The column, of any type.
    column, table : str
        Names, for the message.

    Raises
    ------
    InputError
        Ids have lost digits.
    """
    if not may_lose_digits(values.type, column):
        return
    exact = 2.0 ** (np.finfo(values.type.to_pandas_dtype()).nmant + 1)
    numbers = values.cast(pa.float64())
    lost = numbers.filter(pc.and_(pc.is_finite(numbers), pc.greater_equal(pc.abs(numbers), exact)))
    if len(lost):
        kind = str(values.type).upper()
        raise InputError(f"column {column} of {table} is {kind}, e.g. {lost[0]}: {_LOST}")


def convert(raw: pa.Array, to: pa.DataType, column: str, table: str) -> pa.Array:
    """Convert a column, with null for what is missing.

    Parameters
    ----------
    raw : pyarrow.Array
        Values as they stand in the file.
    to : pyarrow.DataType
        ``int64`` for an id, ``float64`` or ``string``.
    column, table : str
        Names, for the message.

    Returns
    -------
    pyarrow.Array
        Of type ``to``.

    Raises
    ------
    InputError
        As :func:`check_type` and :func:`check_ids`, or a value cannot be converted without loss.
    """
    check_type(raw.type, to, column, table)
    check_ids(raw, column, table)
    if pa.types.is_dictionary(raw.type):
        raw = raw.cast(raw.type.value_type)
    if _is_text(raw.type):
        raw = pc.utf8_trim_whitespace(raw.cast(pa.string()))
        missing = pc.is_in(raw, value_set=pa.array(NULLS))
        raw = pc.if_else(missing, pa.scalar(None, pa.string()), raw)
        if pa.types.is_integer(to):
            _check_digits(raw, column, table)
    try:
        return raw.cast(to)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"{table}: {column} cannot be read as {to}: {error}") from None


def _check_digits(texts: pa.Array, column: str, table: str) -> None:
    bad = texts.filter(pc.invert(pc.match_substring_regex(texts, r"^[+-]?\d+$")))
    if not len(bad):
        return
    named = ", ".join(repr(value) for value in bad.slice(0, _NAMED).to_pylist())
    if pc.all(pc.match_substring_regex(bad, _FLOAT)).as_py():
        raise InputError(
            f"{table}: {column} holds floating-point numbers, e.g. {named}, which cannot hold "
            "Gaia's ids (they exceed 2^53, so the last digits are lost); write all digits, without "
            "point and exponent"
        )
    raise InputError(f"{table}: {len(bad)} values of {column} are no whole numbers, e.g. {named}")


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.string_view())
