"""``pairspec infer``: every counted spectrum gets its binary probability."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.digest import digest_of
from pipeline.inference.partition import (
    REPORT,
    InferenceJob,
    predict_partition,
    read_observations,
    write_predictions,
)
from pipeline.ingest.manifest import open_manifest
from pipeline.network.checkpoint import read_card
from pipeline.progress import track
from pipeline.published import publish, published
from pipeline.root import Root
from pipeline.settings import Settings
from pipeline.stage import StageReport
from schemas.catalogue import PREDICTIONS

if TYPE_CHECKING:
    from distributed import Client


class InferenceError(ValueError):
    """Spectra were lost on the way."""


def run(settings: Settings, client: "Client") -> StageReport:
    """Run the network over all counted spectra, one partition a shard.

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
    InferenceError
        Counted observations and predictions differ in number.
    """
    root = Root(settings.root.resolve())
    observed = published(root.path, "observations", "ingest")
    card = read_card(root.model)
    digest = digest_of(observed.digest, card.sha256, settings.infer)
    n_shards = open_manifest(root.path / "manifest.parquet").n_shards
    job = InferenceJob(
        root,
        digest,
        root.model,
        card.sha256,
        settings.infer,
        card.spectra,
        settings.ingest.chunk_rows,
    )
    ledger = root.ledger("predictions", digest)
    pending = ledger.pending(n_shards)
    with track("infer", n_shards, n_shards - len(pending), "shards") as advance:
        for shard in _predict(client, pending, job, settings.cluster.retries):
            if ledger.read(shard) is None:  # every file of it was refused
                write_predictions(shard, PREDICTIONS.schema.empty_table(), job)
            advance()
    counts = ledger.total(n_shards)
    expected = observed.counts["rows"] - observed.counts["superseded"] - observed.counts["refused"]
    if counts["spectra"] != expected:
        raise InferenceError(
            f"{expected} counted observations but {counts['spectra']} predictions; "
            f"delete {ledger.folder} and run again"
        )
    publish(root.path, "predictions", digest, counts)
    return StageReport(
        "infer",
        {"spectra": counts["spectra"], "without p_b": counts["without_p_b"]},
        (f"model {card.model_id}",),
        (root.table(PREDICTIONS),),
    )


def _predict(
    client: "Client", pending: list[int], job: InferenceJob, retries: int
) -> Iterator[int]:
    import dask.dataframe as dd
    from distributed import as_completed

    if not pending:
        return
    observations = dd.from_map(read_observations, pending, root=job.root)
    reports = observations.map_partitions(predict_partition, job, meta=REPORT)
    futures = client.compute(reports.to_delayed(), retries=retries)
    shards = dict(zip(futures, pending, strict=True))
    for future in as_completed(futures):
        future.result()
        yield shards[future]
