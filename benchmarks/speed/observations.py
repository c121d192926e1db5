"""The stellar catalogue joined with the files: once for all shards, or looked through for each.

    python benchmarks/speed/observations.py [--rows 1000000] [--shards 8] [--folder DIR]

Headers and catalogue are drawn at random, one part per shard of 4,096 files; one file in fifty has
no OBSID and is found by its fibre, and one exposure in twenty stands twice in the catalogue. Each
way runs in a process of its own, of which seconds and the peak of the resident memory are quoted.
The second way takes each shard's rows out of the whole catalogue, for so many shards, and its time
is extrapolated to all. Their observations have to be the same, byte for byte.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipeline.core.pieces import Pieces
from pipeline.core.root import Root
from pipeline.ingest.duplicates import write_duplicates
from pipeline.ingest.matches import COLUMNS, matches_path, write_matches
from pipeline.ingest.observations import ObservationsJob, combine, write_observations
from pipeline.lamost.columns import COLUMNS as CATALOGUE
from pipeline.settings.tables import TableSettings
from schemas.observations import HEADERS, OBSERVATIONS

SHARD = 4096
BATCH = 100_000
EXPOSURE = ["lmjd", "planid", "spid", "fiberid"]


def _exposures(row: np.ndarray) -> dict[str, pa.Array]:
    """Night, plan, spectrograph and fibre of the files in some rows: 4,000 files share a plan."""
    plan = row // 4000
    return {
        "lmjd": pa.array(56000 + plan // 8),
        "planid": pa.array([f"HD{number:06d}N" for number in plan.tolist()]),
        "spid": pa.array(1 + row % 4000 // 250),
        "fiberid": pa.array(1 + row % 250),
    }


def _table(schema: pa.Schema, known: dict[str, pa.Array], n: int) -> pa.Table:
    columns = [
        known[field.name].cast(field.type) if field.name in known else pa.nulls(n, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def write_inputs(root: Root, rows: int) -> Path:
    """Write the headers of so many files, and a catalogue of them in random order."""
    rng = np.random.default_rng(1)
    for shard, first in enumerate(range(0, rows, SHARD)):
        row = np.arange(first, min(first + SHARD, rows))
        known = _exposures(row) | {
            "shard": pa.array(np.full(row.size, shard)), "row": pa.array(row),
            "path": pa.array([f"{i:09d}.fits.gz" for i in row.tolist()]),
            "size_bytes": pa.array(np.ones(row.size)), "quality": pa.array(np.zeros(row.size)),
            "obsid": pa.array(100_000_000 + row, mask=row % 50 == 0),
            "header_z": pa.array(rng.normal(0, 1e-4, row.size)),
        }  # fmt: skip
        part = root.part(HEADERS, shard)
        part.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(_table(HEADERS.schema, known, row.size), part, compression="zstd")
    catalogue = root.path / "tables" / "lamost_catalogue" / "catalogue.parquet"
    catalogue.parent.mkdir(parents=True, exist_ok=True)
    order = rng.permutation(np.concatenate([np.arange(rows), np.arange(0, rows, 20)]))
    schema = pa.schema([(column.name, column.dtype) for column in CATALOGUE])
    with pq.ParquetWriter(catalogue, schema, compression="zstd") as writer:
        for start in range(0, order.size, BATCH):
            row = order[start : start + BATCH]
            numbers = {
                column.name: pa.array(rng.normal(0, 100, row.size))
                for column in CATALOGUE
                if pa.types.is_floating(column.dtype)
            }
            known = numbers | _exposures(row) | {
                "obsid": pa.array(100_000_000 + row), "gaia_source_id": pa.array((1 << 60) + row),
                "uid": pa.array([f"G{i:015d}" for i in row.tolist()]),
            }  # fmt: skip
            writer.write_table(_table(schema, known, row.size))
    return catalogue


def once(root: Root, catalogue: Path, shards: int) -> list[float]:
    """Join once, then write the observations of every shard; seconds of both."""
    begin = time.perf_counter()
    write_matches(root, catalogue)
    joined = time.perf_counter()
    pieces = Pieces.of_rows(shards, SHARD, TableSettings().unit_spectra)
    job = ObservationsJob(root, matches_path(catalogue), pieces)
    for unit in range(len(pieces)):
        write_observations(unit, job)
    return [joined - begin, time.perf_counter() - joined]


def for_each(root: Root, catalogue: Path, shards: int) -> list[float]:
    """Look through the whole catalogue for some shards; seconds."""
    begin = time.perf_counter()
    for shard in range(shards):
        headers = pq.read_table(root.part(HEADERS, shard), partitioning=None)
        headers = headers.to_pandas(types_mapper=pd.ArrowDtype)
        table = combine(headers, _look_through(headers, catalogue), set())
        if not table.equals(pq.read_table(root.part(OBSERVATIONS, shard), partitioning=None)):
            raise SystemExit(f"the observations of shard {shard} differ")
    return [time.perf_counter() - begin]


def _look_through(headers: pd.DataFrame, catalogue: Path) -> pd.DataFrame:
    nameless = headers[headers["obsid"].isna()]
    wanted = pc.field("obsid").isin(pa.array(headers["obsid"].dropna().tolist(), pa.int64()))
    wanted |= pc.field("lmjd").isin(pa.array(sorted(set(nameless["lmjd"].astype(int)))))
    columns = ["obsid", *EXPOSURE, *COLUMNS]
    table = ds.dataset(catalogue, format="parquet").to_table(columns=columns, filter=wanted)
    rows = table.to_pandas(types_mapper=pd.ArrowDtype)
    rows["found_obsid"] = rows["obsid"]
    names = [*COLUMNS, "found_obsid"]
    by_number = rows.drop_duplicates("obsid").set_index("obsid")[names]
    by_fibre = rows.drop_duplicates(EXPOSURE).set_index(EXPOSURE)[names]
    found = by_number.reindex(headers["obsid"]).set_axis(headers.index)
    fibres = pd.MultiIndex.from_frame(nameless[EXPOSURE].astype(by_fibre.index.dtypes))
    found.loc[nameless.index] = by_fibre.reindex(fibres).to_numpy()
    return pd.DataFrame(found)


def duplicates(root: Root) -> list[float]:
    """Look for exposures that stand twice; seconds."""
    begin = time.perf_counter()
    write_duplicates(root)
    return [time.perf_counter() - begin]


def measure(work: Callable[..., list[float]], *args: object) -> tuple[list[float], float]:
    """Run a function in a process of its own; return its seconds and peak memory in MiB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, peak_kib = pool.apply(_measured, (work, *args))
    return seconds, peak_kib / 1024


def _measured(work: Callable[..., list[float]], *args: object) -> tuple[list[float], int]:
    seconds = work(*args)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=8, help="of the way that is extrapolated")
    parser.add_argument("--folder", type=Path, help="where to write")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        root = Root(Path(scratch))
        catalogue = write_inputs(root, options.rows)
        shards = -(-options.rows // SHARD)
        some = min(options.shards, shards)
        print(f"{options.rows:,} files, {shards} shards\n{'step':32} seconds  peak MiB")
        seconds, peak = measure(duplicates, root)
        print(f"{'duplicates':32} {seconds[0]:7.1f} {peak:9.0f}", flush=True)
        (join, write), peak = measure(once, root, catalogue, shards)
        print(f"{'joined once':32} {join:7.1f} {peak:9.0f}")
        print(f"{'  observations of all shards':32} {write:7.1f} {'':9}", flush=True)
        seconds, peak = measure(for_each, root, catalogue, some)
        every = seconds[0] * shards / some
        print(f"{f'for each shard ({some} measured)':32} {every:7.1f} {peak:9.0f}")


if __name__ == "__main__":
    main()
