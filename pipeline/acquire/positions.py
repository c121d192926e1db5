"""Where the observations are: those of a selection, of the run, or of the whole catalogue."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
from numpy.typing import NDArray

from pipeline.acquire.request import RUN, Request
from pipeline.acquire.selection import selected_rows
from pipeline.core.errors import InputError
from pipeline.core.root import Root
from schemas.observations import OBSERVATIONS

PLACES = pa.schema([("obsid", pa.int64()), ("ra", pa.float64()), ("dec", pa.float64())])


def positions(request: Request) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield right ascensions and declinations in degrees, a block at a time.

    Parameters
    ----------
    request : Request
        As of `places`.

    Raises
    ------
    InputError
        As of `places`.
    """
    for batch in places(request):
        ra_deg, dec_deg = (batch[name].to_numpy(zero_copy_only=False) for name in ("ra", "dec"))
        yield ra_deg, dec_deg


def places(request: Request) -> Iterator[pa.RecordBatch]:
    """Yield number and position in degrees of each observation, a block at a time.

    A position that is not on the sky is null.

    Parameters
    ----------
    request : Request
        Its ``where``, ``obsids``, ``cone`` and ``limit``; without them, the observations of
        ``OUT/run`` count, and without those all of the catalogue.

    Raises
    ------
    InputError
        There are neither observations nor a catalogue.
    """
    chosen = request.where or request.obsids or request.cone or request.limit
    observations = Root(request.out / RUN).table(OBSERVATIONS)
    if observations.is_dir() and not chosen:
        rows = ds.dataset(observations, format="parquet").to_batches(["obsid", "ra_deg", "dec_deg"])
        yield from (_columns(batch, "obsid", "ra_deg", "dec_deg") for batch in rows)
        return
    if not request.catalogue(".parquet", "LRS_stellar").exists():
        raise InputError(
            f"neither observations in {observations} nor a catalogue in {request.out} say where to "
            "look; run pairspec acquire lamost-catalogue or pairspec ingest first"
        )
    wanted = request if chosen else replace(request, where="true")
    yield from (_columns(batch, "obsid", "ra", "dec") for batch in selected_rows(wanted))


def _columns(batch: pa.RecordBatch, obsid: str, *position: str) -> pa.RecordBatch:
    """Return number and position; one that is not on the sky is null."""
    ra_deg, dec_deg = (
        batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in position
    )
    known = np.isfinite(ra_deg) & (np.abs(dec_deg) <= 90)
    ra_deg = np.mod(np.where(known, ra_deg, 0), 360)
    columns = [
        batch[obsid].cast(pa.int64()),
        *(pa.array(d, mask=~known) for d in (ra_deg, dec_deg)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=PLACES)
