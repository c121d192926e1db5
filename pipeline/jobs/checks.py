"""What can be known to go wrong with stages in the queue before anything is submitted."""

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path

from cluster.chain import queue_of, waits
from cluster.directives import parted
from cluster.settings import QUEUES, ClusterSettings
from pipeline.core.errors import InputError
from pipeline.core.pace import FOLDER, read_paces
from pipeline.core.published import read_published
from pipeline.core.stage import Stage
from pipeline.settings.load import Settings
from pipeline.stages import STAGES, makers

ALL = "all"
CHAINED = (*QUEUES, "allocation")
"""Kinds that take the job of a driver."""


def stages_named(names: Iterable[str]) -> list[Stage]:
    """Return stages in the order of the data.

    Parameters
    ----------
    names : iterable of str
        Names of stages; ``all`` stands for all but `simulate`.

    Raises
    ------
    InputError
        There is no such stage; the message names the nearest.
    """
    known = [stage.name for stage in STAGES]
    wanted = set(names)
    for name in sorted(wanted - {ALL}):
        if name not in known:
            (nearest,) = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise InputError(f"there is no stage {name!r}; did you mean {nearest!r}?")
    chosen = [s for s in STAGES if s.name in wanted or (ALL in wanted and s.name != "simulate")]
    if not chosen:
        raise InputError("name the stages to submit, or 'all'")
    return chosen


def job_profile(stage: str, settings: Settings) -> ClusterSettings:
    """Return the size of a stage's job: the driver's, or in an allocation that of all together.

    Parameters
    ----------
    stage : str
        Name of the stage.
    settings : Settings
        Of the run.
    """
    profile = settings.for_stage(stage).cluster
    driver = settings.for_stage("driver").cluster
    if profile.kind == "allocation":
        return profile
    # Beside stages in allocations, those without workers' jobs have a driver's job alone.
    return driver.model_copy(update={"kind": "slurm"}) if driver.kind == "allocation" else driver


def check(stages: Iterable[Stage], settings: Settings, queued: Iterable[str] = ()) -> None:
    """Refuse what would fail in the queue, all of it in one message.

    Parameters
    ----------
    stages : iterable of Stage
        In the order of the data.
    settings : Settings
        Of the run.
    queued : iterable of str
        Stages that are in the queue already.

    Raises
    ------
    InputError
        Says which settings to change.
    """
    problems = list(_problems(list(stages), settings, set(queued)))
    if problems:
        raise InputError("nothing was submitted: " + "; ".join(dict.fromkeys(problems)))


def check_walltime(stage: str, settings: Settings) -> None:
    """Refuse jobs of workers that end before one task does, as far as tasks were measured.

    Parameters
    ----------
    stage : str
        Name of the stage.
    settings : Settings
        Of the run, with any profile.

    Raises
    ------
    InputError
        Says which setting to change.
    """
    profile = settings.for_stage(stage).cluster
    problems = list(_walltime(stage, profile, settings.root)) if profile.kind in QUEUES else []
    if problems:
        raise InputError("nothing was submitted: " + "; ".join(problems))


def _problems(stages: list[Stage], settings: Settings, queued: set[str]) -> Iterator[str]:
    yield from _folders("driver", settings.for_stage("driver").cluster)
    yield from _chain(stages, settings, queued)
    made = {stage.makes for stage in STAGES if stage.name in queued}
    for stage in stages:
        profile = settings.for_stage(stage.name).cluster
        if profile.kind == "allocation" and not profile.workers:
            yield f"cluster.{stage.name}.workers = 0: say how many tasks of the job are workers"
        driver = job_profile(stage.name, settings)
        # Only SLURM's directives are known to keep a path together when it is quoted.
        if driver.kind != "slurm":
            yield from _spaces("driver", driver, settings.root)
        if profile.kind in (*QUEUES, "allocation"):
            yield from _spaces(stage.name, profile, settings.root)
            yield from _folders(stage.name, profile)
            yield from _scratch(stage.name, profile.scratch)
            yield from _walltime(stage.name, profile, settings.root)
        for name in stage.needs:
            if name not in made and read_published(settings.root, name) is None:
                yield f"{stage.name} needs {name}: submit {makers()[name]!r} with it"
        made.add(stage.makes)


def _chain(stages: list[Stage], settings: Settings, queued: set[str]) -> Iterator[str]:
    """Look at the queues of the jobs of the drivers."""
    kinds = {queue_of(job_profile(stage.name, settings).kind) for stage in stages}
    for kind in sorted(kinds.difference(QUEUES)):
        yield (
            f"cluster.driver.kind = {kind!r} is no queue: set it to one of {', '.join(QUEUES)}, or "
            "run the stages here"
        )
    if kinds.difference(QUEUES):
        return
    if len(kinds) > 1:
        yield (
            f"no job of one queue waits for one of another ({', '.join(sorted(kinds))}): submit "
            "their stages apart, or change cluster.driver.kind"
        )
    elif len(stages) + len(queued) > 1 and not all(map(waits, kinds)):
        yield (
            f"{kinds.pop()} lets no job wait for another: submit one stage, and the next one when "
            "`pairspec status` shows it as complete"
        )


def _folders(name: str, profile: ClusterSettings) -> Iterator[str]:
    for setting in ("log_folder", "shared_folder"):
        folder = getattr(profile, setting)
        if folder is not None and not folder.is_dir():
            yield f"there is no folder {folder}: make it, or change cluster.{name}.{setting}"


def _spaces(name: str, profile: ClusterSettings, root: Path) -> Iterator[str]:
    logs = profile.log_folder or root / "logs" / "jobs"
    whose = f"{name}.log_folder" if profile.log_folder else "log_folder"
    folders = {whose: logs, f"{name}.shared_folder": profile.shared_folder}
    for setting, folder in folders.items():
        if folder and (problem := parted(folder.resolve(), setting)):
            yield problem


def _scratch(name: str, scratch: str) -> Iterator[str]:
    folder = Path(scratch)
    if "$" in scratch:
        return
    if not folder.is_absolute():
        yield f"cluster.{name}.scratch = {scratch!r} has to be an absolute path on the nodes"
    elif not (folder.is_dir() or folder.parent.is_dir()):
        yield (
            f"there is no folder {folder}: change cluster.{name}.scratch; if only the nodes have "
            f"it, write '${{SCRATCH:-{folder}}}', which is looked at there"
        )


def _walltime(name: str, profile: ClusterSettings, root: Path) -> Iterator[str]:
    times = {p.step: p.unit_s for p in read_paces(root) if p.stage == name and p.unit_s}
    usable = profile.walltime_s - profile.margin
    for step, seconds in times.items():
        if seconds and seconds > usable:
            yield (
                f"cluster.{name}.walltime = {profile.walltime!r} leaves {usable} s before its "
                f"margin, but one task of {step} took {seconds:.0f} s "
                f"({root / FOLDER / step}.json): raise it"
            )
