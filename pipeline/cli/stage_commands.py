"""The commands of the stages: one each, with the manual page of the list of stages."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import Config, Debug, Overrides, Profile, RootOption
from pipeline.core.stage import Stage
from pipeline.stages import STAGES, find_stage

app = typer.Typer()
"""Its commands become those of `pairspec`."""


def manual(stage: Stage) -> str:
    """Return the text of a stage's manual page."""
    return f"{stage.summary}\n{stage.manual}"


def as_command(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function the command of a stage, with the manual page of the list."""
    return app.command(name, help=manual(find_stage(name)))


@as_command("simulate")
def simulate(
    stars: Annotated[int | None, typer.Option(help="Number of stars; 2000 by default.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same bytes.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the survey; ./survey.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Worker processes; one per core by default.")
    ] = None,
    config: Config = None,
    overrides: Overrides = None,
    *,
    profile: Profile = False,
    debug: Debug = False,
) -> None:
    """Run the stage `simulate`."""
    from pipeline.cli.console import run_command

    given = {"n_stars": stars, "seed": seed, "out": out}
    values: dict[str, dict[str, Any]] = {
        "simulate": {name: value for name, value in given.items() if value is not None},
        "cluster": {} if workers is None else {"workers": workers},
    }
    run_command("simulate", config, None, overrides or [], debug=debug, profile=profile, **values)


@as_command("ingest")
def ingest(
    spectra: Annotated[
        Path | None, typer.Option(help="Folder of LAMOST FITS files, any depth.")
    ] = None,
    catalogue: Annotated[
        Path | None, typer.Option(help="LAMOST stellar catalogue, CSV or FITS.")
    ] = None,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    profile: Profile = False,
    debug: Debug = False,
) -> None:
    """Run the stage `ingest`."""
    from pipeline.cli.console import run_command

    inputs = {k: v for k, v in {"spectra": spectra, "catalogue": catalogue}.items() if v}
    run_command(
        "ingest", config, root, overrides or [], debug=debug, profile=profile, inputs=inputs
    )


@as_command("infer")
def infer(
    all_spectra: Annotated[
        bool, typer.Option("--all", help="All counted spectra, not only those of the sample.")
    ] = False,
    models: Annotated[
        list[Path] | None,
        typer.Option("--model", help="Folder of a network; may be repeated. Default: ROOT/model."),
    ] = None,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    profile: Profile = False,
    debug: Debug = False,
) -> None:
    """Run the stage `infer`."""
    from pipeline.cli.console import run_command

    scope = {"scope": "all"} if all_spectra else {}
    values = scope | ({"models": models} if models else {})
    run_command("infer", config, root, overrides or [], debug=debug, profile=profile, infer=values)


@as_command("validate")
def validate(
    names: Annotated[
        list[str] | None, typer.Argument(help="Validations to run; by default all.")
    ] = None,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    profile: Profile = False,
    debug: Debug = False,
) -> None:
    """Run the stage `validate`."""
    from pipeline.cli.console import run_command

    values = {"names": names} if names else {}
    run_command(
        "validate", config, root, overrides or [], debug=debug, profile=profile, validation=values
    )


def _plain(stage: Stage) -> None:
    """Add the command of a stage that takes nothing but the common options."""

    @as_command(stage.name)
    def command(
        config: Config = None,
        root: RootOption = None,
        overrides: Overrides = None,
        *,
        profile: Profile = False,
        debug: Debug = False,
    ) -> None:
        from pipeline.cli.console import run_command

        run_command(stage.name, config, root, overrides or [], debug=debug, profile=profile)


for _stage in STAGES:
    if _stage.name not in {command.name for command in app.registered_commands}:
        _plain(_stage)
