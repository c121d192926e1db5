import os
import signal
import threading
import time
from functools import partial

import pyarrow.dataset as ds
import pytest

from cluster.connect import connect
from cluster.settings import ClusterSettings
from pipeline.core.records import read_records, records_path
from pipeline.settings.load import load_settings
from pipeline.stages import run_stage
from schemas.catalogue import PREDICTIONS

infer = partial(run_stage, "infer")
ingest = partial(run_stage, "ingest")


N_FILES, SHARD_ROWS = 96, 4
WORKERS = ClusterSettings(kind="local", workers=2, memory_limit="0")


@pytest.fixture
def ingested(tmp_path, client, write_spectrum, save_untrained):
    for i in range(N_FILES):
        write_spectrum(tmp_path / "survey" / f"{i:03d}.fits", obsid=i, seed=i)
    settings = load_settings(
        None,
        [f"ingest.shard_rows={SHARD_ROWS}", f"ingest.chunk_rows={SHARD_ROWS // 2}",
         "infer.scope=all"],
        root=tmp_path / "run",
        inputs={"spectra": tmp_path / "survey"},
    )  # fmt: skip
    ingest(settings, client)
    save_untrained(settings.root / "model")
    return settings


def done(settings):
    return len(read_records(records_path(settings.root, "infer")).records)


def kill_a_worker(client, pids, settings, killed):
    """Kill the first worker that is at work once a shard is done, before all of them are."""
    while not killed:
        if done(settings):
            busy = [address for address, keys in client.processing().items() if keys]
            for address in busy[:1]:
                os.kill(pids[address], signal.SIGKILL)
                killed.append((address, done(settings)))
        time.sleep(0.005)


@pytest.mark.slow
def test_a_killed_worker_costs_nothing(ingested, digest_tree):
    killed = []
    with connect(WORKERS) as local:
        pids = local.run(os.getpid)
        killer = threading.Thread(
            target=kill_a_worker, args=(local, pids, ingested, killed), daemon=True
        )
        killer.start()
        report = infer(ingested, local)
        killer.join(timeout=10)
    address, shards_done = killed[0]
    assert address in pids
    assert 0 < shards_done < N_FILES // SHARD_ROWS
    assert report.counts["spectra"] == N_FILES
    folder = ingested.root / PREDICTIONS.location
    rows = ds.dataset(folder, format="parquet").to_table()["row"].to_pylist()
    assert sorted(rows) == list(range(N_FILES))
    disturbed = digest_tree(folder)
    assert len(disturbed) == N_FILES // SHARD_ROWS

    for path in [*folder.iterdir(), records_path(ingested.root, "infer")]:
        path.unlink()
    with connect(WORKERS) as local:
        infer(ingested, local)
    assert digest_tree(folder) == disturbed
