"""Predictions to a catalogue of stars: time and peak memory of the whole process tree.

    python benchmarks/speed/catalogue.py [--rows 7000000] [--folder DIR]

Observations and photometry are those of `select_sample.py`, drawn from the
simulator's populations; each spectrum gets a random p_b. Runs `pairspec catalogue` with two
workers, then a cone search, and checks the stars against DuckDB. Observations without a source, two
in a hundred, are grouped by position.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from process_tree import Use, fresh, measure, rates_of
from rates import keep
from select_sample import SHARD, SPECTRA_A_STAR, fill, write_tables

from pipeline.catalogue.query import connect
from pipeline.core.parquet import table_files
from pipeline.core.published import Published, publish
from pipeline.core.root import Root
from schemas.catalogue import PREDICTIONS, SPECTRA, STARS
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY

CONES = 20
STAR_SPREAD_DEG = 1e-5


def write_predictions(root: Root, rows: int) -> None:
    """Write predictions, and positions of the spectra that fit their sources."""
    rng = np.random.default_rng(2)
    n_stars = int(rows / SPECTRA_A_STAR)
    ra_S = rng.uniform(0, 360, n_stars)
    dec_S = np.degrees(np.arcsin(rng.uniform(-0.17, 0.87, n_stars)))
    for shard in range(-(-rows // SHARD)):
        path = root.part(PHOTOMETRY, shard)
        table = pq.read_table(path, partitioning=None)
        n, row = table.num_rows, table["row"].to_numpy()
        star = table["source_id"].to_numpy() - (1 << 60)
        unmatched = star % 50 == 0
        known = {name: table[name].combine_chunks() for name in table.column_names}
        known["source_id"] = pa.array((1 << 60) + star, mask=unmatched)
        known["flags"] = np.where(unmatched, 1, 0)
        gaia = {
            "gaia_ra_deg": ra_S[star], "gaia_dec_deg": dec_S[star], "ref_epoch_yr": 2016.0,
            "pm_ra_masyr": rng.normal(0, 9, n), "pm_dec_masyr": rng.normal(0, 9, n),
        }  # fmt: skip
        known |= {k: pa.array(np.broadcast_to(v, n), mask=unmatched) for k, v in gaia.items()}
        for name in ("bp_mag", "rp_mag", "j_mag", "h_mag", "ks_mag", "ruwe", "distance_pc", "e_bv"):
            known[name] = rng.uniform(1, 16, n)
        pq.write_table(fill(PHOTOMETRY, n, known), path, compression="zstd")
        seen = root.part(OBSERVATIONS, shard)
        observed = pq.read_table(seen, partitioning=None)
        known = {name: observed[name].combine_chunks() for name in observed.column_names}
        known["ra_deg"] = ra_S[star] + rng.normal(0, STAR_SPREAD_DEG, n)
        known["dec_deg"] = dec_S[star] + rng.normal(0, STAR_SPREAD_DEG, n)
        known |= {"rv_kms": rng.normal(0, 30, n), "rv_err_kms": rng.uniform(1, 9, n)}
        known |= {"obj_class": "STAR", "teff_err_k": 50.0, "logg_err": 0.1, "feh_err": 0.1}
        pq.write_table(fill(OBSERVATIONS, n, known), seen, compression="zstd")
        logit = rng.normal(-1, 2, n)
        predicted = {
            "shard": shard, "row": row, "obsid": 100_000_000 + row, "source_id": None,
            "p_b": 1 / (1 + np.exp(-logit)), "logit": logit, "bad_fraction": 0.0, "quality": 0,
            "model_id": "benchmark123", "mode": "cpu float32 fused",
        }  # fmt: skip
        part = root.part(PREDICTIONS, shard)
        part.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(fill(PREDICTIONS, n, predicted), part, compression="zstd")
    publish(root.path, "predictions", Published("benchmark", {"spectra": rows}))


def check(root: Root) -> int:
    """Compare the stars with what DuckDB makes of the spectra; return their number."""
    stars, spectra = ([str(p) for p in table_files(root.table(t))] for t in (STARS, SPECTRA))
    with duckdb.connect() as db:
        files = {"stars": stars, "spectra": spectra}
        wrong = db.execute(
            """SELECT count(*) FROM read_parquet($stars, hive_partitioning = false) AS s
            FULL JOIN (SELECT star_id, max(p_b) AS p_b, count(*) AS n,
                              max(rv_kms) - min(rv_kms) AS d
                       FROM read_parquet($spectra, hive_partitioning = false) GROUP BY star_id) AS t
            USING (star_id) WHERE s.p_b IS DISTINCT FROM t.p_b OR s.n_spectra IS DISTINCT FROM t.n
            OR abs(coalesce(s.delta_rv_max_kms, 0) - t.d) > 0.001""",
            files,
        ).fetchall()[0][0]
        if wrong:
            raise SystemExit(f"{wrong} stars differ from what DuckDB makes of the spectra")
        counted = db.execute(
            "SELECT count(*) FROM read_parquet($stars, hive_partitioning = false)", {"stars": stars}
        )
        return int(counted.fetchall()[0][0])


def time_cones(root: Root) -> float:
    """Return the median time of a cone search of 10 arcmin, in one open connection, in ms."""
    rng, times = np.random.default_rng(3), []
    with connect(root.path) as tables:
        for _ in range(CONES):
            begin = time.perf_counter()
            sql = f"FROM cone({rng.uniform(0, 360)}, {rng.uniform(-5, 55)}, 10)"
            tables.sql(sql).fetchall()
            times.append(1000 * (time.perf_counter() - begin))
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=7_000_000)
    parser.add_argument("--folder", type=Path, help="keep the tables here")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write the result file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        root = Root(Path(options.folder or scratch) / "run")
        if not (root.path / "ledger" / "predictions.json").exists():
            root.path.mkdir(parents=True, exist_ok=True)
            write_tables(root, options.rows)
            write_predictions(root, options.rows)
        print("run      predictions  seconds  of CPU  peak MiB")
        used: list[Use] = []
        for number in range(options.repeats):
            copied = Root(fresh(root.path, number))
            command = [sys.executable, "-m", "pipeline", "catalogue", "--root", str(copied.path)]
            command += ["--set", "cluster.workers=2"]
            used.append(measure(command))
            for name, use in (("first", used[-1]), ("second", measure(command))):
                print(f"{name:6} {options.rows:13,} {use}", flush=True)
            print(f"{check(copied):,} stars, which are those of DuckDB")
            print(f"cone of 10 arcmin: median {time_cones(copied):.0f} ms")
            shutil.rmtree(copied.path)
        if options.keep:
            keep(__file__, rates_of("catalogue", f"{options.rows:,} spectra", used))


if __name__ == "__main__":
    main()
