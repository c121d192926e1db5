"""A private SLURM on loopback for the tests marked `slurm`; see scripts/slurm/start.sh."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts" / "slurm"
N_NODES = 2
UNFINISHED = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING")

PATIENCE = 4
"""Times as long on a machine that has other work."""


class Slurm:
    """The daemons, and what a test does to them.

    Attributes
    ----------
    environment
        Variables that lead the commands of SLURM to this one.
    """

    def __init__(self, gpus: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.environment = {
            "SLURM_TEST_DIR": str(self.folder),
            "SLURM_TEST_NODES": str(N_NODES),
            "SLURM_TEST_GPUS": str(gpus),
            "SLURM_TEST_PORT": str(_free_ports(1 + N_NODES)),
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
        }
        done = self._script("start.sh")
        if done.returncode != 0:
            raise RuntimeError(f"no SLURM: {done.stderr[-3000:]}")

    def close(self) -> None:
        """Stop all daemons and jobs."""
        self._script("stop.sh")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_suffix(".lock").unlink(missing_ok=True)

    def run(self, *command: str) -> str:
        """Run a command of SLURM."""
        done = subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, timeout=200
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def run_job(self, *options: str) -> None:
        """Submit a script and wait for its end; `sbatch --wait` looks seldom."""
        job = self.run("sbatch", "--parsable", *options).strip()
        until(lambda: self._state(job)["JobState"] not in UNFINISHED, 200, f"job {job} ends")
        state = self._state(job)
        if state["JobState"] != "COMPLETED":
            raise RuntimeError(f"job {job}: {state['JobState']}, {state['ExitCode']}")

    def _state(self, job: str) -> dict[str, str]:
        said = self.run("scontrol", "show", "job", "--oneliner", job)
        return dict(word.partition("=")[::2] for word in said.split())

    def jobs(self, state: str = "") -> list[str]:
        """Return the numbers of the jobs in the queue."""
        states = ("--states", state) if state else ()
        return self.run("squeue", "--noheader", "--format=%i", *states).split()

    def node_of(self, job: str) -> str:
        """Return the node of a running job."""
        return self.run("squeue", "--noheader", "--format=%N", "--jobs", job).strip()

    def signal(self, jobs: list[str], number: int) -> None:
        """Send a signal to all processes of jobs, past the controller."""
        for process in psutil.process_iter():
            try:
                if process.environ().get("SLURM_JOB_ID") in jobs:
                    process.send_signal(number)
            except psutil.Error:
                continue

    def stop_controller(self) -> None:
        """End the controller; what runs goes on."""
        pid_file = self.folder / "slurmctld.pid"
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        until(lambda: not _alive(pid), 20, "the controller ends")

    def start_controller(self) -> None:
        """Start it again, with the queue as it was."""
        self.run("slurmctld", "-f", self.environment["SLURM_CONF"])
        until(self._answers, 20, "the controller answers")

    def _answers(self) -> bool:
        try:
            return "is UP" in self.run("scontrol", "ping")
        except RuntimeError:
            return False

    def is_empty(self) -> bool:
        """Tell whether no job is in the queue."""
        return not self.jobs()

    def _script(self, name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(SCRIPTS / name)],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for a condition, or fail with what was waited for; a busy machine has more time."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)


def listening() -> dict[str, set[str]]:
    """Return who listens where: addresses by process number, from ``ss``."""
    said = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    found: dict[str, set[str]] = {}
    for line in said.splitlines():
        for pid in re.findall(r"pid=(\d+)", line):
            found.setdefault(pid, set()).add(line.split()[3])
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free_ports(n: int) -> int:
    """Return the first of some ports in a row that nobody listens on."""
    for _ in range(100):
        first = random.randrange(20000, 32000)
        try:
            for port in range(first, first + n):
                with socket.socket() as listener:
                    listener.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise RuntimeError("no free ports")
