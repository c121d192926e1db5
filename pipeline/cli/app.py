"""The command line: every stage is one command, and a few ask about a run."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import catalogue as reading
from pipeline.cli import queue, stage_commands
from pipeline.cli.options import Config, Debug, Overrides, RootOption
from pipeline.stages import STAGES

app = typer.Typer(
    name="pairspec",
    help="Find the unresolved binary stars in millions of low-resolution spectra.\n\n"
    "Each stage is one command and goes on where the last run of it stopped; a second run does "
    f"nothing. Order: {', '.join(stage.name for stage in STAGES[1:])}; then query. "
    "`pairspec simulate` makes a survey to try them on. Settings come from --set, else "
    "PAIRSPEC_SECTION__KEY in the environment, else pairspec.toml, else the defaults.\n\n"
    "On a cluster, `pairspec submit all` puts the stages into its queue, `pairspec status` tells "
    "how far they are, and `pairspec cancel` takes them back; see docs/hpc.md and configs/.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"pairspec {version('pairspec')}")
        raise typer.Exit


@app.callback()
def _pairspec(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    stars: Annotated[int, typer.Option(min=300, help="Number of simulated stars.")] = 12_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same survey.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder of the survey and the run.")] = Path("demo"),
    config: Config = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Simulate a survey and run every stage on it, up to the report.

    Goes on where the last demo in the same folder stopped. A survey of fewer than 2,000 stars is
    one of near dwarfs with a wider cut in colour, and no composites: it shows that everything
    runs, its scores mean nothing.

    Example: pairspec demo --stars 12000 --out demo
    """
    from pipeline.cli.console import run_command, settings_of
    from pipeline.cli.demo import demo_settings, run_stages

    survey = {"n_stars": stars, "seed": seed, "out": out}
    given = overrides or []
    run_command(
        "simulate", config, None, [*demo_settings(stars), *given], debug=debug, simulate=survey
    )
    made = out / "pairspec.toml"
    code = run_stages(made, given)
    if code:
        raise typer.Exit(code)
    with settings_of(made, None, given, debug=debug) as loaded:
        typer.echo(f"demo: the report is {loaded.root / 'reports' / 'report.html'}")


@app.command()
def acquire(
    what: Annotated[str, typer.Argument(help="Source, from the list above.")],
    out: Annotated[Path, typer.Option(help="Folder that everything goes to.")] = Path("data"),
    where: Annotated[
        str | None, typer.Option(help="Spectra by a condition on the catalogue, in SQL.")
    ] = None,
    obsids: Annotated[
        Path | None, typer.Option(help="Spectra by a list: one obsid per line, or a table.")
    ] = None,
    cone: Annotated[
        str | None, typer.Option(help="Spectra within RA,DEC,RADIUS, in degrees.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many spectra.")] = None,
    name: Annotated[
        str, typer.Option(help="Catalogue of LAMOST: LRS_stellar or LRS_mec.")
    ] = "LRS_stellar",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many files, bytes and hours; fetch nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also ask for what an earlier run was refused.")
    ] = False,
    to_store: Annotated[
        bool,
        typer.Option("--to-store", help="Spectra straight into OUT/run; no files are kept."),
    ] = False,
    tap: Annotated[
        bool, typer.Option("--tap", help="gaia, tmass: by a TAP service, without HATS.")
    ] = False,
    skip_failed: Annotated[
        bool, typer.Option("--skip-failed", help="With --to-store: leave out files that failed.")
    ] = False,
    config: Config = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Fetch what a run needs: LAMOST's catalogue and spectra, dust, lists from the literature.

    Sources: lamost-catalogue, lamost-spectra, lamost-vo, gaia, tmass, bailer-jones,
    tmass-neighbours, dust, eclipsing, planets, spectroscopic-binaries, jing2025. Gaia and 2MASS
    need no copy: `photometry` reads them by URL. Without HATS, --tap asks a TAP service for them.

    A file is there whole or not at all. What cannot be had has one row with its reason in
    OUT/ledger/; a run that was stopped goes on. LAMOST's token is that of LAMOST_TOKEN or of the
    keyring. Ends with OUT/pairspec.toml, with which every stage runs.

    Example: pairspec acquire lamost-spectra --out data --where "snrg > 20 AND logg > 4"
    """
    from pipeline.cli.console import settings_of
    from pipeline.cli.interrupt import ends_at_once

    with ends_at_once(), settings_of(config, None, overrides or [], debug=debug) as loaded:
        from pipeline.acquire.request import Request
        from pipeline.acquire.secret import token_of
        from pipeline.acquire.sources import acquire as acquire_source
        from pipeline.acquire.sources import needs_token

        secret = token_of(keyring=needs_token(what))
        request = Request(
            out, loaded.acquire, secret, name, where, obsids, cone, limit, dry_run, again,
            to_store, skip_failed, loaded.ingest, tap, loaded.photometry,
        )  # fmt: skip
        outcomes = acquire_source(what, request)
    typer.echo("\n".join([f"acquire {what}:", *outcomes.lines]))
    if outcomes.n_failed:
        raise typer.Exit(1)


@app.command()
def verify(
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    deep: Annotated[
        bool, typer.Option("--deep", help="Compare the contents of all files, not only sizes.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Compare the files of a run with what the ledger says of them; nothing is changed.

    Prints a line for each damaged file: what is wrong, and the command that makes it again. Exit
    code 1 if there is one.

    Example: pairspec verify --deep --root run
    """
    from pipeline.cli.console import EXIT_FAILED, run_of
    from pipeline.cli.interrupt import ends_at_once

    with ends_at_once(), run_of(config, root, overrides or [], debug=debug) as loaded:
        from pipeline.verify.verify import verify as verify_run

        found = verify_run(loaded.root.resolve(), deep=deep)
        typer.echo("\n".join(found.lines()))
    if found.damaged:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def settings(
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Print the settings that a run would use, as JSON."""
    from pipeline.cli.console import settings_of

    with settings_of(config, root, overrides or [], debug=debug) as loaded:
        typer.echo(loaded.model_dump_json(indent=2))


for _part in (stage_commands, reading, queue):
    app.registered_commands += _part.app.registered_commands

OTHERS = (
    "query", "star", "browse", "tables", "export", "submit", "status", "cancel", "verify",
    "job-script", "settings",
)  # fmt: skip
ORDER = ("acquire", "demo", *(stage.name for stage in STAGES), *OTHERS)
"""Commands in the order in which ``--help`` lists them."""

app.registered_commands.sort(
    key=lambda command: ORDER.index(command.name or getattr(command.callback, "__name__", ""))
)


def main() -> None:
    """Entry point of the command ``pairspec``."""
    app()
