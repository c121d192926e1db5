"""A label table that the user gives, and the check of it."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.labels.labels import LABELS

IDS = ("source_id", "obsid")
_NAMED = 5


def label_digest(path: Path) -> str:
    """Return the SHA-256 of a label table's file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str
        64 hex digits.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(
            f"cannot read the label table {path} (inputs.labels): {error.strerror}"
        ) from None


def read_label_table(path: Path) -> pa.Table:
    """Read and check a label table.

    Parameters
    ----------
    path : pathlib.Path
        CSV (also ``.csv.gz``) or Parquet file with two columns: ``source_id`` or ``obsid``, and
        ``label``.

    Returns
    -------
    pyarrow.Table
        The id as int64, and the label.

    Raises
    ------
    InputError
        No such file, no table, other columns, ids that are not whole numbers, ids or labels that
        are missing, unknown labels, ids that occur twice.
    """
    table = _read(path)
    given = [name for name in IDS if name in table.column_names]
    if len(given) != 1 or "label" not in table.column_names:
        raise InputError(
            f"{path} must have the column label and one of {' or '.join(IDS)}; it has "
            f"{', '.join(table.column_names)}"
        )
    name = given[0]
    ids = _ids(path, name, table[name])
    labels = table["label"]
    if not pa.types.is_string(labels.type) and not pa.types.is_large_string(labels.type):
        raise InputError(
            f"{path}: label must be text, one of {', '.join(LABELS)}; it is {labels.type}"
        )
    for column, values in ((name, ids), ("label", labels)):
        if values.null_count:
            raise InputError(f"{path}: {values.null_count} rows have no {column}")
    unknown = sorted(set(pc.unique(labels).to_pylist()) - set(LABELS))
    if unknown:
        raise InputError(
            f"{path}: unknown label {_few(unknown)}; a label is one of {', '.join(LABELS)}"
        )
    twice = [key for key, count in Counter(ids.to_pylist()).items() if count > 1]
    if twice:
        raise InputError(
            f"{path}: {len(twice)} values of {name} stand more than once, e.g. {_few(twice)}; "
            "keep one row each"
        )
    return pa.table({name: ids, "label": labels.cast(pa.string())})


def match_labels(path: Path, spectra: pa.Table) -> tuple[dict[int, str], int]:
    """Give the stars of the sample the labels of the user.

    Parameters
    ----------
    path : pathlib.Path
        The label table.
    spectra : pyarrow.Table
        Spectra of the sample: ``obsid`` and ``source_id``.

    Returns
    -------
    labels : dict of int to str
        By source id; a label of an exposure applies to the whole star.
    n_unused : int
        Rows of the table that name nothing of the sample.

    Raises
    ------
    InputError
        The table is bad, names nothing of the sample, or has two labels for one star.
    """
    table = read_label_table(path)
    name = table.column_names[0]
    index = pc.index_in(spectra[name], value_set=table[name].combine_chunks())
    hit = index.is_valid()
    used = pc.unique(index.filter(hit))
    if len(used) == 0:
        raise InputError(
            f"{path}: none of its {table.num_rows} values of {name} is in the sample; is it of "
            "another survey or Gaia release, or do the cuts drop all of them?"
        )
    source = spectra["source_id"].filter(hit).to_numpy()
    label = np.array(table["label"].take(index.filter(hit)).to_pylist())
    return _by_star(path, source, label), table.num_rows - len(used)


def _by_star(path: Path, source: NDArray[np.int64], label: NDArray[np.str_]) -> dict[int, str]:
    pairs = sorted(set(zip(source.tolist(), label.tolist(), strict=True)))
    by_star = dict(pairs)
    if len(by_star) < len(pairs):
        count = Counter(star for star, _ in pairs)
        torn = [star for star, n in count.items() if n > 1]
        raise InputError(
            f"{path}: {len(torn)} stars have spectra of different labels, e.g. source_id "
            f"{_few(torn)}; all spectra of a star share its label"
        )
    return by_star


def _read(path: Path) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        return pacsv.read_csv(path)
    except OSError as error:
        raise InputError(f"cannot read the label table {path}: {error}") from None
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is no CSV or Parquet table: {error}") from None


def _ids(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type):
        raise InputError(
            f"{path}: {name} is a floating-point column, which cannot hold Gaia's ids (they exceed "
            "2^53, so the last digits are lost); write whole numbers or text"
        )
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise InputError(f"{path}: {name} must be a whole number; it is {column.type}")
    whole = pc.match_substring_regex(column, r"^\s*\d+\s*$")
    bad = column.filter(pc.invert(whole))
    if len(bad):
        raise InputError(
            f"{path}: {len(bad)} values of {name} are no whole numbers, e.g. "
            f"{_few(bad.to_pylist())}"
        )
    return pc.utf8_trim_whitespace(column).cast(pa.int64())


def _few(values: list[object] | list[int] | list[str]) -> str:
    more = ", ..." if len(values) > _NAMED else ""
    return ", ".join(repr(value) for value in values[:_NAMED]) + more
