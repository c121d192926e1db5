"""What a run made is read with its checksums: a flipped bit names the file and the cure."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.catalogue.completeness import SelectionFunction
from pipeline.core.atomic import write_parquet
from pipeline.core.errors import MismatchError
from pipeline.core.pieces import Pieces
from pipeline.core.root import Root
from pipeline.photometry.pairs import ROW, SEPARATION, SHARD, pairs_path, read_pairs, write_pairs
from pipeline.report.tables import cut_flow, validation_rows
from pipeline.validation.injection import read_injections
from schemas.completeness import COMPLETENESS
from schemas.sample import CUT_FLOW
from schemas.validation import VALIDATION

N_ROWS = 500


def filled(table):
    """Rows whose values take many bytes."""
    rng = np.random.default_rng(1)
    columns = {}
    for field in table.schema:
        numbers = rng.integers(0, 2**15, N_ROWS)
        texts = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        values = [f"{n:x}" for n in numbers] if texts else numbers.tolist()
        columns[field.name] = pa.array(values).cast(field.type)
    return pa.table(columns, schema=table.schema)


def made(path, table):
    write_parquet(path, filled(table))
    return path


def pairs(folder):
    separation = np.random.default_rng(1).random(N_ROWS)
    rows = {SHARD: np.zeros(N_ROWS, int), ROW: np.arange(N_ROWS), SEPARATION: separation}
    path = pairs_path(folder, 0)
    write_pairs(path, pa.table(rows), Pieces(1, 1))
    return path


READERS = {
    "validation": (
        lambda root: made(root.table(VALIDATION), VALIDATION), validation_rows, "validate",
    ),
    "cut_flow": (lambda root: made(root.table(CUT_FLOW), CUT_FLOW), cut_flow, "select"),
    "completeness": (
        lambda root: made(root.path / COMPLETENESS.location, COMPLETENESS),
        lambda root: SelectionFunction(root.path), "validate",
    ),
    "injections": (
        lambda root: made(root.path / "i.parquet", COMPLETENESS),
        lambda root: read_injections((root.path / "i.parquet",)), "validate",
    ),
    "pairs": (
        lambda root: pairs(root.path),
        lambda root: read_pairs(range(1), [pairs_path(root.path, 0)]), "photometry",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_a_flipped_bit_is_noticed_and_the_command_named(name, tmp_path):
    make, read, command = READERS[name]
    root = Root(tmp_path)
    path = make(root)
    read(root)
    content = bytearray(path.read_bytes())
    # The middle of a file is within the values of a page.
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(MismatchError, match=f"{path} is damaged.*`pairspec {command}` again"):
        read(root)
