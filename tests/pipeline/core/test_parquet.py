"""Our tables are read with the checksums of their pages, and what is damaged is named."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.core.atomic import write_parquet
from pipeline.core.errors import MismatchError
from pipeline.core.parquet import read_shards, read_table
from pipeline.core.root import Root
from schemas.sample import SAMPLE


@pytest.fixture
def folder(tmp_path):
    """Three parts in a folder whose name is no pattern."""
    folder = tmp_path / "row=1[*]" / "sample"
    for number in range(3):
        rows = pa.array(range(100 * number, 100 * number + 100), pa.int64())
        columns = {f.name: pa.nulls(100, f.type) for f in SAMPLE.schema} | {"row": rows}
        table = pa.table(columns, schema=SAMPLE.schema)
        write_parquet(folder / f"part-{number:06d}.parquet", table, dictionary=False)
    (folder / "part-000003.parquet.17.partial").write_bytes(b"half")
    return folder


def test_parts_columns_and_rows(folder):
    assert read_table(folder, SAMPLE)["row"].to_pylist() == list(range(300))
    assert read_table(folder, SAMPLE).schema.equals(SAMPLE.schema)
    part = folder / "part-000001.parquet"
    assert read_table(part, SAMPLE, ["row"], pc.field("row") > 197)["row"].to_pylist() == [198, 199]


@pytest.mark.parametrize("place", [4, 60, 150])
def test_a_damaged_page_is_named(folder, place):
    part = folder / "part-000001.parquet"
    content = bytearray(part.read_bytes())
    assert content.count((150).to_bytes(8, "little")) <= 1
    content[place] ^= 1
    part.write_bytes(content)
    try:
        table = read_table(folder, SAMPLE)
    except MismatchError as error:
        assert f"{part} is damaged (" in str(error) and "`pairspec select`" in str(error)
        assert "\n" not in str(error)
    else:
        # A bit of a page's header that means nothing: the values are all there.
        assert table["row"].to_pylist() == list(range(300))


def test_what_is_cut_or_missing_is_named(folder):
    part = folder / "part-000002.parquet"
    part.write_bytes(part.read_bytes()[:-10])
    with pytest.raises(MismatchError, match="part-000002.parquet is damaged .* delete it and run"):
        read_table(folder, SAMPLE, ["row"])
    part.unlink()
    with pytest.raises(MismatchError, match="part-000002.parquet is missing; run `pairspec select"):
        read_table(part, SAMPLE)


def test_shards_of_parts_that_hold_one_or_several(tmp_path):
    root = Root(tmp_path)

    def write(shards):
        rows = [{"shard": shard, "row": shard} for shard in shards if shard != 4]
        write_parquet(root.span(SAMPLE, shards), pa.Table.from_pylist(rows, SAMPLE.schema))

    write(range(1))
    write(range(1, 3))
    write(range(3, 7))
    write_parquet(
        root.part(SAMPLE, 7), pa.Table.from_pylist([{"row": 7, "shard": 7}], SAMPLE.schema)
    )

    def rows(first, last):
        return read_shards(root, SAMPLE, range(first, last + 1), ["row"])["row"].to_pylist()

    for first in range(8):
        for last in range(first, 8):
            assert rows(first, last) == [n for n in range(first, last + 1) if n != 4]
    root.span(SAMPLE, range(1, 3)).unlink()
    assert rows(0, 0) == [0] and rows(3, 7) == [3, 5, 6, 7]
    for first, last in ((0, 1), (1, 2), (2, 5), (0, 7), (8, 8)):
        with pytest.raises(MismatchError, match="is missing; run `pairspec select"):
            rows(first, last)
