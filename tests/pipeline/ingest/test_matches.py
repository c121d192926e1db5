"""The catalogue's row of every file: the first one of its exposure, whatever the shards are."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.atomic import write_parquet
from pipeline.core.root import Root
from pipeline.ingest.matches import COLUMNS, matches_path, read_matches, write_matches
from schemas.observations import HEADERS

EXPOSURE = ("lmjd", "planid", "spid", "fiberid")
KINDS = {"planid": pa.string(), "uid": pa.string(), **dict.fromkeys(
    ("obsid", "lmjd", "spid", "fiberid", "gaia_source_id"), pa.int64())}  # fmt: skip
SCHEMA = pa.schema(
    [(name, KINDS.get(name, pa.float64())) for name in ("obsid", *EXPOSURE, *COLUMNS)]
)


@pytest.fixture
def match(tmp_path):
    """``match(files, entries, shard_rows)``: what is read for each shard, put together."""

    def run(files, entries, shard_rows=4):
        root, catalogue = Root(tmp_path / "run"), tmp_path / "catalogue" / "catalogue.parquet"
        shards = [files[i : i + shard_rows] for i in range(0, len(files), shard_rows)]
        for shard, here in enumerate(shards):
            first = shard * shard_rows
            records = [
                {"shard": shard, "row": first + i, "path": "p", "size_bytes": 1, "quality": 0} | one
                for i, one in enumerate(here)
            ]
            write_parquet(
                root.part(HEADERS, shard), pa.Table.from_pylist(records, schema=HEADERS.schema)
            )
        catalogue.parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(entries, schema=SCHEMA), catalogue, row_group_size=3)
        done = write_matches(root, catalogue)
        out = matches_path(catalogue)
        assert sorted(path.name for path in out.parent.iterdir()) == [
            "catalogue.parquet", "matches.parquet",
        ]  # fmt: skip
        parts = []
        for shard in range(len(shards)):
            table = pq.read_table(root.part(HEADERS, shard), partitioning=None)
            rows = table.to_pandas(types_mapper=pd.ArrowDtype)["row"]
            parts.append(read_matches(out, rows))
            assert list(parts[-1].index) == list(rows.index)
        assert done.counts["matched"] == pq.read_metadata(out).num_rows
        run.done = done
        return pd.concat(parts, ignore_index=True)

    return run


def place(fibre, plan="A", night=58000):
    return {"lmjd": night, "planid": plan, "spid": 1, "fiberid": fibre}


def values(found, name):
    return [None if pd.isna(value) else value for value in found[name]]


def test_the_first_row_of_an_exposure_counts(match):
    files = [{"obsid": 7}, {"obsid": 5}, {"obsid": 7}, {"obsid": None}, {"obsid": 6}]
    entries = [{"obsid": number, "teff_k": float(at)} for at, number in enumerate([5, 9, 7, 7, 5])]
    found = match(files, entries, 2)
    assert values(found, "teff_k") == [2, 0, 2, None, None]
    assert values(found, "found_obsid") == [7, 5, 7, None, None]
    assert match.done.counts["repeated"] == 3
    assert match.done.notes == (
        "files with several rows in the catalogue: 3; the first row counts",
    )


def test_a_file_without_obsid_is_found_by_its_whole_fibre(match):
    files = [
        {"obsid": None} | place(3),
        {"obsid": None} | place(3, plan="B"),
        {"obsid": None} | place(3, plan=None),
        {"obsid": 99} | place(3),
        {"obsid": None} | place(3, night=None),
    ]
    entries = [
        {"obsid": 1} | place(3, plan=None),
        {"obsid": 2} | place(3),
        {"obsid": 3} | place(3),
        {"obsid": 4} | place(3, night=57999),
    ]
    assert values(match(files, entries), "found_obsid") == [2, None, None, None, None]


def test_ids_and_nulls_are_kept(match):
    big = 2**62 + 12345  # no float64 holds it
    found = match([{"obsid": 1}, {"obsid": 2}], [{"obsid": 1, "gaia_source_id": big, "uid": "G"}])
    assert values(found, "gaia_source_id") == [big, None]
    assert values(found, "uid") == ["G", None]
    assert match.done.notes == ()
    assert values(found, "teff_k") == [None, None]


@pytest.mark.parametrize("shard_rows", [1, 7, 1000])
def test_it_is_what_a_look_through_the_catalogue_finds(match, shard_rows):
    rng = np.random.default_rng(shard_rows)
    numbers = [None if n < 20 else int(n) for n in rng.integers(0, 150, 120)]
    fibres = rng.integers(0, 30, 120).tolist()
    files = [{"obsid": n} | place(f) for n, f in zip(numbers, fibres, strict=True)]
    entries = [
        {"obsid": int(n), "feh": float(at)} | place(int(f))
        for at, (n, f) in enumerate(rng.integers(0, [150, 30], (200, 2)).tolist())
    ]
    expected = []
    for file in files:
        names = EXPOSURE if file["obsid"] is None else ("obsid",)
        fits = (e for e in entries if all(e[name] == file[name] for name in names))
        expected.append(next((e["feh"] for e in fits), None))
    assert values(match(files, entries, shard_rows), "feh") == expected
    assert len(set(expected)) > 20


def test_a_shard_reads_no_more_than_its_rows(match, tmp_path):
    files = [{"obsid": n} for n in range(40_000)]
    match(files, [{"obsid": n, "z": float(n)} for n in range(40_000)], 40_000)
    out = tmp_path / "catalogue" / "matches.parquet"
    metadata = pq.read_metadata(out)
    column = metadata.schema.names.index("row")
    bounds = [
        metadata.row_group(g).column(column).statistics for g in range(metadata.num_row_groups)
    ]
    assert len(bounds) > 3
    assert all(a.max < b.min for a, b in pairwise(bounds))
