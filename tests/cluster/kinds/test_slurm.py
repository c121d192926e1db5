"""Jobs on a real SLURM: life cycle, refusals, keys."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from distributed import Client
from distributed.security import Security

from cluster.connect import connect
from cluster.engine import ClusterError
from cluster.settings import ClusterSettings
from cluster.workers import present
from tests.slurm import listening, until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(240)]

REPOSITORY = Path(__file__).resolve().parents[3]


def settings_of(**values) -> ClusterSettings:
    given = {
        "kind": "slurm", "cores": 1, "memory": "1GB", "interface": "lo", "walltime": "00:20:00",
        "margin": 60,
    }  # fmt: skip
    return ClusterSettings(**given | values)


def where() -> tuple[str, str, str]:
    return os.environ["SLURM_JOB_ID"], os.environ["OMP_NUM_THREADS"], str(os.getpid())


def test_workers_of_two_jobs_with_two_processes_each(slurm, tmp_path):
    logs = tmp_path / "logs"
    notes = []
    settings = settings_of(jobs=2, cores=2, dashboard_address=":0", scratch=str(tmp_path / "fast"))
    before = signal.getsignal(signal.SIGINT)
    with connect(settings, logs, notes.append) as client:
        client.wait_for_workers(4, timeout=100)
        places = client.run(where)
        assert sorted(job for job, _, _ in places.values()) == sorted(2 * slurm.jobs())
        assert {threads for _, threads, _ in places.values()} == {"1"}
        assert all(w["nthreads"] == 1 for w in present(client).values())
        assert all(w["memory_limit"] == 450_000_000 for w in present(client).values())
        assert all(str(tmp_path / "fast") in w["local_directory"] for w in present(client).values())

        (keys,) = logs.glob(".keys-*")
        assert stat.S_IMODE(keys.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}
        assert len(list(keys.iterdir())) == 2

        # Nobody else comes in: no keys, keys of one's own.
        address = client.scheduler.address
        assert address.startswith("tls://")
        for other, security in (
            (address.replace("tls:", "tcp:"), None),
            (address, Security.temporary()),
        ):
            with pytest.raises(OSError):
                Client(other, security=security, timeout=2)
        assert len(notes) == 1 and notes[0].startswith("dashboard at http://127.0.0.1:")
        with urlopen(client.dashboard_link, timeout=20) as page:
            assert page.status == 200
        pids = {str(os.getpid())} | {pid for _, _, pid in places.values()}
        ours = {port for pid, some in listening().items() if pid in pids for port in some}
        assert len(ours) > 5
        assert {port.rpartition(":")[0] for port in ours} == {"127.0.0.1"}
    until(slurm.is_empty, 15, "the jobs leave the queue")
    assert not list(logs.glob(".keys-*"))
    assert signal.getsignal(signal.SIGINT) is before


def test_without_an_interface_all_that_is_open_to_others_is_encrypted(slurm, tmp_path):
    """Every port beyond loopback answers a connection without keys by closing it."""
    import socket
    import ssl

    with connect(settings_of(interface=None), tmp_path) as client:
        pids = {str(os.getpid())} | {pid for _, _, pid in client.run(where).values()}
        pids |= {str(pid) for pid in client.run(os.getppid).values()}
        ours = {port for pid, some in listening().items() if pid in pids for port in some}
        outside = {w for w in ours if not w.startswith("127.0.0.1")}
        assert len(outside) >= 3  # scheduler, nanny, worker
        unproven = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unproven.check_hostname, unproven.verify_mode = False, ssl.CERT_NONE
        for place in outside:
            host, _, port = place.rpartition(":")
            with (
                socket.create_connection((host.strip("[]"), int(port)), timeout=10) as raw,
                pytest.raises((ssl.SSLError, ConnectionError)),
                unproven.wrap_socket(raw) as wrapped,
            ):
                # TLS 1.3: the missing certificate is told with the first answer.
                wrapped.sendall(b"x" * 100)
                if not wrapped.recv(1):
                    raise ConnectionError("closed")


REFUSALS = {
    "partition": ({"partition": "nowhere"}, "Invalid partition name.*change cluster.partition"),
    "account": ({"partition": "closed"}, "account not known.*change cluster.account"),
    "memory of every node": ({"memory": "90GB"}, "Memory specification.*change cluster.memory"),
    "memory of the partition": (
        {"partition": "small", "memory": "2GB", "walltime": "00:08:00"},
        "MaxMemPerLimit.*change cluster.memory",
    ),
    "time of the partition": (
        {"partition": "small", "walltime": "02:00:00"},
        "PartitionTimeLimit.*change cluster.walltime",
    ),
    "cores": ({"cores": 64}, "PartitionConfig.*change cluster.cores"),
    "gpus": ({"gpus": 1}, "gres.*change cluster.gpus"),
    "feature": ({"directives": ("--constraint=x",)}, "feature.*change cluster.directives"),
    "scratch": ({"scratch": "/proc/no"}, "cannot write .* /proc/no; change cluster.scratch .log"),
    "environment": (
        {"prologue": ("export PYTHONHOME=/nowhere",)}, "ModuleNotFoundError.*cluster.prologue",
    ),
    "interface": ({"interface": "ib9"}, "'ib9' is not a valid.*change cluster.interface"),
    "keys": ({"shared_folder": Path("/dev/shm/pairspec")}, "change cluster.shared_folder"),
    "log folder": ({"log_folder": Path("/proc/no")}, "cannot make.*change cluster.log_folder"),
    "spaces": ({"log_folder": Path("/tmp/a b")}, "spaces: change cluster.log_folder"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_one_error_within_ten_seconds(name, slurm, tmp_path):
    values, message = REFUSALS[name]
    begin = time.monotonic()
    with (
        pytest.raises(ClusterError, match=f"(?s){message}") as caught,
        connect(settings_of(jobs=2, **values), tmp_path),
    ):
        pass
    assert time.monotonic() - begin < 10
    assert "\n" not in str(caught.value)
    until(slurm.is_empty, 15, "nothing stays in the queue")
    assert not list(tmp_path.glob(".keys-*"))


def test_keys_that_a_node_does_not_see_are_a_refusal(slurm, tmp_path):
    """The folder is hidden from the job as a node without that file system would not have it."""
    hide = f"mv {tmp_path}/keys {tmp_path}/hidden"
    with (
        pytest.raises(ClusterError, match="cluster.shared_folder must be on a file system"),
        connect(settings_of(shared_folder=tmp_path / "keys", prologue=(hide,)), tmp_path),
    ):
        pass


def test_without_sbatch_nothing_is_tried(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match="no sbatch on the path"), connect(settings_of()):
        pass


def test_no_worker_in_time_is_an_error(slurm, tmp_path):
    settings = settings_of(start_timeout=2, prologue=("sleep 30",))
    with pytest.raises(ClusterError, match="no worker after 2 s"), connect(settings, tmp_path):
        pass
    until(slurm.is_empty, 15, "the job leaves the queue")


DRIVER = """
import sys, time
from pathlib import Path
from cluster.connect import connect
from cluster.settings import ClusterSettings
settings = ClusterSettings(kind="slurm", jobs=3, memory="1GB", cores=2, interface="lo")
with connect(settings, Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_jobs_and_keys_go_when_the_driver_is_killed(number, slurm, tmp_path):
    """Also the job that still waits: two nodes of two cores have no place for the third."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)], stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    assert process.stdout.readline() == b"up\n"
    until(lambda: len(slurm.jobs()) == 3, 20, "all jobs are in the queue")
    assert len(slurm.jobs("PENDING")) == 1
    process.send_signal(number)
    process.wait(timeout=20)
    process.stdout.close()
    until(slurm.is_empty, 15, "the jobs leave the queue")
    until(lambda: not list(tmp_path.glob(".keys-*")), 5, "the keys are removed")


def test_values_of_dask_s_own_configuration_are_reported_and_not_used(slurm, tmp_path):
    import dask

    notes = []
    theirs = {"jobqueue.slurm.queue": "nowhere", "jobqueue.slurm.job-extra-directives": ["--x"]}
    with dask.config.set(theirs), connect(settings_of(), tmp_path, notes.append):
        pass
    assert len(notes) == 2
    assert "jobqueue.slurm.queue = 'nowhere' of Dask's configuration is not used" in notes[0]
