"""Options that every command takes."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file; default: ./pairspec.toml if it exists."),
]
RootOption = Annotated[
    Path | None,
    typer.Option(
        "--root",
        "-r",
        help="Folder of everything that the run writes; default: that of the settings, or ./run.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="One setting, e.g. cluster.workers=8; may be repeated."),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Profile = Annotated[
    bool,
    typer.Option(
        "--profile", help="Leave Dask's report of tasks and time in ROOT/logs/STAGE-profile.html."
    ),
]
