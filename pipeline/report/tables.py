"""The tables of the report, as text ready to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.parquet import read_table
from pipeline.core.records import read_records, records_path
from pipeline.core.root import Root
from pipeline.evaluation.intervals import Estimate
from pipeline.evaluation.paper import PAPER
from schemas.sample import CUT_FLOW
from schemas.validation import VALIDATION


@dataclass(frozen=True)
class Row:
    """One number beside the truth and the paper.

    Parameters
    ----------
    validation, quantity : str
        Where it is from, and what it is.
    value : str
        With its interval.
    n_stars, truth, paper : str
        A dash where there is none.
    verdict : str
        Whether the paper's value lies in the interval; empty without one.
    """

    validation: str
    quantity: str
    value: str
    n_stars: str
    truth: str
    paper: str
    verdict: str


def validation_rows(root: Root) -> list[Row]:
    """Return all numbers of the validations.

    Parameters
    ----------
    root : Root
        Root of the run; without validations there is nothing.
    """
    path = root.table(VALIDATION)
    if not path.is_file():
        return []
    rows = read_table(path, VALIDATION).to_pylist()
    return [
        Row(
            row["validation"],
            row["quantity"] + _bin(row["bin_low"], row["bin_high"]),
            _interval(row["value"], row["value_low"], row["value_high"], row["paper"]),
            f"{row['n_stars']:,}",
            _number(row["truth"], 3),
            _number(row["paper"]),
            _verdict(row["paper"], row["value_low"], row["value_high"]),
        )
        for row in rows
    ]


def evaluation_rows(evaluation: Mapping[str, Any]) -> list[Row]:
    """Return the figures of merit that the paper has, too.

    Parameters
    ----------
    evaluation : mapping of str to object
        Content of ``evaluation.json``.
    """
    auc = {"value": evaluation["auc"], "low": evaluation["auc_low"], "high": evaluation["auc_high"]}
    below = evaluation["singles_below"]
    found = (
        ("AUC on labels", auc, "auc"),
        ("precision at 0.5, binaries : singles 1:2", evaluation["precision_at_0.5"],
         "precision_at_0.5"),
        ("precision at 0.8, binaries : singles 1:2", evaluation["precision_at_0.8"],
         "precision_at_0.8"),
        ("binaries with p_b > 0.8", evaluation["tpr_at_0.8"], "tpr_at_0.8"),
        ("singles with p_b < 0.2", below["0.2"], "singles_below"),
        ("singles with p_b < 0.8", below["0.8"], "singles_below"),
    )  # fmt: skip
    return [
        Row("evaluate", name, _interval(e["value"], e["low"], e["high"]),
            f"{evaluation['stars']:,}", "-", _number(PAPER[key]),
            _verdict(PAPER[key], e["low"], e["high"]))
        for name, e, key in found
    ]  # fmt: skip


def cut_flow(root: Root) -> list[dict[str, str]]:
    """Return the cuts and what passes them.

    Parameters
    ----------
    root : Root
        Root of the run.
    """
    path = root.table(CUT_FLOW)
    if not path.is_file():
        return []
    names = ("spectra", "stars", "dropped_spectra", "only_spectra", "missing_spectra",
             "paper_spectra", "paper_stars")  # fmt: skip
    return [
        {"cut": row["cut"], "sample": row["sample"], "condition": row["condition"]}
        | {name: "-" if row[name] is None else f"{row[name]:,}" for name in names}
        for row in read_table(path, CUT_FLOW).to_pylist()
    ]


def validation_notes(root: Root, names: Sequence[str]) -> list[str]:
    """Return the notes of the validations, also why one was skipped.

    Parameters
    ----------
    root : Root
        Root of the run.
    names : sequence of str
        Validations.
    """
    files = [read_records(records_path(root.path, f"validate_{name}")) for name in names]
    return [note for file in files for record in file.records for note in record["notes"]]


def alternative_text(alt: str, rows: Sequence[Row], validation: str) -> str:
    """Return what a figure shows, followed by its numbers that the paper has, too.

    Parameters
    ----------
    alt : str
        What the figure shows.
    rows : sequence of Row
        All numbers.
    validation : str
        Validation that the figure belongs to.
    """
    numbers = [
        f"{row.quantity} {row.value}, Jing et al. (2025) {row.paper}"
        for row in rows
        if row.validation == validation and row.paper != "-"
    ]
    return " ".join([alt, "; ".join(numbers)]) + "." if numbers else alt


def _bin(low: float | None, high: float | None) -> str:
    return "" if low is None else f" {low:g}-{high:g}"


def _number(value: float | None, digits: int = 4) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}g}" if abs(value) < 100 else f"{value:,.0f}"


def _interval(
    value: float | None, low: float | None, high: float | None, paper: float | None = None
) -> str:
    if value is None or low is None or high is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f} [{low:,.0f}, {high:,.0f}]"
    if paper is not None and paper > 1:
        return f"{value:.3g} [{low:.2g}, {high:.2g}]"
    return str(Estimate(value, low, high))


def _verdict(paper: float | None, low: float | None, high: float | None) -> str:
    # Counts and distances depend on the survey, shares and areas do not.
    if paper is None or low is None or high is None or paper > 1:
        return ""
    return (
        "paper within" if low <= paper <= high else "paper below" if paper < low else "paper above"
    )
