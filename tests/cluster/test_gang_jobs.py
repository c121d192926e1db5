"""A gang whose ranks are in batch jobs of their own, on a real SLURM."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from cluster.connect import connect
from cluster.gang import GangOptions, run_gang
from cluster.rank import Rank
from cluster.settings import ClusterSettings

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(240)]

OPTIONS = GangOptions(ranks=2, backend="cpu", rejoin_s=90)


def total(rank: Rank, folder: Path) -> tuple[float, str, str]:
    """Rank 1 drains its node and ends its own job the first time, in the middle of its work."""
    import torch
    import torch.distributed as dist

    first = not (folder / "lost").exists()
    dist.barrier()
    place = os.environ["SLURM_JOB_ID"], os.environ["SLURMD_NODENAME"]
    tensor = torch.zeros(1)
    for step in range(20):
        tensor = torch.full((1,), float(rank.number + 1))
        dist.all_reduce(tensor)
        if first and rank.number == 1 and step == 10:
            (folder / "lost").write_text("\n".join(place))
            drain = ["scontrol", "update", f"NodeName={place[1]}", "State=DRAIN", "Reason=test"]
            subprocess.run(drain, check=True)
            subprocess.run(["scancel", place[0]], check=True)
            time.sleep(60)
    return tensor.item(), *place


def test_a_rank_whose_job_and_node_are_lost_comes_back_elsewhere(slurm, tmp_path):
    settings = ClusterSettings(
        kind="slurm", jobs=2, memory="1500MB", interface="lo", walltime="00:30:00"
    )
    notes = []
    with connect(settings, tmp_path / "logs", notes.append) as client:
        client.wait_for_workers(2, timeout=60)
        before = slurm.jobs()
        results = run_gang(client, total, tmp_path, options=OPTIONS, notify=notes.append)
        lost_job, lost_node = (tmp_path / "lost").read_text().split()
        slurm.run("scontrol", "update", f"NodeName={lost_node}", "State=RESUME")
    assert [r[0] for r in results] == [3.0, 3.0]
    assert len({r[1] for r in results}) == 2
    assert lost_job not in {r[1] for r in results}
    (place,) = {r[1:] for r in results if r[1] not in before}
    assert place[1] != lost_node
    assert any("is gone" in note or "lost its peers" in note for note in notes)
    assert any(f"job {lost_job} has ended" in note for note in notes)
