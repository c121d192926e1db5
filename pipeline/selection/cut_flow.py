"""How many spectra and stars every cut removes."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.parquet import read_table, table_files
from pipeline.selection.cuts import APPLICATION, TRAINING, Cut
from pipeline.tables.database import database
from schemas.sample import CUT_FLOW, CUTS

PAPER_SAMPLE = (1_258_912, 971_805)
"""Spectra and stars of the application sample of Jing et al. 2025. [paper]"""

Counts = dict[str, NDArray[np.int64]]

# Two lines of a header, and the column below them.
_SHOWN = (
    ("left", "spectra", "spectra"),
    ("left", "stars", "stars"),
    ("drops alone", "spectra", "dropped_spectra"),
    ("drops alone", "stars", "dropped_stars"),
    ("only it", "spectra", "only_spectra"),
    ("no value", "spectra", "missing_spectra"),
    ("no value", "stars", "missing_stars"),
)

_MEMORY = "256MB"
"""Of the database; what is above it goes to disk."""

# Spectra with the same bits count alike.
_SPECTRA = "SELECT failed, missing, count(*) AS n FROM judged GROUP BY ALL"

# A star is left as long as one of its spectra is; a cut alone drops those of which all fail it.
_STARS = """
    SELECT passed, failed, missing, count(*) AS n FROM (
        SELECT max(CASE {first_failed} ELSE {n_cuts} END) AS passed,
               bit_and(failed) AS failed, bit_or(missing) AS missing
        FROM judged WHERE source_id IS NOT NULL GROUP BY source_id
    ) GROUP BY ALL
"""


def read_cut_flow(folder: Path, cuts: tuple[Cut, ...], *, beside_paper: bool) -> pa.Table:
    """Count the survivors of the cuts over all parts of the table of cuts.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the table of cuts.
    cuts : tuple of Cut
        In the order of the flow.
    beside_paper : bool
        Add the paper's counts.

    Returns
    -------
    pyarrow.Table
        As ``schemas.sample.CUT_FLOW``.
    """
    parts = (
        read_table(file, CUTS, ["source_id", "failed", "missing"]) for file in table_files(folder)
    )
    return count_cut_flow(parts, cuts, folder.parent, beside_paper=beside_paper)


def count_cut_flow(
    parts: Iterable[pa.Table], cuts: tuple[Cut, ...], scratch: Path, *, beside_paper: bool
) -> pa.Table:
    """Count the survivors of the cuts; memory does not grow with the spectra.

    Parameters
    ----------
    parts : iterable of pyarrow.Table
        Columns ``source_id`` (null for a spectrum without a star), ``failed`` and ``missing``
        (bits of CutFlag).
    cuts : tuple of Cut
        In the order of the flow.
    scratch : pathlib.Path
        Folder for what does not fit into the database's memory.
    beside_paper : bool
        Add the paper's counts.

    Returns
    -------
    pyarrow.Table
        As ``schemas.sample.CUT_FLOW``.
    """
    spectra, stars = _count_alike(parts, cuts, scratch)
    n_spectra, n_stars = (int(counts["n"].sum()) for counts in (spectra, stars))
    rows = [
        {"step": 0, "cut": "input", "sample": APPLICATION, "condition": "counted spectra",
         "spectra": n_spectra, "stars": n_stars, "dropped_spectra": 0, "dropped_stars": 0,
         "only_spectra": 0, "missing_spectra": 0, "missing_stars": 0}
    ]  # fmt: skip
    within = {
        APPLICATION: sum(int(c.flag) for c in cuts if c.sample == APPLICATION),
        TRAINING: sum(int(c.flag) for c in cuts),
    }
    before, last = 0, [c.sample for c in cuts].count(APPLICATION)
    for step, cut in enumerate(cuts, start=1):
        bit = int(cut.flag)
        before |= bit
        failed = spectra["failed"]
        paper = PAPER_SAMPLE if beside_paper and step == last else (None, None)
        rows.append(
            {
                "step": step,
                "cut": str(cut.flag.name).lower(),
                "sample": cut.sample,
                "condition": cut.condition,
                "spectra": _sum(spectra, failed & before == 0),
                "stars": _sum(stars, stars["passed"] >= step),
                "dropped_spectra": _sum(spectra, failed & bit != 0),
                "dropped_stars": _sum(stars, stars["failed"] & bit != 0),
                "only_spectra": _sum(spectra, failed & within[cut.sample] == bit),
                "missing_spectra": _sum(spectra, spectra["missing"] & bit != 0),
                "missing_stars": _sum(stars, stars["missing"] & bit != 0),
                "paper_spectra": paper[0],
                "paper_stars": paper[1],
            }
        )
    return pa.Table.from_pylist(rows, schema=CUT_FLOW.schema)


def _count_alike(parts: Iterable[pa.Table], cuts: tuple[Cut, ...], scratch: Path) -> list[Counts]:
    """Count the spectra of the same bits, and the stars of the same bits and last cut passed."""
    first_failed = " ".join(
        f"WHEN failed & {int(cut.flag)} <> 0 THEN {n}" for n, cut in enumerate(cuts)
    )
    of_stars = _STARS.format(first_failed=first_failed, n_cuts=len(cuts))
    with database(scratch, _MEMORY) as db:
        db.execute("CREATE TABLE judged (source_id BIGINT, failed INTEGER, missing INTEGER)")
        for part in parts:
            db.register("part", part)
            db.execute("INSERT INTO judged SELECT source_id, failed, missing FROM part")
        return [db.sql(sql).fetchnumpy() for sql in (_SPECTRA, of_stars)]


def _sum(counts: Counts, chosen: NDArray[np.bool_]) -> int:
    return int(counts["n"][chosen].sum())


def cut_flow_lines(table: pa.Table) -> tuple[str, ...]:
    """Return the cut flow as lines of text.

    ``left``: what passes this cut and all before it; ``drops alone``: what the cut would drop if
    it were the only one; ``only it``: spectra that fail no other cut of that sample.
    """
    rows = table.to_pylist()
    wide = max(len(row["condition"]) for row in rows)
    lines = [
        f"{'':<{wide}}" + "".join(f"{title:>13}" for title, _, _ in _SHOWN),
        f"{'cut':<{wide}}" + "".join(f"{unit:>13}" for _, unit, _ in _SHOWN),
    ]
    for row in rows:
        line = f"{row['condition']:<{wide}}" + "".join(f"{row[name]:>13,}" for _, _, name in _SHOWN)
        lines.append(line)
        if row["paper_spectra"] is not None:
            counts = f"{row['paper_spectra']:>13,}{row['paper_stars']:>13,}"
            lines.append(f"{'  the paper has':<{wide}}{counts}")
    return tuple(lines)
