"""Which spectra of a catalogue are asked for, and where they go."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.acquire.request import Request
from pipeline.acquire.secret import Secret
from pipeline.acquire.selection import select_spectra
from pipeline.lamost.catalogue import COLUMNS
from pipeline.settings.acquire import AcquireSettings


@pytest.fixture
def select(tmp_path):
    """``select(rows)``: number and place of all spectra of a catalogue."""

    def run(rows):
        schema = pa.schema([(column.name, column.dtype) for column in COLUMNS])
        request = Request(tmp_path, AcquireSettings(), Secret(""), where="true")
        path = request.catalogue(".parquet", "LRS_stellar")
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
        return {obsid: str(place) for obsid, place in select_spectra(request)}

    return run


def row(obsid, fibre):
    return {"obsid": obsid, "lmjd": 58000, "planid": "HD1", "spid": 1, "fiberid": fibre}


def test_an_exposure_that_is_listed_twice_is_one(select):
    found = select([row(101, 1), row(102, 2), row(102, 2), row(None, 3)])
    assert sorted(found) == [101, 102]
    assert "by_obsid" not in found[102] and "HD1" in found[102]


def test_two_exposures_of_one_place_lie_by_their_numbers(select):
    found = select([row(101, 1), row(102, 1)])
    assert all("by_obsid" in place for place in found.values())
