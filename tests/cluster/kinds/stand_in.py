"""Stands in for the commands of batch systems that cannot be installed here.

Each job is run at once, in a session of its own on this machine, by the shell that the real system
would take. It shows that the script of a job runs, that its number is understood, and that it is
cancelled; it shows nothing of how a real queue places jobs.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

SAYS = {
    "pbs": "{}.server",
    "moab": "\nMoab.{}",
    "lsf": "Job <{}> is submitted to default queue <normal>.",
    "sge": 'Your job {} ("pairspec") has been submitted',
    "oar": "[ADMISSION RULE] Modify resource description\nOAR_JOB_ID={}",
    "htcondor": "Submitting job(s).\n1 job(s) submitted to cluster {}.",
}


def condor_shell(text: str) -> list[str]:
    """Read a submit file as HTCondor does: doubled quotes, and single ones around an argument."""
    (arguments,) = re.findall(r'^Arguments = "(.*)"$', text, re.MULTILINE)
    (executable,) = re.findall(r"^Executable = (.*)$", text, re.MULTILINE)
    flag, _, rest = arguments.partition(" ")
    return [executable, flag, rest[1:-1].replace("''", "'").replace('""', '"')]


def submit(kind: str, arguments: list[str]) -> None:
    text = sys.stdin.read() if kind == "lsf" else Path(arguments[-1]).read_text()
    if "nowhere" in text:
        sys.exit("qsub: Unknown queue MSG=requested queue not found")
    shell = condor_shell(text) if kind == "htcondor" else ["bash", "-c", text]
    job = subprocess.Popen(
        shell,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    print(SAYS[kind].format(job.pid))


def cancel(number: str) -> None:
    (group,) = re.findall(r"\d+", number)
    os.killpg(int(group), signal.SIGKILL)


if __name__ == "__main__":
    _, kind, verb, *rest = sys.argv
    if verb == "submit":
        submit(kind, rest)
    else:
        cancel(rest[-1])
