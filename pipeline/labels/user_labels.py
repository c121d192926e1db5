"""A label table that the user gives, and the check of it."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.core.words import counted
from pipeline.labels.labels import LABELS
from pipeline.tables.rows import open_rows
from pipeline.tables.source_columns import LOOKED_UP
from pipeline.tables.table import open_table

IDS = ("source_id", "obsid")
_ALIASES = {name: LOOKED_UP[name] for name in IDS} | {"label": ("label",)}
_TYPES = {"source_id": pa.int64(), "obsid": pa.int64(), "label": pa.string()}
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
        Table (CSV, ECSV, FITS, VOTable or Parquet) with two columns: ``source_id`` or ``obsid``,
        and ``label``.

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
    try:
        own = open_rows(path).schema.names
        table = open_table(path, _ALIASES, (), _TYPES)
        given = [name for name in IDS if name in table.names]
        if len(given) != 1 or "label" not in table.names:
            raise InputError(
                f"{path} must have the column label and one of {' or '.join(IDS)}; it has "
                f"{', '.join(own)}"
            )
        return _checked(path, given[0], table.read())
    except InputError as error:
        raise InputError(f"the label table cannot be used: {error}") from None


def _checked(path: Path, name: str, table: pa.Table) -> pa.Table:
    """Return id and label, once each value is known to be good."""
    ids, labels = table[name], table["label"]
    if table.num_rows == 0:
        raise InputError(f"{path} has no rows")
    for column, values in ((name, ids), ("label", labels)):
        if values.null_count:
            raise InputError(f"{path}: {counted(values.null_count, 'rows')} without {column}")
    unknown = sorted(set(pc.unique(labels).to_pylist()) - set(LABELS))
    if unknown:
        raise InputError(
            f"{path}: unknown label {_few(unknown)}; a label is one of {', '.join(LABELS)}"
        )
    twice = [key for key, count in Counter(ids.to_pylist()).items() if count > 1]
    if twice:
        raise InputError(
            f"{path}: {name} must be unique, but there are several rows of {_few(twice)}; keep one "
            "row each"
        )
    return pa.table({name: ids.cast(pa.int64()), "label": labels.cast(pa.string())})


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


def _few(values: list[object] | list[int] | list[str]) -> str:
    more = ", ..." if len(values) > _NAMED else ""
    return ", ".join(repr(value) for value in values[:_NAMED]) + more
