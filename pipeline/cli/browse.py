"""The explorer as a command: what it needs, and how it ends."""

import signal
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.core.errors import InputError
from pipeline.core.root import Root

if TYPE_CHECKING:
    from pipeline.settings.load import Settings

EXTRA = "bokeh"
"""What the extra `explore` brings."""


def serve(
    settings: "Settings", models: tuple[Path, ...], port: int, out: Path, *, show: bool
) -> None:
    """Serve the explorer of a run until it is interrupted.

    Parameters
    ----------
    settings : Settings
        Of the run.
    models : tuple of pathlib.Path
        Networks; empty: those of the settings, else those that gave p_b.
    port : int
        Port to listen on; 0: any free one.
    out : pathlib.Path
        Where exports go.
    show : bool
        Open the page in a browser.

    Raises
    ------
    InputError
        The extra is missing, there is no such folder, or the port is taken.
    NotReadyError
        The run has no catalogue.
    """
    if find_spec(EXTRA) is None:
        raise InputError(
            "`pairspec browse` needs the extra `explore`: python -m pip install "
            "--constraint constraints.txt --editable '.[explore]' in the folder of pairspec "
            f"(or only: python -m pip install {EXTRA})"
        )
    if not out.is_dir():
        raise InputError(f"--out {out} is no folder; exports are written to it")
    from pipeline.browse.server import browse
    from pipeline.network.members import predicting_networks

    # The server keeps nothing that would have to be closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    root = Root(settings.root)
    networks = predicting_networks(root, models or settings.infer.models)

    def ready(address: str) -> None:
        typer.echo(f"explorer: {address}\nCtrl-C ends it")
        if show:
            webbrowser.open(address)

    try:
        browse(root, networks, settings.labels.log_age, port, out.resolve(), ready)
    except KeyboardInterrupt:
        typer.echo("explorer: ended", err=True)
