"""Where the observations are: those of a selection, of the run, or of the whole catalogue."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from numpy.typing import NDArray

from pipeline.acquire.request import RUN, Request
from pipeline.acquire.selection import selected_rows
from pipeline.core.errors import InputError
from pipeline.core.root import Root
from schemas.observations import OBSERVATIONS


def positions(request: Request) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield right ascensions and declinations in degrees, a block at a time.

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
        rows = ds.dataset(observations, format="parquet").to_batches(["ra_deg", "dec_deg"])
        yield from (_columns(batch, "ra_deg", "dec_deg") for batch in rows)
        return
    if not request.catalogue(".parquet", "LRS_stellar").exists():
        raise InputError(
            f"neither observations in {observations} nor a catalogue in {request.out} say where to "
            "look; run pairspec acquire lamost-catalogue or pairspec ingest first"
        )
    wanted = request if chosen else replace(request, where="true")
    yield from (_columns(batch, "ra", "dec") for batch in selected_rows(wanted))


def _columns(batch: pa.RecordBatch, *names: str) -> tuple[NDArray[Any], NDArray[Any]]:
    ra_deg, dec_deg = (batch[name].cast(pa.float64()) for name in names)
    return ra_deg.to_numpy(zero_copy_only=False), dec_deg.to_numpy(zero_copy_only=False)
