"""The multiple-epoch catalogue (``LRS_mec``): one row per star in the file, one per epoch here."""

import math
import os
import re

import pyarrow as pa

from pipeline.lamost.identity import SENTINELS
from pipeline.lamost.ranges import column_range
from pipeline.lamost.raw_rows import RawBatch, open_rows

SCHEMA = pa.schema(
    [
        pa.field("uid", pa.string()),
        pa.field("epoch", pa.int64()),
        pa.field("obsid", pa.int64()),
        pa.field("midmjm", pa.float64()),
        pa.field("rv_kms", pa.float64()),
    ]
)
"""``epoch`` counts a star's observations from 0; ``midmjm`` are minutes, as in the file."""

NEEDED = ("uid", "obs_number", "obsid_list", "midmjm_list", "rv_list")
BATCH_ROWS = 50_000

_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_ITEM = re.compile(_NUMBER)
_DASHED = re.compile(rf"{_NUMBER}(?:-{_NUMBER})*")


def read_multi_epoch(path: str | os.PathLike[str]) -> pa.Table:
    """Read a multiple-epoch catalogue, CSV or FITS, compressed or not.

    The file has no errors of the velocities: join ``obsid`` to the stellar catalogue for them.

    Returns
    -------
    pyarrow.Table
        One row per epoch, with the columns of `SCHEMA`; null where a value is a sentinel.

    Raises
    ------
    ValueError
        If a column is missing, or a list is unreadable or not as long as ``obs_number`` says.
    """
    with open_rows(path) as rows:
        names = [name.strip().lower() for name in rows.names]
        absent = [name for name in NEEDED if name not in names]
        if absent:
            raise ValueError(
                f"{path}: no column {', '.join(absent)}; the file has {', '.join(rows.names)}. "
                "Is this a multiple-epoch catalogue (LRS_mec)?"
            )
        positions = {name: names.index(name) for name in NEEDED}
        return pa.Table.from_batches(
            (_explode(batch, path) for batch in rows.batches(positions, BATCH_ROWS)), SCHEMA
        )


def split_list(text: str) -> list[str]:
    """Split a list of numbers separated by ``,`` or ``-``.

    With ``-`` as separator a negative number follows it with a second one: ``1.5--2`` holds
    1.5 and -2.

    Raises
    ------
    ValueError
        If the text is no such list.
    """
    text = text.strip().strip("[]")
    if not text:
        return []
    if "," in text:
        items = [item.strip() for item in text.split(",")]
        if all(_ITEM.fullmatch(item) for item in items):
            return items
    elif _DASHED.fullmatch(text):
        items, place = [], 0
        while place < len(text):
            match = _ITEM.match(text, place)
            if match is None:
                break
            items.append(match[0])
            place = match.end() + 1
        return items
    raise ValueError(f"{text!r} is no list of numbers separated by ',' or '-'")


def _explode(raw: RawBatch, path: str | os.PathLike[str]) -> pa.RecordBatch:
    columns: dict[str, list[object]] = {name: [] for name in SCHEMA.names}
    for star in zip(*(raw[name].to_pylist() for name in NEEDED), strict=True):
        uid, *texts = (None if value is None else str(value) for value in star)
        try:
            obsids, midmjms, velocities = (split_list(text or "") for text in texts[1:])
            number = len(obsids)
            lengths = {number, len(midmjms), len(velocities)}
            if lengths != {number} or float(texts[0] or "nan") != number:
                raise ValueError(
                    f"obs_number is {texts[0]}, the lists have {sorted(lengths)} items"
                )
            columns["obsid"] += [_known_obsid(item) for item in obsids]
        except ValueError as error:
            raise ValueError(
                f"{path}: star {uid}: {error}; fetch the catalogue again or drop the row"
            ) from error
        columns["uid"] += [uid] * number
        columns["epoch"] += range(number)
        columns["midmjm"] += [_known(item) for item in midmjms]
        columns["rv_kms"] += [_known(item) for item in velocities]
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def _known(item: str) -> float | None:
    value = float(item)
    return None if value in SENTINELS or not math.isfinite(value) else value


def _known_obsid(item: str) -> int | None:
    value = int(item)
    low, high = column_range("obsid", pa.int64())
    return value if low <= value <= high and value not in SENTINELS else None
