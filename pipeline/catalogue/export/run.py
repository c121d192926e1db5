"""``pairspec export``: stars as FITS, VOTable, CSV, ECSV or a HATS catalogue."""

import difflib
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.catalogue.answer import check_place, write_answer
from pipeline.catalogue.complaint import complain
from pipeline.catalogue.export.content import NEEDED, Content
from pipeline.catalogue.query import Tables, connect, select_stars
from pipeline.core.atomic import UNFINISHED
from pipeline.core.errors import InputError
from pipeline.core.published import read_published
from schemas.catalogue import STARS

FORMATS = ("fits", "votable", "csv", "ecsv", "hats")


def export(
    root: Path,
    form: str,
    output: Path,
    where: str | None,
    columns: Sequence[str] | None,
    margin_arcsec: float | None = None,
) -> str:
    """Write stars of the catalogue; return a line about it.

    The file or folder appears whole or not at all. Memory does not grow with the catalogue.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    form : str
        One of `FORMATS`.
    output : pathlib.Path
        File, or for HATS a folder that does not exist.
    where : str, optional
        Condition in SQL on the columns of the stars.
    columns : sequence of str, optional
        Columns, in their order in the file; by default all. HATS gets those that it needs besides.
    margin_arcsec : float, optional
        Of HATS: width of the margin, for matches across the edges of partitions.

    Raises
    ------
    InputError
        No such format or column, or a place that cannot be written.
    ValueError
        The condition is not valid, or does more than to read.
    """
    if form not in FORMATS:
        raise InputError(f"no format {form}; the formats are {', '.join(FORMATS)}")
    if margin_arcsec is not None:
        if form != "hats":
            raise InputError(f"--margin is for --format hats; {form} has no partitions")
        from pipeline.catalogue.export.margin import margin_order

        margin_order(margin_arcsec)
    path = check_place(root, output)
    if path.is_dir() or (form == "hats" and path.exists()):
        raise InputError(f"--output {output} exists; name a new file, or for hats a new folder")
    names = _columns(columns, needed=NEEDED if form == "hats" else ())
    with TemporaryDirectory(prefix=f"{path.name}.", suffix=UNFINISHED, dir=path.parent) as scratch:
        rows = Path(scratch) / "rows.parquet"
        with connect(root) as tables, complain(root):
            wanted = ", ".join(f'"{name}"' for name in names)
            n = write_answer(tables.sql(select_stars(wanted, where)), rows)
            provenance = _provenance(root, where, tables)
        documented = {column.name: column for column in STARS.columns}
        content = Content(rows, tuple(documented[name] for name in names), provenance)
        made = Path(scratch) / path.name
        _writer(form, margin_arcsec)(content, made)
        made.replace(path)
    return f"{n:,} stars, {len(names)} columns -> {output}"


def _columns(columns: Sequence[str] | None, *, needed: Sequence[str]) -> list[str]:
    if columns is None:
        return list(STARS.names)
    for name in columns:
        if name not in STARS.names:
            near = difflib.get_close_matches(name, STARS.names, n=1)
            hint = f"did you mean {near[0]}?" if near else "see `pairspec tables stars`"
            raise InputError(f"the stars have no column {name}; {hint}")
    return list(dict.fromkeys([*needed, *columns]))


def _provenance(root: Path, where: str | None, tables: Tables) -> dict[str, str]:
    published = read_published(root, "catalogue")
    models = tables.sql("SELECT DISTINCT model_id FROM stars ORDER BY ALL").fetchall()
    return {
        "creator": f"pairspec {version('pairspec')}",
        "catalogue": published.digest if published else "unknown",
        "network": ", ".join(str(name) for (name,) in models if name),
        "selection": where or "all stars",
    }


def _writer(form: str, margin_arcsec: float | None) -> Callable[[Content, Path], None]:
    if form == "fits":
        from pipeline.catalogue.export.fits import write_fits

        return write_fits
    if form == "votable":
        from pipeline.catalogue.export.votable import write_votable

        return write_votable
    if form == "hats":
        from pipeline.catalogue.export.hats import write_hats

        return partial(write_hats, margin_arcsec=margin_arcsec)
    from pipeline.catalogue.export.text import write_csv, write_ecsv

    return write_ecsv if form == "ecsv" else write_csv
