"""Cuts and cut flow over 7 million spectra: time and peak memory of the whole process tree.

    python benchmarks/speed/select_sample.py [--rows 7000000] [--folder DIR]

The tables of observations and photometry are drawn from the simulator's populations, one part per
shard of 4,096 spectra, and written before the clock starts. Runs `pairspec select` with two
workers, samples the resident memory of it and of all its children (proportional set size: shared
pages are counted once) every 50 ms, and checks the cut flow against DuckDB.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.published import Published, publish
from pipeline.core.root import Root
from pipeline.selection.cuts import make_cuts
from pipeline.settings.sample import SampleSettings
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.diagram import Diagram, draw_diagram
from pipeline.tables.literal import parquet_files
from schemas.observations import MANIFEST, OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.quality import PhotometryFlag
from schemas.sample import CUT_FLOW
from schemas.table import Table

SHARD = 4096
POOL = 100_000
SPECTRA_A_STAR = 1.6
MIB = 2**20


def _fill(table: Table, n: int, known: dict[str, object]) -> pa.Table:
    """Build a table with every column of the schema: the known ones, the others null."""
    arrays = []
    for field in table.schema:
        value = known.get(field.name)
        if value is None:
            arrays.append(pa.nulls(n, field.type))
        elif np.isscalar(value):
            arrays.append(pa.repeat(pa.scalar(value, field.type), n))
        else:
            arrays.append(pa.array(value).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=table.schema)


def write_tables(root: Root, rows: int) -> None:
    """Write the manifest, the observations and the photometry of a survey of so many spectra."""
    rng = np.random.default_rng(1)
    pool = draw_diagram(rng, POOL, SimulateSettings())
    n_shards = -(-rows // SHARD)
    n_stars = int(rows / SPECTRA_A_STAR)
    with pq.ParquetWriter(root.path / "manifest.parquet", MANIFEST.schema) as manifest:
        for shard in range(n_shards):
            n = min(SHARD, rows - shard * SHARD)
            row = np.arange(shard * SHARD, shard * SHARD + n)
            _write_shard(root, shard, row, rng.integers(0, n_stars, n), pool, rng)
            paths = [f"{i:08d}.fits.gz" for i in row.tolist()]
            place = {"shard": shard, "row": row, "path": paths, "size_bytes": 1}
            manifest.write_table(_fill(MANIFEST, n, place), row_group_size=SHARD)
        manifest.add_key_value_metadata({"digest": "benchmark", "shard_rows": str(SHARD)})
    counts = {"rows": rows, "valid": rows}
    publish(root.path, "observations", Published("benchmark", counts))
    publish(root.path, "photometry", Published("benchmark", {"spectra": rows}))


def _write_shard(
    root: Root,
    shard: int,
    row: np.ndarray,
    star: np.ndarray,
    pool: Diagram,
    rng: np.random.Generator,
) -> None:
    who = star % POOL
    place = {"shard": shard, "row": row, "obsid": 100_000_000 + row}
    # One in twenty has no parameters, one in fifty no 2MASS source.
    teff = np.where(rng.random(row.size) < 0.05, -9999.0, pool.teff_k[who])
    no_colour = star % 50 == 0
    observed = place | {
        "quality": 0, "data_release": "DR10", "teff_k": teff.astype("f4"),
        "logg": pool.logg[who].astype("f4"), "feh": pool.feh[who].astype("f4"),
        "snr_g": pool.snr_g[who].astype("f4"), "ra_deg": rng.uniform(0, 360, row.size),
        "dec_deg": rng.uniform(-10, 60, row.size), "reason": "",
    }  # fmt: skip
    colour = pa.array(pool.colour[who].astype("f4"), mask=no_colour)
    flags = np.where(no_colour, int(PhotometryFlag.NO_TMASS | PhotometryFlag.NO_COLOUR), 0)
    photometry = place | {
        "source_id": (1 << 60) + star, "g_ks_0": colour, "m_g": pool.m_g[who].astype("f4"),
        "m_g_err": 0.01, "parallax_mas": pool.parallax_mas[who].astype("f4"),
        "zero_point_mas": 0.0, "flags": flags, "g_mag": rng.uniform(9, 16, row.size),
    }  # fmt: skip
    for table, known in ((OBSERVATIONS, observed), (PHOTOMETRY, photometry)):
        path = root.part(table, shard)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(_fill(table, row.size, known), path, compression="zstd")


def measure(command: list[str]) -> tuple[float, float]:
    """Run a command; return seconds and the peak memory of its whole tree in MiB."""
    begin = time.perf_counter()
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            total = 0
            for member in [tree, *_children(tree)]:
                try:
                    total += member.memory_full_info().pss
                except psutil.Error:  # it has just ended
                    continue
            peak = max(peak, total / MIB)
            time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return time.perf_counter() - begin, peak


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def check(root: Root) -> None:
    """Compare the cut flow with what DuckDB counts from the same tables."""
    where = []
    files = {
        "o": parquet_files(root.table(OBSERVATIONS)),
        "p": parquet_files(root.table(PHOTOMETRY)),
    }
    tables = """read_parquet($o, hive_partitioning = false) AS o
        JOIN read_parquet($p, hive_partitioning = false) AS p USING ("row")"""
    for cut, got in zip(
        make_cuts(SampleSettings()),
        pq.read_table(root.table(CUT_FLOW), partitioning=None).to_pylist()[1:],
        strict=True,
    ):
        value = (
            "(p.parallax_mas - coalesce(p.zero_point_mas, 0))"
            if (cut.column == "parallax_mas")
            else cut.column
        )
        where.append(f"isfinite({value}) AND {value} NOT IN (-9999, -999, 99)")
        where += [f"{value} > {cut.low}::FLOAT"] if cut.low is not None else []
        where += [f"{value} < {cut.high}::FLOAT"] if cut.high is not None else []
        sql = (
            f"SELECT count(*), count(DISTINCT source_id) FROM {tables} WHERE {' AND '.join(where)}"
        )
        expected = duckdb.sql(sql, params=files).fetchall()[0]
        if expected != (got["spectra"], got["stars"]):
            raise SystemExit(f"{cut.condition}: {got} but DuckDB counts {expected}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=7_000_000)
    parser.add_argument("--folder", type=Path, help="keep the tables here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        root = Root(Path(options.folder or scratch) / "run")
        if not (root.path / "ledger" / "photometry.json").exists():
            root.path.mkdir(parents=True, exist_ok=True)
            write_tables(root, options.rows)
        command = [sys.executable, "-m", "pipeline", "select", "--root", str(root.path)]
        command += ["--set", "cluster.workers=2"]
        print("run        spectra  seconds  peak MiB")
        for name in ("first", "second"):
            seconds, peak = measure(command)
            print(f"{name:6} {options.rows:11,} {seconds:8.1f} {peak:9.0f}", flush=True)
        check(root)
        print("the cut flow is that which DuckDB counts")


if __name__ == "__main__":
    main()
