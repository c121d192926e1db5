"""How many spectra and stars every cut removes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.parquet import read_table
from pipeline.selection.cuts import APPLICATION, TRAINING, Cut
from schemas.sample import CUT_FLOW, CUTS

PAPER_SAMPLE = (1_258_912, 971_805)
"""Spectra and stars of the application sample of Jing et al. 2025. [paper]"""

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SHOWN = (
    ("after it", "spectra"),
    ("stars", "stars"),
    ("drops alone", "dropped_spectra"),
    ("stars", "dropped_stars"),
    ("only it", "only_spectra"),
    ("missing", "missing_spectra"),
    ("stars", "missing_stars"),
)


def read_cut_flow(folder: Path, cuts: tuple[Cut, ...], *, beside_paper: bool) -> pa.Table:
    """Count the survivors of the cuts over all parts of the table of cuts.

    Needs 16 bytes per spectrum in memory, and as much again for a while.

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
    table = read_table(folder, CUTS, ["source_id", "failed", "missing"])
    source = table["source_id"].combine_chunks()
    known = source.is_valid().to_numpy(zero_copy_only=False)
    return count_cut_flow(
        source.fill_null(0).to_numpy(),
        known,
        table["failed"].to_numpy(),
        table["missing"].to_numpy(),
        cuts,
        beside_paper=beside_paper,
    )


def count_cut_flow(
    source_B: IntArray,
    known_B: BoolArray,
    failed_B: NDArray[np.int32],
    missing_B: NDArray[np.int32],
    cuts: tuple[Cut, ...],
    *,
    beside_paper: bool,
) -> pa.Table:
    """Count the survivors of the cuts.

    Parameters
    ----------
    source_B : ndarray of int64, (B,)
        Star of each spectrum.
    known_B : ndarray of bool, (B,)
        Where it has a star.
    failed_B, missing_B : ndarray of int32, (B,)
        Bits of CutFlag.
    cuts : tuple of Cut
        In the order of the flow.
    beside_paper : bool
        Add the paper's counts.

    Returns
    -------
    pyarrow.Table
        As ``schemas.sample.CUT_FLOW``.
    """
    order = np.argsort(source_B, kind="stable")
    failed, missing, known = failed_B[order], missing_B[order], known_B[order]
    stars = _star_counter(source_B[order], known)
    everything = np.ones(failed.size, dtype=bool)
    n_stars = stars(everything)
    rows = [
        {"step": 0, "cut": "input", "sample": APPLICATION, "condition": "counted spectra",
         "spectra": failed.size, "stars": n_stars, "dropped_spectra": 0, "dropped_stars": 0,
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
        left, alone, absent = (failed & before) == 0, (failed & bit) == 0, (missing & bit) != 0
        paper = PAPER_SAMPLE if beside_paper and step == last else (None, None)
        rows.append(
            {
                "step": step,
                "cut": str(cut.flag.name).lower(),
                "sample": cut.sample,
                "condition": cut.condition,
                "spectra": int(left.sum()),
                "stars": stars(left),
                "dropped_spectra": failed.size - int(alone.sum()),
                "dropped_stars": n_stars - stars(alone),
                "only_spectra": int((failed & within[cut.sample] == bit).sum()),
                "missing_spectra": int(absent.sum()),
                "missing_stars": stars(absent),
                "paper_spectra": paper[0],
                "paper_stars": paper[1],
            }
        )
    return pa.Table.from_pylist(rows, schema=CUT_FLOW.schema)


def _star_counter(source: IntArray, known: BoolArray) -> Callable[[BoolArray], int]:
    """Return a function that counts the different stars of some of the sorted spectra."""

    def count(rows: BoolArray) -> int:
        chosen = source[rows & known]
        return int(chosen.size > 0) + int((chosen[1:] != chosen[:-1]).sum())

    return count


def cut_flow_lines(table: pa.Table) -> tuple[str, ...]:
    """Return the cut flow as lines of text.

    ``drops alone``: what the cut would drop if it were the only one; ``only it``: spectra that
    fail it and no other cut of that sample.
    """
    rows = table.to_pylist()
    wide = max(len(row["condition"]) for row in rows)
    head = f"{'cut':<{wide}}" + "".join(f"{title:>13}" for title, _ in _SHOWN)
    lines = [head]
    for row in rows:
        line = f"{row['condition']:<{wide}}" + "".join(f"{row[name]:>13,}" for _, name in _SHOWN)
        lines.append(line)
        if row["paper_spectra"] is not None:
            counts = f"{row['paper_spectra']:>13,}{row['paper_stars']:>13,}"
            lines.append(f"{'  the paper has':<{wide}}{counts}")
    return tuple(lines)
