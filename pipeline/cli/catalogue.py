"""The commands that read the catalogue of a run: query, star, browse, export, tables."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Config, Debug, Overrides, RootOption
from pipeline.stages import STAGES

app = typer.Typer()
"""Its commands become those of `pairspec`."""

VIEWS = ", ".join(name for stage in reversed(STAGES) for name in stage.tables)
QUERY_MANUAL = f"""Ask the catalogue by SQL; every table is a DuckDB view.

Views: {VIEWS}; their columns: `pairspec tables NAME`. FROM cone(ra, dec, radius_arcmin) has the
stars near a position, with separation_arcmin.

Example: pairspec query "SELECT count(*), max(p_b) FROM stars" --root run
"""  # noqa: S608 (a text, not a query)


@app.command(help=QUERY_MANUAL)
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
    allow_files: Annotated[
        bool, typer.Option("--allow-files", help="FROM 'file' reads tables outside of the run.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Ask the catalogue by SQL."""
    from pipeline.cli.console import run_of

    with run_of(config, root, overrides or [], debug=debug) as loaded:
        from pipeline.catalogue.query import save, show

        if output is not None:
            typer.echo(save(loaded.root, sql, output, allow_files=allow_files))
        else:
            typer.echo(show(loaded.root, sql, allow_files=allow_files))


@app.command()
def star(
    which: Annotated[
        str,
        typer.Argument(help='Name, source_id, obsid, or "ra dec" in degrees or sexagesimal.'),
    ],
    radius: Annotated[float, typer.Option(help="Radius of a search by position, in arcsec.")] = 5.0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Figure, .png or .pdf; ./star-NAME.png by default."),
    ] = None,
    models: Annotated[
        list[Path] | None,
        typer.Option("--model", help="Folder of a network that gave p_b; may be repeated."),
    ] = None,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    figure: Annotated[bool, typer.Option(help="Draw the figure.")] = True,
    debug: Debug = False,
) -> None:
    """Print one star: its row of the catalogue, its spectra, its place in the diagram; and draw it.

    The name is star_id or designation of the catalogue; no service is asked for names. Of several
    stars that fit, a list is printed. The figure shows the spectrum of the obsid, else that of
    highest S/N: flux with the smoothed flux, normalised flux coloured by what each pixel adds to
    the logit (integrated gradients), the colour-magnitude diagram with the ridge, p_b over epochs.

    Example: pairspec star "292.0587 43.9252" --root run
    """
    from pipeline.cli.console import run_of

    with run_of(config, root, overrides or [], debug=debug) as loaded:
        from pipeline.core.root import Root
        from pipeline.star.page import StarPage, check_figure, open_page

        run = Root(loaded.root)
        if output is not None:
            check_figure(run, output)
        page = open_page(run, which, radius, models or loaded.infer.models)
        if not isinstance(page, StarPage):
            typer.echo("\n".join([f"{len(page)} stars fit; name one:", *map(str, page)]))
            return
        typer.echo(page)
        if figure:
            if page.network_note is not None:
                typer.echo(
                    f"the figure does not show which pixels the network used: {page.network_note}",
                    err=True,
                )
            typer.echo(f"figure -> {page.save(output)}")


@app.command()
def browse(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; by default a free one.")
    ] = 0,
    out: Annotated[Path, typer.Option(help="Folder that exports are written to.")] = Path(),
    models: Annotated[
        list[Path] | None,
        typer.Option("--model", help="Folder of a network that gave p_b; may be repeated."),
    ] = None,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    debug: Debug = False,
) -> None:
    """Explore the catalogue in a browser: diagram, sky, p_b, table, SQL, spectra of a star.

    Prints the address of a page of this machine and serves it until Ctrl-C. The address holds a
    token: whoever has it can read the run. Needs the extra `explore`. See docs/explorer.md.

    Example: pairspec browse --root run --open
    """
    from pipeline.cli.browse import serve
    from pipeline.cli.console import run_of

    with run_of(config, root, overrides or [], debug=debug) as loaded:
        serve(loaded, tuple(models or ()), port, out, show=show)


@app.command()
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="File, or folder for hats.")],
    form: Annotated[
        str, typer.Option("--format", "-f", help="fits, votable, csv, ecsv or hats.")
    ] = "fits",
    where: Annotated[
        str | None, typer.Option(help="Condition in SQL on the columns of the stars.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Columns, separated by commas; all by default.")
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Of hats: a margin of so many arcsec, for matches.")
    ] = None,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """Write the catalogue of stars for other programs, with units, UCDs and provenance.

    CSV has no place for them; ECSV is CSV that has.

    Example: pairspec export --format votable --where "p_b > 0.8" --output pairs.vot --root run
    """
    from pipeline.cli.console import run_of

    with run_of(config, root, overrides or [], debug=debug) as loaded:
        from pipeline.catalogue.export.run import export as write

        names = None if columns is None else [name.strip() for name in columns.split(",")]
        typer.echo(write(loaded.root, form, output, where, names, margin))


@app.command()
def tables(
    name: Annotated[str | None, typer.Argument(help="Table whose columns are listed.")] = None,
    config: Config = None,
    root: RootOption = None,
    overrides: Overrides = None,
    *,
    debug: Debug = False,
) -> None:
    """List the tables of a run, or the columns of one with their units.

    Example: pairspec tables stars --root run
    """
    from pipeline.cli.console import require_folder, settings_of

    with settings_of(config, root, overrides or [], debug=debug) as loaded:
        from pipeline.catalogue.listing import describe_table, list_tables

        if root is not None:
            require_folder(root)
        typer.echo("\n".join(list_tables(loaded.root) if name is None else describe_table(name)))
