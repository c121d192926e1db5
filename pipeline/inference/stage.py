"""``pairspec infer``: every spectrum of the sample gets its binary probability."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow.dataset as ds

from pipeline.core.atomic import sweep
from pipeline.core.digest import digest_of
from pipeline.core.progress import track
from pipeline.core.published import NotReadyError, Published, publish, published, published_digest
from pipeline.core.root import Root
from pipeline.core.stage import StageReport
from pipeline.inference.rows import Selection, read_rows
from pipeline.inference.shard import (
    MODE,
    REPORT,
    InferenceJob,
    predict_partition,
    write_predictions,
)
from pipeline.network.ensemble import plan_ensemble
from pipeline.settings.load import Settings
from pipeline.store.manifest import open_manifest
from schemas.catalogue import PREDICTIONS
from schemas.sample import SAMPLE

if TYPE_CHECKING:
    from distributed import Client


class InferenceError(ValueError):
    """Spectra were lost on the way."""


def run(settings: Settings, client: "Client") -> StageReport:
    """Run the network over the sample, or all counted spectra, one partition a shard.

    Parameters
    ----------
    settings : Settings
        ``root``, ``infer``.
    client : distributed.Client
        Where to run.

    Returns
    -------
    StageReport
        Spectra with and without a probability.

    Raises
    ------
    NotReadyError
        An earlier stage has not run; without a sample the message names ``--all``.
    EnsembleError
        The networks do not take the same spectra.
    InferenceError
        Spectra wanted and predictions differ in number.
    """
    root = Root(settings.root.resolve())
    job, expected = _plan(settings, root)
    n_shards = open_manifest(root.path / "manifest.parquet").n_shards
    ledger = root.ledger("predictions", job.digest)
    pending = ledger.pending(n_shards)
    with track("infer", n_shards, n_shards - len(pending), "shards") as advance:
        for shard in _predict(client, pending, job, settings.cluster.retries):
            if ledger.read(shard) is None:  # no spectrum of it is wanted
                write_predictions(shard, PREDICTIONS.schema.empty_table(), job)
            advance()
    sweep(root.table(PREDICTIONS))  # what killed workers left half-written
    counts = ledger.total(n_shards)
    if counts["spectra"] != expected:
        raise InferenceError(
            f"{expected} spectra are wanted but there are {counts['spectra']} predictions; "
            f"delete {ledger.folder} and run again"
        )
    publish(root.path, "predictions", job.digest, counts)
    modes = [
        f"{n:,} spectra on {name.removeprefix(MODE)}"
        for name, n in counts.items()
        if name.startswith(MODE)
    ]
    return StageReport(
        "infer",
        {"spectra": counts["spectra"], "without p_b": counts["without_p_b"]},
        (f"model {job.ensemble.model_id} of {len(job.ensemble.members)} network(s)", *modes),
        (root.table(PREDICTIONS),),
    )


def _plan(settings: Settings, root: Root) -> tuple[InferenceJob, int]:
    """Say what is to be done, and for how many spectra."""
    infer = settings.infer
    observed = published(root.path, "observations", "ingest")
    expected = observed.counts["rows"] - observed.counts["superseded"] - observed.counts["refused"]
    inputs = [observed.digest]
    sample_only = infer.scope == "sample"
    if sample_only:
        inputs.append(_sample(root).digest)
        expected = ds.dataset(root.table(SAMPLE), format="parquet").count_rows()
    photometry = published_digest(root.path, "photometry")
    if photometry is not None:
        inputs.append(photometry)
    ensemble = plan_ensemble(infer.models or (root.model,))
    digest = digest_of(
        inputs,
        [member.sha256 for member in ensemble.members],
        infer.model_dump(mode="json", exclude={"models"}),
    )
    selection = Selection(root, sample_only, photometry is not None)
    job = InferenceJob(root, digest, selection, ensemble, infer, settings.ingest.chunk_rows)
    return job, expected


def _sample(root: Root) -> Published:
    try:
        return published(root.path, "sample", "select")
    except NotReadyError as error:
        raise NotReadyError(
            f"{error}; or give --all (infer.scope = 'all') to classify every counted spectrum, "
            "which needs no photometry"
        ) from None


def _predict(
    client: "Client", pending: list[int], job: InferenceJob, retries: int
) -> Iterator[int]:
    import dask.dataframe as dd
    from distributed import as_completed

    if not pending:
        return
    rows = dd.from_map(read_rows, pending, selection=job.selection)
    reports = rows.map_partitions(predict_partition, job, meta=REPORT)
    futures = client.compute(reports.to_delayed(), retries=retries)
    shards = dict(zip(futures, pending, strict=True))
    for future in as_completed(futures):
        future.result()
        yield shards[future]
