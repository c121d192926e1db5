"""Says that what a command reads is no longer up to date."""

from pathlib import Path

import typer

from pipeline.stages import makers


def note_outdated(root: Path) -> None:
    """Name on the screen the datasets of a run that were made from what has been replaced since.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    """
    from pipeline.core.published import outdated

    old = outdated(root, makers())
    if old:
        names = ", ".join(old)
        typer.echo(f"note: outdated in {root}: {names}; see `pairspec status`", err=True)
