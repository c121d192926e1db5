"""CUDA workers without a GPU: where they are and what they see, by a test double of NVML.

``fake_nvml.c`` answers for two GPUs that are not there. That shows placement, the device of each
worker, options and errors; it shows nothing of CUDA itself, NCCL, device memory or speed.
"""

import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
PLACES = """
import json, os, sys
from pathlib import Path
from cluster.connect import connect
from cluster.settings import ClusterSettings

def place():
    names = "CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", "SLURMD_NODENAME"
    return [os.environ.get(name) for name in names] + [sorted(os.sched_getaffinity(0))]

if __name__ == "__main__":
    settings = ClusterSettings(**json.loads(sys.argv[1]))
    with connect(settings, Path(sys.argv[2])) as client:
        client.wait_for_workers(2, timeout=90)
        print("places", json.dumps(sorted(client.run(place).values())))
"""


@pytest.fixture(scope="module", name="nvml")
def folder_of_the_double(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).with_name("fake_nvml.c")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return folder


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=150,
    )


def places(folder: Path, values: dict[str, object], **environment: str):
    script = folder / "places.py"
    script.write_text(PLACES)
    path = f"{REPOSITORY}:{os.environ.get('PYTHONPATH', '')}"
    done = run(
        [str(script), json.dumps(values), str(folder / "logs")], PYTHONPATH=path, **environment
    )
    (line,) = [x for x in done.stdout.splitlines() if x.startswith("places ")] or [done.stderr]
    return json.loads(line.removeprefix("places "))


@pytest.mark.timeout(180)
def test_one_worker_for_each_gpu_of_this_machine(nvml, tmp_path):
    found = places(tmp_path, {"kind": "cuda", "memory_limit": "1GiB"}, LD_LIBRARY_PATH=str(nvml))
    # Each has its own device first, and the core that is near it.
    assert [devices for devices, *_ in found] == ["0,1", "1,0"]
    assert [affinity for *_, affinity in found] == [[0], [1]]


@pytest.mark.parametrize(
    ("values", "environment", "message"),
    [
        ({}, {}, "no NVIDIA driver answers on this machine.*nvidia-smi"),
        ({}, {"LD_LIBRARY_PATH": "nvml", "FAKE_NVML_COUNT": "0"}, "has no NVIDIA GPU"),
        ({"workers": 3}, {"LD_LIBRARY_PATH": "nvml"}, "2 GPUs are too few for cluster.workers = 3"),
        ({"ucx": True}, {"LD_LIBRARY_PATH": "nvml"}, "cluster.ucx needs distributed_ucxx: pip"),
        ({"rmm_pool_size": "1GB"}, {"LD_LIBRARY_PATH": "nvml"}, "rmm_pool_size needs rmm: pip"),
    ],
)
def test_what_is_missing_is_one_clear_error(nvml, tmp_path, values, environment, message):
    given = {k: str(nvml) if v == "nvml" else v for k, v in environment.items()}
    options = [f"cluster.{key}={json.dumps(value)}" for key, value in values.items()]
    command = ["-m", "pipeline", "train", "--root", str(tmp_path)]
    command += ["--set", "cluster.kind='cuda'", "--set", "training.source='simulated'"]
    for option in options:
        command += ["--set", option]
    done = run(command, **given)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("pairspec: ")
    assert re.search(message, last), done.stderr


@pytest.mark.timeout(180)
def test_training_gets_to_where_cuda_itself_is_missing(nvml, tmp_path):
    command = ["-m", "pipeline", "train", "--root", str(tmp_path)]
    for option in (
        "cluster.kind='cuda'", "cluster.memory_limit='2GiB'", "training.source='simulated'",
        "training.n_examples=64", "training.device='cuda'", "training.ranks=1",
    ):  # fmt: skip
        command += ["--set", option]
    done = run(command, LD_LIBRARY_PATH=str(nvml), FAKE_NVML_COUNT="1")
    assert done.returncode == 1
    assert "torch sees no GPU" in done.stderr.splitlines()[-1]


@pytest.mark.slurm
@pytest.mark.timeout(240)
def test_jobs_of_one_gpu_each(nvml, tmp_path):
    """Two nodes of two GPUs: each worker has the device that SLURM gave to its job."""
    from tests.slurm import Slurm

    values = {
        "kind": "slurm", "jobs": 2, "gpus": 1, "cores": 1, "memory": "1GB", "interface": "lo",
        "walltime": "00:30:00",
    }  # fmt: skip
    with closing(Slurm(gpus=2)) as slurm:
        found = places(tmp_path, values, **slurm.environment, LD_LIBRARY_PATH=str(nvml))
    assert len({job for _, job, *_ in found}) == 2
    for node in {node for _, _, node, _ in found}:
        devices = [device for device, _, where, _ in found if where == node]
        assert sorted(devices) == [str(i) for i in range(len(devices))]
