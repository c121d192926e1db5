"""The commands about stages in the queue of a cluster, and about how far a run is."""

from typing import Annotated

import typer

from pipeline.cli.options import Config, Debug, Overrides, RootOption

app = typer.Typer()
"""Its commands become those of `pairspec`."""

Names = Annotated[
    list[str], typer.Argument(metavar="STAGE...", help="Stages, or `all` from ingest to report.")
]


@app.command()
def submit(
    stages: Names,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Put stages into the cluster's queue, each after the one before.

    The driver of each stage becomes a batch job of its own ([cluster.driver]), which submits the
    jobs of its workers ([cluster], [cluster.STAGE]). At its time limit it goes back into the queue
    and goes on. You may log out. Written up in docs/hpc.md.

    Example: pairspec submit ingest photometry select --config run.toml
    """
    from pipeline.cli.console import settings_of

    with settings_of(config, root, overrides or [], debug=debug) as loaded:
        from pipeline.jobs.submit import submit as submit_stages

        for line in submit_stages(stages, loaded):
            typer.echo(line)


@app.command()
def cancel(
    stages: Annotated[
        list[str] | None, typer.Argument(metavar="[STAGE...]", help="Default: everything.")
    ] = None,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Take stages back from the queue, with their workers and with what waits for them.

    Example: pairspec cancel infer --root run
    """
    from pipeline.cli.console import settings_of

    with settings_of(config, root, overrides or [], debug=debug) as loaded:
        from pipeline.jobs.cancel import cancel as cancel_stages

        for line in cancel_stages(stages or [], loaded):
            typer.echo(line)


@app.command("job-script")
def job_script(
    stage: Annotated[str, typer.Argument(help="Name of the stage.")],
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Print the scripts of the jobs that a stage would have in the queue; submits nothing.

    Example: pairspec job-script infer --config run.toml
    """
    from pipeline.cli.console import settings_of

    with settings_of(config, root, overrides or [], debug=debug) as loaded:
        from pipeline.jobs.scripts import scripts

        typer.echo(scripts(stage, loaded))


@app.command()
def status(
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Show which stages of a run are complete, running, waiting or failed, and how long it takes.

    Example: pairspec status --root run
    """
    from pipeline.cli.console import require_folder, settings_of

    with settings_of(config, root, overrides or [], debug=debug) as loaded:
        from pipeline.cli.status import status_lines

        if root is not None:
            require_folder(root)
        typer.echo("\n".join(status_lines(loaded)))
