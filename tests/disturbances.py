"""What may happen to batch jobs in the middle of a stage, done to those of a private SLURM."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.slurm import Slurm, until


@contextmanager
def standing_still(slurm: Slurm, driver: subprocess.Popen[str]) -> Iterator[str]:
    """Workers stand still until another job is wanted, so that the work does not end before.

    The driver is stopped first: with it no task follows those that are in the window.
    """
    driver.send_signal(signal.SIGSTOP)
    until(lambda: slurm.jobs("RUNNING"), 60, "a job runs")
    jobs = slurm.jobs()
    slurm.signal(jobs, signal.SIGSTOP)
    driver.send_signal(signal.SIGCONT)
    try:
        yield slurm.jobs("RUNNING")[0]
        until(lambda: set(slurm.jobs()) - set(jobs), 100, "another job is wanted")
    finally:
        slurm.signal(jobs, signal.SIGCONT)


def job_cancelled(slurm: Slurm, job: str, _: Path) -> None:
    slurm.run("scancel", job)


def job_killed(slurm: Slurm, job: str, _: Path) -> None:
    slurm.run("scancel", "--signal=KILL", "--full", job)


def job_out_of_memory(_: Slurm, __: str, flag: Path) -> None:
    """A process of one job, started by the prologue, fills the job's memory."""
    flag.touch()
    until(lambda: not flag.exists(), 60, "the glutton starts")


def job_out_of_time(slurm: Slurm, job: str, _: Path) -> None:
    slurm.run("scontrol", "update", f"JobId={job}", "EndTime=now")
    until(lambda: job not in slurm.jobs(), 100, "the job is ended")


def node_down(slurm: Slurm, job: str, _: Path) -> None:
    node = slurm.node_of(job)
    slurm.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    until(lambda: job not in slurm.jobs(), 60, "the job is ended")
    until(lambda: _is_up(slurm, node), 60, "the node is back")


def _is_up(slurm: Slurm, node: str) -> bool:
    if "down" not in slurm.run("sinfo", "--noheader", "--nodes", node, "--format=%t"):
        return True
    # A node that has come back by itself since then is not one to resume.
    with suppress(RuntimeError):
        slurm.run("scontrol", "update", f"NodeName={node}", "State=RESUME")
    return False


def controller_stopped(slurm: Slurm, job: str, _: Path) -> None:
    """A job is lost just before, so that another is wanted while the queue does not answer."""
    slurm.run("scancel", job)
    until(lambda: job not in slurm.jobs("RUNNING"), 60, "the job is ended")
    slurm.stop_controller()
    time.sleep(20)
    slurm.start_controller()


def glutton(flag: Path, python: str) -> str:
    """Script of a process that waits for a file, and then takes 2 GB of memory."""
    return (
        f"while [ ! -e {flag} ]; do sleep 0.2; done; rm {flag} || exit\n"
        f"exec {python} -c 'x = b\"x\" * 2_000_000_000; import time; time.sleep(60)'\n"
    )
