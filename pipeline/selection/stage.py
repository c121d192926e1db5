"""``pairspec select``: from all spectra with photometry to the sample, and what each cut costs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from pipeline.core.atomic import sweep, write_parquet
from pipeline.core.digest import digest_of
from pipeline.core.progress import track
from pipeline.core.published import publish, published
from pipeline.core.root import Root
from pipeline.core.stage import StageReport
from pipeline.selection.cut_flow import cut_flow_lines, read_cut_flow
from pipeline.selection.cuts import make_cuts
from pipeline.selection.shard import (
    PAPER_RELEASE,
    REPORT,
    SelectionError,
    SelectionJob,
    read_candidates,
    select_partition,
    write_empty,
)
from pipeline.settings.load import Settings
from pipeline.store.manifest import open_manifest
from schemas.sample import CUT_FLOW, CUTS, SAMPLE

if TYPE_CHECKING:
    from distributed import Client


def run(settings: Settings, client: "Client") -> StageReport:
    """Apply the cuts, one partition a shard, and count their survivors.

    Parameters
    ----------
    settings : Settings
        ``root``, ``sample``.
    client : distributed.Client
        Where to run.

    Returns
    -------
    StageReport
        Spectra in and out, and the cut flow as a table.

    Raises
    ------
    SelectionError
        Counted observations and judged spectra differ in number.
    """
    root = Root(settings.root.resolve())
    observed = published(root.path, "observations", "ingest")
    photometry = published(root.path, "photometry", "photometry")
    digest = digest_of(observed.digest, photometry.digest, settings.sample)
    sweep(root.path / "tables")
    n_shards = open_manifest(root.path / "manifest.parquet").n_shards
    job = SelectionJob(root, digest, settings.sample)
    ledger = root.ledger("sample", digest)
    pending = ledger.pending(n_shards)
    with track("select", n_shards, n_shards - len(pending), "shards") as advance:
        for shard in _select(client, pending, job, settings.cluster.retries):
            if ledger.read(shard) is None:  # every file of it was refused
                write_empty(shard, job)
            advance()
    counts = ledger.total(n_shards)
    expected = observed.counts["rows"] - observed.counts["superseded"] - observed.counts["refused"]
    if counts["spectra"] != expected:
        raise SelectionError(
            f"{expected} counted observations but {counts['spectra']} went through the cuts; "
            f"delete {ledger.folder} and run again"
        )
    _write_cut_flow(settings, root, digest, beside_paper=is_the_papers(counts, settings))
    publish(root.path, "sample", digest, counts)
    flow = pq.read_table(root.table(CUT_FLOW), partitioning=None)
    return StageReport(
        "select",
        {
            "spectra": counts["spectra"],
            "application sample": counts["sample"],
            "training sample": counts["training"],
        },
        (_paper_note(counts, settings),),
        (root.table(SAMPLE), root.table(CUTS), root.table(CUT_FLOW)),
        cut_flow_lines(flow),
    )


def is_the_papers(counts: dict[str, int], settings: Settings) -> bool:
    """Tell whether the input is the paper's: every counted file says DR10, and it is no simulation.

    Parameters
    ----------
    counts : dict
        Of the published sample: ``spectra`` and ``paper_release``.
    settings : Settings
        ``inputs.truth``, which only a simulated survey has.
    """
    everything = counts["spectra"] > 0 and counts["paper_release"] == counts["spectra"]
    return everything and settings.inputs.truth is None


def _paper_note(counts: dict[str, int], settings: Settings) -> str:
    if is_the_papers(counts, settings):
        return f"every spectrum is of {PAPER_RELEASE}: the paper's counts stand beside"
    if settings.inputs.truth is not None:
        return "the survey is a simulated one: the paper's counts are left out"
    return (
        f"{counts['paper_release']:,} of {counts['spectra']:,} spectra are of {PAPER_RELEASE}: it "
        "is not the paper's input, whose counts are left out"
    )


def _write_cut_flow(settings: Settings, root: Root, digest: str, *, beside_paper: bool) -> None:
    ledger = root.ledger("cut_flow", digest_of(digest, beside_paper))
    if ledger.read(0) is None:
        cuts = make_cuts(settings.sample)
        flow = read_cut_flow(root.table(CUTS), cuts, beside_paper=beside_paper)
        write_parquet(root.table(CUT_FLOW), flow)
        ledger.write(0, {"cuts": len(cuts)})


def _select(client: "Client", pending: list[int], job: SelectionJob, retries: int) -> Iterator[int]:
    import dask.dataframe as dd
    from distributed import as_completed

    if not pending:
        return
    candidates = dd.from_map(read_candidates, pending, root=job.root)
    reports = candidates.map_partitions(select_partition, job, meta=REPORT)
    futures = client.compute(reports.to_delayed(), retries=retries)
    shards = dict(zip(futures, pending, strict=True))
    for future in as_completed(futures):
        future.result()
        yield shards[future]
