"""Tables of the Gaia archive for the sources of a run: asked for by number, in blocks."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipeline.acquire.downloader import Downloader, ServerError
from pipeline.acquire.journal import Status
from pipeline.acquire.plan import Plan, freeze
from pipeline.acquire.request import CATALOGUES, RUN, Outcomes, Request, forecast, shown
from pipeline.acquire.tap import TableCheck, query_url
from pipeline.acquire.transfer import Kind, Wanted
from pipeline.core.atomic import write_parquet
from pipeline.core.errors import InputError
from pipeline.core.root import Root
from pipeline.tables.database import database
from pipeline.tables.literal import parquet_files
from schemas.photometry import PHOTOMETRY

BAILER_JONES, NEIGHBOURS = "bailer_jones", "tmass_best_neighbour"
_BLOCK = 200
"""Sources of one request: its address has 4 kB."""
_ROW_BYTES = 60
_DISTANCES = pa.schema(
    [
        ("source_id", pa.int64()),
        ("r_med_geo", pa.float64()),
        ("r_lo_geo", pa.float64()),
        ("r_hi_geo", pa.float64()),
    ]
)
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
    settings, folder = request.settings, request.out / CATALOGUES / name

    def wanted() -> Iterator[Wanted]:
        sources, number = _sources(request), 0
        while ids := list(islice(sources, _BLOCK)):
            listed = ", ".join(map(str, ids))
            query = (
                f"SELECT {', '.join(schema.names)} FROM {table} "  # noqa: S608 (of a request)
                f"WHERE source_id IN ({listed})"
            )
            url = query_url(settings.gaia_tap_url, query)
            yield Wanted(str(number), url, folder / f"block-{number:07d}.csv")
            number += 1

    plan = freeze(request.out, name, wanted(), settings.batch_rows)
    parts = _Parts(plan, folder, schema)
    downloader = Downloader(settings, again=request.again)
    if request.dry_run:
        todo = downloader.pending(plan, parts)
        return forecast(plan, todo, settings.rate_per_s, _BLOCK * _ROW_BYTES)
    kind = Kind(name, TableCheck([(column,) for column in schema.names], None))
    outcomes = shown(plan, downloader.run(plan, kind, parts))
    outcomes.lines += [f"  rows                  {parts.finish():>12,}", f"  -> {folder}"]
    return outcomes


def _sources(request: Request) -> Iterator[int]:
    """Yield the Gaia sources of the run, rising."""
    photometry = Root(request.out / RUN).table(PHOTOMETRY)
    if not photometry.is_dir():
        raise InputError(
            f"no photometry in {photometry}, which says what Gaia sources there are; run pairspec "
            "photometry first, and once more afterwards"
        )
    with database(request.scratch()) as db:
        rows = db.sql(
            "SELECT DISTINCT source_id FROM read_parquet($files, hive_partitioning = false) "
            "WHERE source_id IS NOT NULL ORDER BY source_id",
            params={"files": parquet_files(photometry)},
        ).to_arrow_reader(50_000)
        for batch in rows:
            yield from batch["source_id"].to_pylist()


class _Parts:
    """Answers become one Parquet file per batch, and are deleted.

    Parameters
    ----------
    plan : Plan
        The blocks.
    folder : pathlib.Path
        Where the parts go.
    schema : pyarrow.Schema
        Their columns.
    """

    def __init__(self, plan: Plan, folder: Path, schema: pa.Schema) -> None:
        self._plan, self._folder, self._schema = plan, folder, schema

    def has(self, batch: int, row: int) -> bool:  # noqa: ARG002 (a part holds the whole batch)
        """Whether the answer is in a part."""
        return self._part(batch).exists()

    def take(self, plan: Plan, batch: int) -> None:
        """Write the part of a batch.

        Raises
        ------
        ServerError
            An answer could not be had.
        """
        part = self._part(batch)
        files = [wanted.path for wanted in plan.wanted(batch)]
        if not part.exists():
            outcomes = plan.journal(batch).read().values()
            lost = [o for o in outcomes if o.status in (Status.FAILED, Status.REFUSED)]
            if lost:
                raise ServerError(
                    f"{len(lost)} of {len(files)} blocks could not be had, the first one for "
                    f"{lost[0].reason} ({lost[0].detail}); run the same command again, with "
                    "--again if it was refused"
                )
            write_parquet(part, pa.concat_tables(map(self._read, files)))
        for file in files:
            file.unlink(missing_ok=True)

    def finish(self) -> int:
        """Delete the parts of other lists; return the rows of this one."""
        own = {self._part(batch) for batch in range(self._plan.n_batches)}
        for part in set(self._folder.glob("part-*.parquet")) - own:
            part.unlink()
        return sum(pq.read_metadata(part).num_rows for part in own)

    def _part(self, batch: int) -> Path:
        return self._folder / f"part-{self._plan.folder.name}-{batch:06d}.parquet"

    def _read(self, file: Path) -> pa.Table:
        types = {field.name: field.type for field in self._schema}
        options = pa_csv.ConvertOptions(column_types=types, include_columns=self._schema.names)
        return pa_csv.read_csv(file, convert_options=options).cast(self._schema)
