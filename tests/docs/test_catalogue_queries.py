"""The example queries of the documents, on a finished run."""

import re
from pathlib import Path

import pytest

from pipeline.catalogue.query import connect

PAGE = Path(__file__).resolve().parents[2] / "docs" / "catalogue.md"
QUERIES = re.findall(r"```sql\n(.+?)```", PAGE.read_text(), re.DOTALL)

MAY_BE_EMPTY = ("cone(", "delta_rv_max_kms >", "p_b_mean > 0.8")
"""A small survey need not have such stars."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("finished"),
]


def test_there_are_ten():
    assert len(QUERIES) == len(set(QUERIES)) == 10


@pytest.mark.parametrize("sql", QUERIES, ids=range(len(QUERIES)))
def test_each_is_answered(finished, sql):
    with connect(finished.root) as tables:
        rows = tables.sql(sql).fetchall()
    assert rows or any(part in sql for part in MAY_BE_EMPTY)


def test_the_catalogue_of_a_finished_run_has_every_column(finished):
    with connect(finished.root) as tables:
        empty = [
            name
            for name, *_ in tables.sql("DESCRIBE stars").fetchall()
            if tables.sql(f'SELECT count("{name}") FROM stars').fetchall() == [(0,)]
        ]
        total = tables.sql("SELECT count(*), sum(n_spectra_all) FROM stars").fetchall()
        spectra = tables.sql("SELECT count(DISTINCT star_id), count(*) FROM spectra").fetchall()
        seen = tables.sql(
            "SELECT count(*) FROM labels JOIN spectra USING (row) WHERE labels.split = 'training' "
            "AND labels.label <> 'excluded' AND p_b IS NOT NULL AND quality & 32768 = 0"
        ).fetchall()
        ids = tables.sql(
            "SELECT count(*) FROM stars WHERE star_id <> 'Gaia ' || source_id::VARCHAR"
        ).fetchall()
    assert empty == []
    assert total == spectra
    assert seen == ids == [(0,)]
