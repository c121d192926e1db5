"""What a validation gives: its numbers, its figure, and the stars that it lists by name."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from matplotlib.figure import Figure

from pipeline.core.atomic import write_json, write_parquet
from pipeline.core.figures import write_figure
from pipeline.core.ledger import Done
from pipeline.validation.measure import Measure, as_table


@dataclass(frozen=True)
class Result:
    """The outcome of one validation.

    Parameters
    ----------
    measures : tuple of Measure
        Its numbers.
    figure : matplotlib.figure.Figure, optional
        Its figure; None where it was skipped.
    notes : tuple of str
        Rows that were left out, and other things a user should know.
    listed : pyarrow.Table, optional
        Stars by name, or another table of its own.
    tables : mapping of str to pyarrow.Table
        Further tables, each written as Parquet and JSON by its name.
    skipped : str
        Why it was not done, and the setting that would feed it; empty where it was.
    """

    measures: tuple[Measure, ...] = ()
    figure: Figure | None = None
    notes: tuple[str, ...] = ()
    listed: pa.Table | None = field(default=None, compare=False)
    tables: Mapping[str, pa.Table] = field(default_factory=dict, compare=False)
    skipped: str = ""


def write_result(name: str, result: Result, folder: Path) -> Done:
    """Write figure, table and JSON of a validation into a folder of its own.

    What an earlier one left there goes first, so that a skipped validation leaves nothing behind.

    Parameters
    ----------
    name : str
        Name of the validation.
    result : Result
        Its outcome.
    folder : pathlib.Path
        Its folder.

    Returns
    -------
    Done
        Files; counts of numbers, and of the skipped.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if result.skipped:
        return Done({"skipped": 1}, (), (f"{name}: skipped, {result.skipped}",))
    table = as_table(name, result.measures)
    write_parquet(folder / "table.parquet", table)
    content: dict[str, Any] = {
        "validation": name,
        "notes": list(result.notes),
        "measures": [_rounded(row) for row in table.drop_columns("validation").to_pylist()],
    }
    write_json(folder / "table.json", content, sort_keys=False)
    outputs = [folder / "table.parquet", folder / "table.json"]
    if result.listed is not None:
        write_parquet(folder / "listed.parquet", result.listed)
        outputs.append(folder / "listed.parquet")
    for one, further in result.tables.items():
        write_parquet(folder / f"{one}.parquet", further)
        rows = [_rounded(row) for row in further.to_pylist()]
        write_json(folder / f"{one}.json", rows, sort_keys=False)
        outputs += [folder / f"{one}.parquet", folder / f"{one}.json"]
    if result.figure is not None:
        outputs += write_figure(folder, "figure", result.figure)
    lines = tuple(m.line() for m in result.measures if m.main)
    notes = tuple(f"{name}: {note}" for note in result.notes)
    return Done({"numbers": table.num_rows}, tuple(outputs), notes, lines)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()}
