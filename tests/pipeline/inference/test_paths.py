"""Folders of the path are no columns, and its characters no pattern, in any stage and reader."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalogue.query import connect
from pipeline.core.errors import InputError
from pipeline.evaluation.labelled import read_labelled_predictions
from schemas.catalogue import PREDICTIONS, SPECTRA, STARS
from schemas.observations import DUPLICATES, HEADERS, MANIFEST, OBSERVATIONS
from schemas.sample import LABELS
from tests.pipeline.inference.conftest import catalogue, infer, ingest, save_untrained

WRITTEN = (MANIFEST, HEADERS, DUPLICATES, OBSERVATIONS, PREDICTIONS, SPECTRA, STARS)
ODD = "row=7/[v1] a*b?"


def run_below(settings, root, client):
    made = settings.model_copy(update={"root": root})
    ingest(made, client)
    save_untrained(root / "model")
    infer(made, client)
    catalogue(made, client)
    return made


@pytest.fixture
def roots(settings, tmp_path, client):
    """Roots of two runs on the same files: a plain path, and one of columns and patterns."""
    # What the pattern would match too.
    (tmp_path / "row=7" / "v aXbY" / "tables" / "headers").mkdir(parents=True)
    plain, odd = tmp_path / "plain", tmp_path / ODD
    for root in (plain, odd):
        run_below(settings, root, client)
        if root == plain:
            stray = pq.read_table(plain / HEADERS.location, partitioning=None)
            below = tmp_path / "row=7" / "v aXbY" / HEADERS.location
            pq.write_table(stray, below / "part-000000.parquet")
    return plain, odd


def test_a_run_does_not_depend_on_its_path(roots, settings, client):
    plain, odd = roots
    with connect(plain) as expected, connect(odd) as found:
        for table in WRITTEN:
            files = (pq.read_table(root / table.location, partitioning=None) for root in roots)
            first, second = files
            assert first.column_names == table.names
            assert second.equals(first), table.name
            sql = f"FROM {table.name} ORDER BY ALL"
            assert found.sql(sql).columns == table.names
            assert found.sql(sql).fetchall() == expected.sql(sql).fetchall()
    labels = pq.read_table(plain / OBSERVATIONS.location, columns=["row"], partitioning=None)
    for root in roots:
        write_labels(root, labels["row"].to_pylist())
    joined = [
        read_labelled_predictions(root / LABELS.location, root / PREDICTIONS.location, None)
        for root in roots
    ]
    assert len(joined[0].p_b_B) == len(labels)
    np.testing.assert_array_equal(joined[1].p_b_B, joined[0].p_b_B)
    (settings.inputs.spectra / "new.fits").write_bytes(b"")
    with pytest.raises(InputError, match=r"1 new, 0 missing, 0 of another size"):
        ingest(settings.model_copy(update={"root": odd}), client)


def write_labels(root, rows):
    arrays = [
        pa.array(rows if field.name == "row" else [None] * len(rows), field.type)
        for field in LABELS.schema
    ]
    source = LABELS.schema.get_field_index("source_id")
    arrays[source] = pa.array(rows, pa.int64())
    folder = root / LABELS.location
    folder.mkdir(parents=True)
    table = pa.Table.from_arrays(arrays, schema=LABELS.schema)
    pq.write_table(table, folder / "part-000000.parquet")
