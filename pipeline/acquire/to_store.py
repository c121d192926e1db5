"""Spectra straight into the store: fetched, checked, read, written as shards; no file is kept."""

from collections.abc import Iterator

from pipeline.acquire.downloader import Downloader, summarise
from pipeline.acquire.lamost_spectra import (
    ARRIVING,
    SOURCE,
    SPECTRA,
    TYPICAL_BYTES,
    spectra_kind,
    wanted_spectra,
)
from pipeline.acquire.plan import Plan, freeze
from pipeline.acquire.request import RUN, Outcomes, Request, forecast, shown
from pipeline.acquire.shards import Shards
from pipeline.acquire.transfer import Wanted
from pipeline.core.errors import InputError
from pipeline.core.root import Root
from pipeline.tables.database import database
from pipeline.tables.literal import parquet_files

_WITHOUT = "the store is complete without the files that failed, and takes none up later"


def acquire_to_store(request: Request) -> Outcomes:
    """Fetch spectra into the store of ``OUT/run``: the one that `ingest` would write of the files.

    Parameters
    ----------
    request : Request
        Which spectra.

    Raises
    ------
    InputError
        Nothing is selected, there is another run already, or no spectrum could be had.
    ServerError
        Files failed that may be had by the next run.
    """
    settings, root = request.settings, Root((request.out / RUN).resolve())
    listed = freeze(request.out, SOURCE, wanted_spectra(request), settings.batch_rows)
    plan = freeze(
        request.out, f"{SOURCE}-to-store", _in_order(request, listed), settings.batch_rows
    )
    shards = Shards(plan, request)
    done = shards.complete and root.manifest.exists()
    if root.manifest.exists() and not done:
        raise InputError(
            f"{root.path} holds a run of other spectra; use another --out, or leave out --to-store"
        )
    downloader = Downloader(settings, request.secret, again=request.again)
    if request.dry_run:
        todo = 0 if done else downloader.pending(plan, shards)
        return forecast(plan, todo, settings.rate_per_s, TYPICAL_BYTES)
    if not shards.complete:
        downloader.run(plan, spectra_kind(), shards)
        shards.finish()
    if not done:
        shards.adopt(root)
    outcomes = shown(plan, summarise(plan), _WITHOUT, private=True)
    outcomes.lines.append(f"  -> {root.store}")
    return outcomes


def _in_order(request: Request, plan: Plan) -> Iterator[Wanted]:
    """Yield the files of a list in the order in which `ingest` would find them in their folders."""
    with database(request.scratch()) as db:
        rows = db.sql(
            "SELECT key, url, path FROM read_parquet($plan, hive_partitioning = false) "
            # In a walk through folders, the end of a name comes before every letter.
            "ORDER BY replace(path, '/', chr(1))",
            params={"plan": parquet_files(plan.folder / "plan.parquet")},
        ).to_arrow_reader(50_000)
        for batch in rows:
            for row in batch.to_pylist():
                place = plan.out / ARRIVING / row["path"].removeprefix(f"{SPECTRA}/")
                yield Wanted(row["key"], row["url"], place)
