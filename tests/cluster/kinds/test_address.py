import os
from pathlib import Path

import pytest
from distributed import LocalCluster

from cluster.connect import _CONFIG, connect
from cluster.engine import ClusterError
from cluster.jobs.keys import CERTIFICATE, KEY, make_keys, security_of
from cluster.settings import ClusterSettings


@pytest.fixture(name="keys")
def keys_of_somebody(tmp_path) -> Path:
    return make_keys(tmp_path)


def settings_of(address: str, keys: Path, **values) -> ClusterSettings:
    files = {
        "tls_ca_file": keys / CERTIFICATE,
        "tls_cert_file": keys / CERTIFICATE,
        "tls_key_file": keys / KEY,
    }
    return ClusterSettings(kind="address", address=address, **files | values)


def test_a_scheduler_that_runs_already_is_joined_and_left_running(keys):
    with LocalCluster(
        n_workers=1, threads_per_worker=1, protocol="tls", security=security_of(keys),
        dashboard_address="127.0.0.1:0", scheduler_kwargs={"dashboard": False},
    ) as cluster:  # fmt: skip
        settings = settings_of(cluster.scheduler_address, keys)
        for _ in range(2):
            with connect(settings) as client:
                assert client.submit(os.getpid, pure=False).result() != os.getpid()
        # Keys of one's own do not help.
        other = keys.parent / "other"
        other.mkdir()
        with (
            pytest.raises(ClusterError, match="cannot connect to tls"),
            connect(settings_of(cluster.scheduler_address, make_keys(other))),
        ):
            pass


def test_a_scheduler_that_is_not_there(keys, monkeypatch):
    monkeypatch.setitem(_CONFIG, "distributed.comm.timeouts.connect", "2s")
    with (
        pytest.raises(ClusterError, match="cannot connect to tls://127.0.0.1:1.*cluster.address"),
        connect(settings_of("tls://127.0.0.1:1", keys)),
    ):
        pass


def test_no_worker_in_time():
    notes = []
    with LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        settings = ClusterSettings(kind="address", address=address, start_timeout=1)
        with (
            pytest.raises(ClusterError, match="no worker after 1 s"),
            connect(settings, notify=notes.append),
        ):
            pass
    assert notes == [f"{address} is not encrypted: whoever reaches it may run code as its user"]


def test_keys_that_are_missing(keys):
    with (
        pytest.raises(ClusterError, match="no file .*gone.pem: mend cluster.tls_key_file"),
        connect(settings_of("tls://a:1", keys, tls_key_file=keys / "gone.pem")),
    ):
        pass
    with (
        pytest.raises(ClusterError, match="tls://a:1 needs keys: set cluster.tls_ca_file"),
        connect(ClusterSettings(kind="address", address="tls://a:1")),
    ):
        pass
