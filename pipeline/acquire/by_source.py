"""Tables of the Gaia archive for the sources of a run: joined there by number."""

from collections.abc import Iterator

import pyarrow as pa

from pipeline.acquire.request import RUN, Outcomes, Request
from pipeline.acquire.tap_join import Join, acquire_join
from pipeline.acquire.uploads import NUMBER, TABLE
from pipeline.core.errors import InputError
from pipeline.core.root import Root
from pipeline.tables.database import database
from pipeline.tables.literal import parquet_files
from schemas.photometry import PHOTOMETRY

BAILER_JONES, NEIGHBOURS = "bailer_jones", "tmass_best_neighbour"
_DISTANCES = pa.schema(
    [
        ("source_id", pa.int64()),
        ("r_med_geo", pa.float64()),
        ("r_lo_geo", pa.float64()),
        ("r_hi_geo", pa.float64()),
    ]
)
_SOURCES = pa.schema([("source_id", pa.int64())])
_PAIRS = pa.schema([("source_id", pa.int64()), ("original_ext_source_id", pa.string())])


def acquire_bailer_jones(request: Request) -> Outcomes:
    """Fetch the geometric distances of Bailer-Jones et al. 2021 (AJ 161, 147).

    Parameters
    ----------
    request : Request
        Where to; the sources are those of the run's photometry.
    """
    return _acquire(request, BAILER_JONES, "external.gaiaedr3_distance", _DISTANCES)


def acquire_neighbours(request: Request) -> Outcomes:
    """Fetch Gaia's own best neighbours in 2MASS (Marrese et al. 2022).

    Parameters
    ----------
    request : Request
        Where to; the sources are those of the run's photometry.
    """
    return _acquire(request, NEIGHBOURS, "gaiadr3.tmass_psc_xsc_best_neighbour", _PAIRS)


def _acquire(request: Request, name: str, table: str, schema: pa.Schema) -> Outcomes:
    taken = ", ".join(f"t.{column}" for column in schema.names)
    query = (
        f"SELECT u.{NUMBER}, {taken} FROM TAP_UPLOAD.{TABLE} AS u "  # noqa: S608 (of a request)
        f"JOIN {table} AS t ON t.source_id = u.source_id"
    )
    join = Join(name, request.settings.gaia_tap_url, query, schema, ("source_id",))
    return acquire_join(request, join, _sources(request), _SOURCES)


def _sources(request: Request) -> Iterator[pa.RecordBatch]:
    """Yield the Gaia sources of the run, rising."""
    photometry = Root(request.out / RUN).table(PHOTOMETRY)
    if not photometry.is_dir():
        raise InputError(
            f"no photometry in {photometry}, which says what Gaia sources there are; run pairspec "
            "photometry first, and once more afterwards"
        )
    with database(request.scratch()) as db:
        yield from db.sql(
            "SELECT DISTINCT source_id FROM read_parquet($files, hive_partitioning = false) "
            "WHERE source_id IS NOT NULL ORDER BY source_id",
            params={"files": parquet_files(photometry)},
        ).to_arrow_reader(50_000)
