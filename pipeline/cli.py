"""The command line: every command is one stage."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="pairspec",
    help="Find the unresolved binary stars in millions of low-resolution spectra.\n\n"
    "Each command is one stage and goes on where the last run of it stopped; a second run does "
    "nothing. Order: ingest, train, infer, catalogue, report; then query. `pairspec simulate` "
    "makes a survey to try them on. Settings come from --set, else PAIRSPEC_SECTION__KEY in the "
    "environment, else pairspec.toml, else the defaults.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file; default: ./pairspec.toml if it exists."),
]
RootOption = Annotated[
    Path | None, typer.Option("--root", "-r", help="Folder of everything that the run writes.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="One setting, e.g. cluster.workers=8; may be repeated."),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@app.command()
def simulate(
    stars: Annotated[int | None, typer.Option(help="Number of stars; 2000 by default.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same bytes.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the survey; ./survey.")] = None,
    config: Config = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Write a synthetic survey in the real file formats, with known truth.

    Writes OUT/spectra/ (FITS files in LAMOST's folders and both of its layouts), OUT/catalogues/
    (LAMOST, Gaia, 2MASS, eclipsing binaries, planet hosts), OUT/truth/ and OUT/pairspec.toml,
    with which every other stage runs.

    Example: pairspec simulate --stars 2000 --seed 1 --out demo
    """
    from pipeline.console import run_stage

    given = {"n_stars": stars, "seed": seed, "out": out}
    values = {name: value for name, value in given.items() if value is not None}
    run_stage("simulate", config, None, overrides or [], debug=debug, simulate=values)


@app.command()
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
    debug: Debug = False,
) -> None:
    """Read FITS files into the store and write the table of observations.

    Every file gets one row, also those that cannot be read (with the reason). Two files of one
    exposure both keep their row; the older pipeline's is marked superseded and not counted.

    Writes ROOT/manifest.parquet, ROOT/spectra.zarr, ROOT/tables/headers/ and
    ROOT/tables/observations/.

    Example: pairspec ingest --spectra /data/lamost --catalogue dr10_stellar.csv.gz --root run
    """
    from pipeline.console import run_stage

    inputs = {k: v for k, v in {"spectra": spectra, "catalogue": catalogue}.items() if v}
    run_stage("ingest", config, root, overrides or [], debug=debug, inputs=inputs)


def _plain(stage: str, name: str, text: str) -> None:
    """Add the command of a stage that takes nothing but the common options."""

    def command(
        config: Config = None,
        root: RootOption = None,
        overrides: Overrides = None,
        *,
        debug: Debug = False,
    ) -> None:
        from pipeline.console import run_stage

        run_stage(stage, config, root, overrides or [], debug=debug)

    app.command(name, help=text)(command)


_plain(
    "network",
    "train",
    """Train the network on the survey's labelled spectra, on all workers together.

    Writes ROOT/model/ (model.safetensors, model.json), ROOT/reports/training.png and the log of the
    training. Goes on from
    the last finished epoch.

    Example: pairspec train --root run; without a survey: --set training.source=simulated
    """,
)
_plain(
    "inference",
    "infer",
    """Give every counted spectrum its binary probability p_b.

    Writes ROOT/predictions/, one part a shard.

    Example: pairspec infer --root run
    """,
)
_plain(
    "catalogue",
    "catalogue",
    """Put the spectra of each star together: the highest p_b counts.

    Writes ROOT/catalogue/stars/ and ROOT/catalogue/spectra/.

    Example: pairspec catalogue --root run
    """,
)
_plain(
    "report",
    "report",
    """Sum up the run; beside the truth, where the survey is simulated.

    Writes ROOT/reports/summary.json.

    Example: pairspec report --config demo/pairspec.toml
    """,
)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="DuckDB SQL over the views named below.")],
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the result to a .csv or .parquet file."),
    ] = None,
    *,
    debug: Debug = False,
) -> None:
    """Ask the catalogue by SQL; every table is a DuckDB view.

    Views: stars, spectra, predictions, observations, headers, manifest.

    Example: pairspec query "SELECT count(*), max(p_b) FROM stars" --root run
    """
    from pipeline.console import errors

    with errors(debug=debug):
        from pipeline.catalogue.query import save, show
        from pipeline.settings import load_settings

        settings = load_settings(config, overrides or [], root=root)
        if output is not None:
            typer.echo(save(settings.root, sql, output))
        else:
            typer.echo(show(settings.root, sql))


@app.command()
def settings(
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Print the settings that a run would use, as JSON."""
    from pipeline.console import errors

    with errors(debug=debug):
        from pipeline.settings import load_settings

        loaded = load_settings(config, overrides or [], root=root)
        typer.echo(loaded.model_dump_json(indent=2))


def main() -> None:
    """Entry point of the command ``pairspec``."""
    app()
