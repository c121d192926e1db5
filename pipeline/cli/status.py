"""What is done of a run: one line per stage, from published records, ledger and queue."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.cli.console import require_folder
from pipeline.core.lock import lock_holder
from pipeline.core.pace import Pace, read_paces
from pipeline.core.published import Published, read_published, replaced_source
from pipeline.core.records import records_path
from pipeline.core.stage import Stage
from pipeline.core.words import counted
from pipeline.jobs.state import QueueState, queue_state
from pipeline.jobs.submission import submissions
from pipeline.settings.load import Settings
from pipeline.stages import STAGES, written_folder

_SHOWN = 3


def status_lines(settings: Settings) -> Iterator[str]:
    """Return the state of every stage as lines of text, and below what the queue says.

    Parameters
    ----------
    settings : Settings
        Of the run.

    Raises
    ------
    InputError
        There is neither the folder of the run nor that of a survey.
    """
    if settings.root.is_file() or not any(_folder(each, settings).is_dir() for each in STAGES):
        require_folder(settings.root)
    queue = queue_state(settings)
    yield f"{'stage':<12}{'state':<12}{'makes':<14}holds"
    for stage in STAGES:
        folder = _folder(stage, settings)
        published = read_published(folder, stage.makes)
        state = _state(stage, folder, published, queue)
        holds = _counts(published) if published else ", ".join(_paces(stage, folder, state))
        yield f"{stage.name:<12}{state:<12}{stage.makes:<14}{holds}".rstrip()
    yield from _queue_lines(settings.root, queue)


def _folder(stage: Stage, settings: Settings) -> Path:
    """Return where a stage writes; a survey that is not there may be the one of the inputs."""
    folder = written_folder(stage, settings)
    spectra = settings.inputs.spectra
    if stage.folder == "root" or read_published(folder, stage.makes) or spectra is None:
        return folder
    return spectra.parent


def _counts(published: Published) -> str:
    counts = list(published.counts.items())[:_SHOWN]
    return ", ".join(counted(value, name) for name, value in counts)


def _state(stage: Stage, folder: Path, published: Published | None, queue: QueueState) -> str:
    job = queue.stages.get(stage.name)
    if lock_holder(folder) == stage.name or (job and job.state == "running"):
        return "running"
    if job and job.state == "waiting":
        return "waiting"
    if published is not None:
        return "outdated" if replaced_source(folder, stage.makes, published) else "complete"
    if job and job.state == "failed":
        return "failed"
    return "begun" if records_path(folder, stage.name).exists() else "-"


def _paces(stage: Stage, folder: Path, state: str) -> Iterator[str]:
    """Tell how far the last step is; how fast and how long it takes, while it runs."""
    pace = next((pace for pace in read_paces(folder) if pace.stage == stage.name), None)
    if pace is None or state not in ("running", "failed", "begun", "waiting"):
        return
    step = "" if pace.step == stage.name else f"{pace.step} "
    yield f"{step}{pace.done:,}/{counted(pace.total, pace.of)}".rstrip()
    if state == "running" and pace.left_s is not None:
        yield f"{_rate(pace)}"
        yield f"about {duration(pace.left_s)} left"


def _rate(pace: Pace) -> str:
    for seconds, name in ((1, "second"), (60, "minute"), (3600, "hour")):
        if pace.rate * seconds >= 1 or name == "hour":
            return f"{pace.rate * seconds:.1f} per {name}"
    return ""


def duration(seconds: float) -> str:
    """Return a length of time in one unit."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{hours} h"


def _queue_lines(root: Path, queue: QueueState) -> Iterator[str]:
    if queue.stages:
        yield ""
        yield "in the queue:"
    for name, made in submissions(root).items():
        if name in queue.stages:
            yield f"  {name:<12}{queue.stages[name].text}; log {made.log}"
    yield from (f"  {line}" for line in queue.workers)
    if queue.trouble is not None:
        yield f"  the queue could not be asked: {queue.trouble}"
