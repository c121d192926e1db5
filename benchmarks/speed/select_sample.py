"""Cuts and cut flow over 7 million spectra: time and peak memory of the whole process tree.

    python benchmarks/speed/select_sample.py [--rows 7000000] [--folder DIR]

The tables of observations and photometry are drawn from the simulator's populations, one part per
shard of 4,096 spectra, and written before the clock starts. Runs `pairspec select` with two
workers, samples the resident memory of it and of all its children (proportional set size: shared
pages are counted once) every 250 ms, and checks the cut flow against DuckDB. Its peer is DuckDB in
a process of its own with two threads, which reads the same files, applies the same cuts, writes the
same two tables and counts the same cut flow. Processor time is of a command with all its children.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from process_tree import Use, fresh, measure, rates_of
from rates import keep

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
SPECTRA_A_STAR = 0.7


def fill(table: Table, n: int, known: dict[str, object]) -> pa.Table:
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
            manifest.write_table(fill(MANIFEST, n, place), row_group_size=SHARD)
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
        pq.write_table(fill(table, row.size, known), path, compression="zstd")


def _conditions() -> list[tuple[str, str]]:
    """Return in SQL where each cut has a value, and where it passes."""
    found = []
    for cut in make_cuts(SampleSettings()):
        value = (
            "(p.parallax_mas - coalesce(p.zero_point_mas, 0))"
            if (cut.column == "parallax_mas")
            else cut.column
        )
        missing = ", ".join(map(str, cut.missing_values))
        known = f"coalesce(isfinite({value}), false) AND {value} NOT IN ({missing})"
        limits = [f"{value} > {cut.low}::FLOAT"] if cut.low is not None else []
        limits += [f"{value} < {cut.high}::FLOAT"] if cut.high is not None else []
        found.append((known, " AND ".join([known, *limits])))
    return found


_JOINED = """read_parquet($o, hive_partitioning = false) AS o
    JOIN read_parquet($p, hive_partitioning = false) AS p USING ("row")"""


def _files(root: Root) -> dict[str, object]:
    tables = {"o": OBSERVATIONS, "p": PHOTOMETRY}
    return {name: parquet_files(root.table(table)) for name, table in tables.items()}


def duckdb_select(root: Root, out: Path) -> None:
    """Do the work of the stage by DuckDB alone: both tables and the cut flow."""
    cuts = _conditions()
    failed = " + ".join(f"if({passes}, 0, {1 << i})" for i, (_, passes) in enumerate(cuts))
    missing = " + ".join(f"if({known}, 0, {1 << i})" for i, (known, _) in enumerate(cuts))
    with duckdb.connect(config={"threads": 2}) as db:
        db.execute(
            f"""CREATE TABLE judged AS SELECT o.shard, "row", o.obsid, source_id, snr_g, teff_k,
            logg, feh, g_ks_0, m_g, m_g_err, parallax_mas, flags, {failed} AS failed,
            {missing} AS missing FROM {_JOINED}""",
            _files(root),
        )
        out.mkdir(parents=True, exist_ok=True)
        names, application = "shard, row, obsid, source_id", "failed & 15 = 0"
        sample = f"{names}, snr_g, teff_k, logg, feh, g_ks_0, m_g, m_g_err, parallax_mas, flags"
        for name, sql in (
            ("cuts", f"SELECT {names}, failed, missing FROM judged"),
            (
                "sample",
                f"SELECT {sample}, failed = 0 AS training FROM judged WHERE {application}",
            ),
        ):
            db.execute(f"COPY ({sql}) TO '{out / name}.parquet' (COMPRESSION zstd)")
        bits = [(1 << i, (2 << i) - 1) for i in range(len(cuts))]
        counted = [
            f"count(*) FILTER ({where}), count(DISTINCT source_id) FILTER ({where})"
            for bit, before in bits
            for where in (f"failed & {before} = 0", f"failed & {bit} = 0", f"missing & {bit} <> 0")
        ]
        db.execute(f"SELECT {', '.join(counted)} FROM judged").fetchall()


def check(root: Root) -> None:
    """Compare the cut flow with what DuckDB counts from the same tables."""
    where = []
    flow = pq.read_table(root.table(CUT_FLOW), partitioning=None).to_pylist()[1:]
    for (_, passes), got in zip(_conditions(), flow, strict=True):
        where.append(passes)
        sql = (
            f"SELECT count(*), count(DISTINCT source_id) FROM {_JOINED} WHERE {' AND '.join(where)}"
        )
        expected = duckdb.sql(sql, params=_files(root)).fetchall()[0]
        if expected != (got["spectra"], got["stars"]):
            raise SystemExit(f"{got['condition']}: {got} but DuckDB counts {expected}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=7_000_000)
    parser.add_argument("--folder", type=Path, help="keep the tables here")
    parser.add_argument("--peer", type=Path, help="let DuckDB do the work on this root")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write the result file")
    options = parser.parse_args()
    if options.peer:
        duckdb_select(Root(options.peer), options.peer / "duckdb")
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        root = Root(Path(options.folder or scratch) / "run")
        if not (root.path / "ledger" / "photometry.json").exists():
            root.path.mkdir(parents=True, exist_ok=True)
            write_tables(root, options.rows)
        print("run          spectra  seconds  of CPU  peak MiB")
        used: dict[str, list[Use]] = {}
        for number in range(options.repeats):
            copied = fresh(root.path, number)
            command = [sys.executable, "-m", "pipeline", "select", "--root", str(copied)]
            command += ["--set", "cluster.workers=2"]
            peer = [sys.executable, __file__, "--peer", str(copied)]
            for name, what in (("first", command), ("second", command), ("DuckDB", peer)):
                used.setdefault(name, []).append(measure(what))
                print(f"{name:6} {options.rows:13,} {used[name][-1]}", flush=True)
            check(Root(copied))
            print("the cut flow is that which DuckDB counts")
            shutil.rmtree(copied)
        if options.keep:
            keep(__file__, rates_of("select", f"{options.rows:,} spectra", used["first"],
                                    "DuckDB", used["DuckDB"]))  # fmt: skip


if __name__ == "__main__":
    main()
