"""The command line: every command is one stage."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands import PLAIN

app = typer.Typer(
    name="pairspec",
    help="Find the unresolved binary stars in millions of low-resolution spectra.\n\n"
    "Each command is one stage and goes on where the last run of it stopped; a second run does "
    "nothing. Order: ingest, photometry, select, label, train, infer, evaluate, catalogue, report; "
    "then query. `pairspec simulate` makes a survey to try them on. Settings come from --set, else "
    "PAIRSPEC_SECTION__KEY in the environment, else pairspec.toml, else the defaults.",
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
    workers: Annotated[
        int | None, typer.Option(help="Worker processes; one a core by default.")
    ] = None,
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
    from pipeline.cli.console import run_stage

    given = {"n_stars": stars, "seed": seed, "out": out}
    values: dict[str, dict[str, Any]] = {
        "simulate": {name: value for name, value in given.items() if value is not None},
        "cluster": {} if workers is None else {"workers": workers},
    }
    run_stage("simulate", config, None, overrides or [], debug=debug, **values)


@app.command()
def demo(
    stars: Annotated[int, typer.Option(help="Number of simulated stars.")] = 12_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same survey.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder of the survey and the run.")] = Path("demo"),
    config: Config = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Simulate a survey and run every stage on it, up to the report.

    Goes on where the last demo in the same folder stopped.

    Example: pairspec demo --stars 12000 --out demo
    """
    from pipeline.cli.console import run_stage
    from pipeline.cli.demo import SHORT, run_stages

    survey = {"n_stars": stars, "seed": seed, "out": out}
    given = overrides or []
    run_stage("simulate", config, None, [*SHORT, *given], debug=debug, simulate=survey)
    code = run_stages(out / "pairspec.toml", given)
    if code:
        raise typer.Exit(code)


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
    from pipeline.cli.console import run_stage

    inputs = {k: v for k, v in {"spectra": spectra, "catalogue": catalogue}.items() if v}
    run_stage("ingest", config, root, overrides or [], debug=debug, inputs=inputs)


@app.command()
def infer(
    all_spectra: Annotated[
        bool, typer.Option("--all", help="All counted spectra, not those of the sample only.")
    ] = False,
    models: Annotated[
        list[Path] | None,
        typer.Option("--model", help="Folder of a network; may be repeated. Default: ROOT/model."),
    ] = None,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Give every spectrum of the sample its binary probability p_b.

    Several networks form an ensemble: their logits are averaged, and their spread is kept.
    Writes ROOT/predictions/, one part a shard.

    Example: pairspec infer --root run --all
    """
    from pipeline.cli.console import run_stage

    scope = {"scope": "all"} if all_spectra else {}
    values = scope | ({"models": models} if models else {})
    run_stage("inference", config, root, overrides or [], debug=debug, infer=values)


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

    Views: stars, spectra, predictions, labels, ridge, sample, cuts, cut_flow, photometry,
    observations, headers, manifest.

    Example: pairspec query "SELECT count(*), max(p_b) FROM stars" --root run
    """
    from pipeline.cli.console import errors

    with errors(debug=debug):
        from pipeline.catalogue.query import save, show
        from pipeline.settings.load import load_settings

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
    from pipeline.cli.console import errors

    with errors(debug=debug):
        from pipeline.settings.load import load_settings

        loaded = load_settings(config, overrides or [], root=root)
        typer.echo(loaded.model_dump_json(indent=2))


ORDER = (
    "demo", "simulate", "ingest", "photometry", "select", "label", "composites", "train", "infer",
    "evaluate", "catalogue", "report", "query", "settings",
)  # fmt: skip
"""Commands in the order in which ``--help`` lists them."""


def _plain(stage: str, name: str, text: str) -> None:
    """Add the command of a stage that takes nothing but the common options."""

    def command(
        config: Config = None,
        root: RootOption = None,
        overrides: Overrides = None,
        *,
        debug: Debug = False,
    ) -> None:
        from pipeline.cli.console import run_stage

        run_stage(stage, config, root, overrides or [], debug=debug)

    app.command(name, help=text)(command)


for _name, (_stage, _text) in PLAIN.items():
    _plain(_stage, _name, _text)
app.registered_commands.sort(
    key=lambda command: ORDER.index(command.name or getattr(command.callback, "__name__", ""))
)


def main() -> None:
    """Entry point of the command ``pairspec``."""
    app()
