"""Raw catalogue values to canonical ones: sentinels become null, digits are never lost."""

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lamost.columns import CatalogueColumn, Rule
from pipeline.lamost.identity import NO_SUBCLASS, SENTINELS
from pipeline.lamost.ranges import EXACT_LIMIT, Range, column_range

NULL_TEXTS = ("", "NULL", "null", "NaN", "nan", "None", "--")
NO_MAGNITUDE = 99.0
LARGEST = 2**63 - 1
"""The largest whole number of a table."""


def clean(column: CatalogueColumn, raw: pa.Array, source: str) -> pa.Array:
    """Convert one column of a batch to its canonical type, with null for what is missing.

    Parameters
    ----------
    column : CatalogueColumn
        What it is to become.
    raw : pyarrow.Array
        Strings or numbers.
    source : str
        The file, for the message.

    Raises
    ------
    ValueError
        If a value cannot be converted without loss.
    """
    if pa.types.is_string(raw.type) or pa.types.is_large_string(raw.type):
        raw = pc.utf8_trim_whitespace(raw)
        raw = _null_where(raw, pc.is_in(raw, value_set=pa.array(NULL_TEXTS, raw.type)))
    try:
        if pa.types.is_string(column.dtype):
            return _clean_text(column, raw)
        if pa.types.is_int64(column.dtype):
            return _clean_integer(column, raw)
        return _clean_float(column, raw)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ValueError(
            f"{source}: column {column.name!r} cannot be read as {column.dtype}: {error}. "
            "Check the file's delimiter and that its identifiers are not written as decimals."
        ) from error


def _clean_text(column: CatalogueColumn, raw: pa.Array) -> pa.Array:
    texts = raw.cast(pa.string())
    if column.name == "subclass":
        texts = _null_where(texts, pc.equal(texts, NO_SUBCLASS))
    return texts


def _clean_integer(column: CatalogueColumn, raw: pa.Array) -> pa.Array:
    if pa.types.is_string(raw.type) or pa.types.is_large_string(raw.type):
        # Through float64, 19-digit identifiers would lose their last digits.
        numbers = _parse_integers(pc.replace_substring_regex(raw, r"\.0*$", ""))
    elif pa.types.is_floating(raw.type):
        raw = _null_where(raw, pc.invert(pc.less(pc.abs(raw), float(LARGEST))))
        if pc.any(pc.greater_equal(pc.abs(raw), float(EXACT_LIMIT))).as_py():
            raise pa.ArrowInvalid("stored as floats that have lost their last digits")
        numbers = raw.cast(pa.int64())
    elif pa.types.is_uint64(raw.type):
        numbers = _null_where(raw, pc.greater(raw, pa.scalar(LARGEST, raw.type))).cast(pa.int64())
    else:
        numbers = raw.cast(pa.int64())
    sentinels = pa.array([int(value) for value in sorted(SENTINELS)], pa.int64())
    unknown = pc.is_in(numbers, value_set=sentinels)
    if column.rule is Rule.POSITIVE:
        unknown = pc.or_(unknown, pc.less_equal(numbers, 0))
    return _null_where(numbers, pc.or_(unknown, _beyond(numbers, *_range(column))))


def _parse_integers(texts: pa.Array) -> pa.Array:
    """Convert to int64, with null for whole numbers that have more digits than it holds."""
    try:
        return texts.cast(pa.int64())
    except pa.ArrowInvalid:
        digits = pc.utf8_ltrim(texts, "+-0")
        n_digits = pc.utf8_length(digits)
        # Of numbers with as many digits, the order of texts is that of numbers.
        larger = pc.and_(pc.equal(n_digits, 19), pc.greater(digits, str(LARGEST)))
        too_large = pc.or_(larger, pc.greater(n_digits, 19))
        whole = pc.match_substring_regex(texts, "^[+-]?[0-9]+$")
        return _null_where(texts, pc.and_(whole, too_large)).cast(pa.int64())


def _clean_float(column: CatalogueColumn, raw: pa.Array) -> pa.Array:
    numbers = raw.cast(pa.float64())
    unknown = pc.or_(
        pc.is_in(numbers, value_set=pa.array(sorted(SENTINELS), pa.float64())),
        pc.or_(pc.is_nan(numbers), _beyond(numbers, *_range(column))),
    )
    if column.rule is Rule.MAGNITUDE:
        unknown = pc.or_(unknown, pc.equal(numbers, NO_MAGNITUDE))
    elif column.rule is Rule.POSITIVE:
        unknown = pc.or_(unknown, pc.less_equal(numbers, 0.0))
    return _null_where(numbers, unknown)


def _range(column: CatalogueColumn) -> Range:
    return column_range(column.name, column.dtype)


def _beyond(numbers: pa.Array, low: float, high: float) -> pa.Array:
    """Where numbers lie outside a range, which infinities always do."""
    return pc.or_(pc.less(numbers, low), pc.greater(numbers, high))


def _null_where(values: pa.Array, unknown: pa.Array) -> pa.Array:
    return pc.if_else(unknown, pa.scalar(None, values.type), values)
