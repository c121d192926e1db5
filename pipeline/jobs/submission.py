"""What is remembered of a stage in the queue: one small file each below ``ROOT/jobs``."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.core.atomic import write_json


@dataclass(frozen=True)
class Submission:
    """A stage that was given to the queue.

    Parameters
    ----------
    stage : str
        Name of the stage.
    kind : str
        Kind of the queue.
    job : str
        Number of the driver's job.
    after : str or None
        Number of the job that has to end well before.
    submitted_unix : float
        When.
    log : str
        File that takes the driver's output.
    """

    stage: str
    kind: str
    job: str
    after: str | None
    submitted_unix: float
    log: str


def jobs_folder(root: Path) -> Path:
    """Return where everything about jobs lies."""
    return root / "jobs"


def remember(root: Path, submission: Submission) -> None:
    """Write the record of a submission; it replaces the one before of the same stage.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    submission : Submission
        What was submitted.
    """
    write_json(jobs_folder(root) / f"{submission.stage}.json", asdict(submission))


def forget(root: Path, stage: str) -> None:
    """Delete the record of a stage."""
    (jobs_folder(root) / f"{stage}.json").unlink(missing_ok=True)


def submissions(root: Path) -> dict[str, Submission]:
    """Return what was submitted last of each stage.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.

    Returns
    -------
    dict of str to Submission
        By name of the stage, the first job first.
    """
    found = []
    for path in jobs_folder(root).glob("*.json"):
        try:
            found.append(Submission(**json.loads(path.read_bytes())))
        except (OSError, ValueError, TypeError):
            continue  # Just replaced, or not ours.
    return {each.stage: each for each in sorted(found, key=lambda each: each.submitted_unix)}


def exit_code(root: Path, submission: Submission) -> int | None:
    """Return the exit code that the driver's job left, None where it left none.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    submission : Submission
        Whose job.
    """
    try:
        text = (jobs_folder(root) / f"{submission.stage}.ended").read_text()
    except FileNotFoundError:
        return None
    job, _, code = text.strip().partition(" ")
    return int(code) if job == submission.job and code.isdigit() else None


def has_begun(root: Path, submission: Submission) -> bool:
    """Tell whether the driver's job has begun.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    submission : Submission
        Whose job.
    """
    try:
        begun = (jobs_folder(root) / f"{submission.stage}.begun").stat().st_mtime
    except FileNotFoundError:
        return False
    return begun >= submission.submitted_unix
