"""What is done of a run: one line per stage, from the published records and the ledger."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.core.published import Published, read_published, replaced_source
from pipeline.core.stage import Stage
from pipeline.settings.load import Settings
from pipeline.stages import STAGES, written_folder

_SHOWN = 3


def status_lines(settings: Settings) -> Iterator[str]:
    """Return the state of every stage as lines of text.

    Parameters
    ----------
    settings : Settings
        Of the run.
    """
    yield f"{'stage':<12}{'state':<12}{'makes':<14}holds"
    for stage in STAGES:
        folder = written_folder(stage, settings)
        published = read_published(folder, stage.makes)
        state = _state(stage, folder, published)
        counts = list(published.counts.items())[:_SHOWN] if published else []
        holds = ", ".join(f"{value:,} {name}" for name, value in counts)
        yield f"{stage.name:<12}{state:<12}{stage.makes:<14}{holds}".rstrip()


def _state(stage: Stage, folder: Path, published: Published | None) -> str:
    if published is not None:
        return "outdated" if replaced_source(folder, stage.makes, published) else "complete"
    return "begun" if any((folder / "ledger" / stage.name).glob("*.json")) else "-"
