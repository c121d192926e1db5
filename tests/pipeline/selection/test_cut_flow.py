import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.selection.cut_flow import PAPER_SAMPLE, count_cut_flow, cut_flow_lines
from pipeline.selection.cuts import make_cuts
from pipeline.settings.sample import SampleSettings

CUTS = make_cuts(SampleSettings())
APPLICATION = 0b001111


def flow(source, known, failed, missing, *, n_parts=1, beside_paper=False):
    whole = pa.table(
        {
            "source_id": pa.array(np.array(source, np.int64), mask=~np.array(known, bool)),
            "failed": np.array(failed, np.int32),
            "missing": np.array(missing, np.int32),
        }
    )
    n = -(-len(source) // n_parts) or 1
    parts = [whole.slice(first, n) for first in range(0, max(len(source), 1), n)]
    with TemporaryDirectory() as scratch:
        return count_cut_flow(parts, CUTS, Path(scratch), beside_paper=beside_paper)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 63), st.integers(0, 63)),
        max_size=40,
    ),
    st.integers(1, 3),
)
def test_counts_equal_sets_of_python(rows, n_parts):
    big = 1 << 60
    source = [big + r[0] for r in rows]
    known, failed = [r[1] for r in rows], [r[2] for r in rows]
    missing = [r[2] & r[3] for r in rows]

    def stars(keep):
        return len({s for s, k, ok in zip(source, known, keep, strict=True) if k and ok})

    table = flow(source, known, failed, missing, n_parts=n_parts).to_pylist()
    assert (table[0]["spectra"], table[0]["stars"]) == (len(rows), stars([True] * len(rows)))
    before = 0
    for row, cut in zip(table[1:], CUTS, strict=True):
        bit = int(cut.flag)
        before |= bit
        within = APPLICATION if cut.sample == "application" else 63
        left, alone = [not f & before for f in failed], [not f & bit for f in failed]
        absent = [bool(m & bit) for m in missing]
        assert row["spectra"] == sum(left)
        assert row["stars"] == stars(left)
        assert row["dropped_spectra"] == len(rows) - sum(alone)
        assert row["dropped_stars"] == table[0]["stars"] - stars(alone)
        assert row["only_spectra"] == sum(f & within == bit for f in failed)
        assert row["missing_spectra"] == sum(absent)
        assert row["missing_stars"] == stars(absent)


def test_the_papers_counts_stand_beside_the_application_sample_only():
    table = flow([1, 2], [True, True], [0, 16], [0, 0], beside_paper=True).to_pylist()
    beside = [(r["cut"], r["paper_spectra"], r["paper_stars"]) for r in table if r["paper_stars"]]
    assert beside == [("snr_g", *PAPER_SAMPLE)]


def test_the_flow_prints_as_a_table():
    lines = cut_flow_lines(flow([7, 8], [True, True], [0, 16], [0, 0], beside_paper=True))
    assert len(lines) == 2 + 7 + 1
    heads = [f"{a} {b}" for a, b in zip(*(re.split(r"  +", h)[1:] for h in lines[:2]), strict=True)]
    assert len(set(heads)) == len(heads) == 7
    assert heads[:3] == ["left spectra", "left stars", "drops alone spectra"]
    assert "1,258,912" in lines[7]
    assert lines[8].startswith("3 < parallax_mas")
