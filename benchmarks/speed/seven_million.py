"""A survey of 7 million spectra without its pixels: time and memory of every step on tables.

    python benchmarks/speed/seven_million.py [--rows 7000000] [--folder DIR]

Five stars for seven spectra are drawn from the simulator's populations, with their Gaia and 2MASS
tables, LAMOST's catalogue and the headers of all spectra, in parallel with Dask; p_b is drawn at
random, since no pixel is there to be classified. Then each step runs in a process of its own with
two workers: freeze of the manifest, observations (duplicates, match with LAMOST's catalogue, join),
photometry, select, label, catalogue, and the ten queries of docs/catalogue.md. Peaks of memory are
those of all processes together, of the driver and of the largest worker. Compare the steps at
70,000, 700,000 and 7,000,000.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from process_tree import measure
from query import DOCS, ask, median_s
from select_sample import SHARD, fill

from cluster.connect import connect
from cluster.settings import ClusterSettings
from cluster.window import run_window
from pipeline.catalogue.query import connect as connect_tables
from pipeline.core.atomic import write_parquet
from pipeline.core.parquet import read_table
from pipeline.core.pieces import Pieces
from pipeline.core.published import Published, publish
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.ingest.duplicates import write_duplicates
from pipeline.ingest.matches import matches_path, write_matches
from pipeline.ingest.observations import ObservationsJob, write_observations
from pipeline.lamost.columns import COLUMNS
from pipeline.photometry.positions import degrees, julian_year, propagate
from pipeline.settings.load import load_settings
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.catalogues import gaia_table, tmass_tables
from pipeline.simulate.merge import merge_parquet
from pipeline.simulate.parameters import measure as measure_parameters
from pipeline.simulate.photometry import observe_sources
from pipeline.simulate.population import draw_population
from pipeline.stages import find_stage, makers
from pipeline.store.manifest import freeze, open_manifest
from schemas.catalogue import PREDICTIONS
from schemas.observations import HEADERS, OBSERVATIONS
from schemas.table import Column, Table

BLOCK = 16 * SHARD
STARS = BLOCK * 5 // 7
BLOCKS = "blocks"
LAMOST = Table(
    "lamost_catalogue", "", "", tuple(Column(c.name, c.dtype, "") for c in COLUMNS)
)  # fmt: skip


def file_name(row: int) -> str:
    """Return the name of the file of a row: 4,000 spectra are of one plan."""
    return f"{row // 4000:06d}/spec-{row:09d}.fits.gz"


def draw_block(number: int, folder: Path, rows: int) -> None:
    """Write sources, headers and LAMOST's catalogue of the spectra of one block of shards."""
    rng, settings = np.random.default_rng([7, number]), SimulateSettings()
    first = number * BLOCK
    n = min(BLOCK, rows - first)
    n_stars = max(n * 5 // 7, 1)
    stars = draw_population(rng, n_stars, settings.population, settings.survey)
    sources = observe_sources(rng, stars)
    ra = rng.uniform(0, 360, n_stars)
    dec = np.degrees(np.arcsin(rng.uniform(-0.17, 0.87, n_stars)))
    source_id = (1 << 60) + (number * STARS + np.arange(n_stars) << 20)
    drawn = (rng, source_id, ra, dec, sources)
    write_parquet(folder / "gaia" / f"{number:05d}.parquet",
                  gaia_table(*drawn, stars.e_bv, settings.survey))  # fmt: skip
    write_parquet(folder / "tmass" / f"{number:05d}.parquet", tmass_tables(*drawn)[0])
    star = rng.permutation(np.concatenate([np.arange(n_stars),
                                           rng.integers(0, n_stars, n - n_stars)]))  # fmt: skip
    row = np.arange(first, first + n)
    snr = np.exp(rng.uniform(np.log(settings.snr_min), np.log(settings.snr_max), n_stars))
    s = stars.systems
    known = measure_parameters(
        rng, s.light_B2, s.teff_B2, s.logg_B2, s.mh, np.zeros((n_stars, 2)), snr, settings.errors
    )
    mjd = rng.uniform(55900, 60000, n)
    motion = (sources.pmra_masyr[star], sources.pmdec_masyr[star])
    years = julian_year(mjd) - 2016
    seen_ra, seen_dec = degrees(propagate(ra[star], dec[star], *motion, years))
    exposure = {
        "obsid": 100_000_000 + row, "lmjd": 55900 + row // 4000, "spid": 1 + row % 4000 // 250,
        "planid": [f"HD{one:06d}N" for one in (row // 4000).tolist()], "fiberid": 1 + row % 250,
    }  # fmt: skip
    header = exposure | {
        "shard": row // SHARD, "row": row, "path": [file_name(one) for one in row.tolist()],
        "size_bytes": 1, "ra_deg": seen_ra, "dec_deg": seen_dec, "obj_class": "STAR",
        "mjd_utc": mjd, "data_release": "DR10", "pipeline_version": "v2.9.7", "quality": 0,
        "header_z": rng.normal(0, 1e-4, n),
    }  # fmt: skip
    whole = fill(HEADERS, n, header)
    root = Root(folder / "run")
    for shard in range(number * BLOCK // SHARD, -(-(first + n) // SHARD)):
        part = whole.slice((shard * SHARD) - first, SHARD)
        write_parquet(root.part(HEADERS, shard), part)
    listed = exposure | {
        "uid": [f"G{one:015d}" for one in (source_id[star] >> 20).tolist()], "snr_g": snr[star],
        "gaia_source_id": source_id[star], "teff_k": known.teff_k[star], "teff_err_k": 60.0,
        "logg": known.logg[star], "logg_err": 0.1, "feh": known.feh[star], "feh_err": 0.1,
        "rv_kms": rng.normal(0, 30, n), "rv_err_kms": rng.uniform(2, 8, n), "obj_class": "STAR",
    }  # fmt: skip
    table = fill(LAMOST, n, listed).take(pa.array(rng.permutation(n)))
    write_parquet(lamost(root).parent / BLOCKS / f"part-{number:05d}.parquet", table)


def predict(shard: int, root: Root) -> None:
    """Write a random p_b of each counted spectrum of a shard."""
    rng = np.random.default_rng([8, shard])
    seen = read_table(root.part(OBSERVATIONS, shard), OBSERVATIONS, ["row", "obsid"])
    logit = rng.normal(-1, 2, seen.num_rows)
    drawn = {
        "shard": shard, "row": seen["row"].to_numpy(), "obsid": seen["obsid"].to_numpy(),
        "p_b": 1 / (1 + np.exp(-logit)), "logit": logit, "bad_fraction": 0.0, "quality": 0,
        "model_id": "benchmark123", "mode": "cpu float32 fused",
    }  # fmt: skip
    write_parquet(root.part(PREDICTIONS, shard), fill(PREDICTIONS, seen.num_rows, drawn))


def lamost(root: Root) -> Path:
    """File of LAMOST's catalogue in canonical columns."""
    return root.path / "tables" / "lamost_catalogue" / "catalogue.parquet"


def step_tables(folder: Path, rows: int) -> None:
    """Draw the survey."""
    with connect(ClusterSettings(workers=2)) as client:
        list(run_window(client, draw_block, range(-(-rows // BLOCK)), folder, rows))
    # `pairspec ingest` writes one file.
    catalogue = lamost(Root(folder / "run"))
    merge_parquet(catalogue.parent / BLOCKS, catalogue)
    shutil.rmtree(catalogue.parent / BLOCKS)


def step_freeze(folder: Path, rows: int) -> None:
    """Freeze the manifest of names as a walk through the folders would give them."""
    names = ((file_name(row), 1) for row in range(rows))
    freeze(folder / "run" / "manifest.parquet", lambda: names, SHARD)


def step_observations(folder: Path, rows: int) -> None:
    """Do what `pairspec ingest` does after the pixels."""
    root = Root(folder / "run")
    settings = load_settings(None, [], root=root.path)
    with connect(ClusterSettings(workers=2)) as client:
        run = Run(find_stage("ingest"), settings, root, client, makers())
        run.once(write_duplicates, root, digest="benchmark", step="duplicates")
        run.once(write_matches, root, lamost(root), digest="benchmark", step="matches")
        pieces = Pieces.of_rows(
            open_manifest(root.manifest).n_shards, SHARD, settings.tables.unit_spectra
        )
        job = ObservationsJob(root, matches_path(lamost(root)), pieces)
        counts = run.each(
            write_observations, len(pieces), job, digest="benchmark", step="observations"
        )
        run.balance(rows, counts["rows"], "files", "observations")
        counts["valid"] = counts["rows"] - counts["superseded"] - counts["refused"]
        run.publish("benchmark", counts)


def step_predictions(folder: Path, rows: int) -> None:
    """Draw p_b of all spectra."""
    root = Root(folder / "run")
    with connect(ClusterSettings(workers=2)) as client:
        list(run_window(client, predict, range(open_manifest(root.manifest).n_shards), root))
    publish(root.path, "predictions", Published("benchmark", {"spectra": rows}))


def step_queries(folder: Path, rows: int) -> None:
    """Ask the ten queries of the docs, three times each in one open connection."""
    queries = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    with connect_tables(folder / "run") as tables:
        took = [median_s(lambda sql=sql: ask(tables, sql), 3)[0] for sql in queries]
    said = f"median {np.median(took):.3f} s, longest {max(took):.3f} s, cone {took[2]:.3f} s"
    (folder / "queries.txt").write_text(f"queries of {rows:,} spectra: {said}")


OWN = {
    "tables": step_tables, "freeze": step_freeze, "observations": step_observations,
    "predictions": step_predictions, "queries": step_queries,
}  # fmt: skip
STEPS = (
    "tables", "freeze", "observations", "photometry", "select", "label", "predictions", "catalogue",
    "queries",
)  # fmt: skip


def command_of(step: str, folder: Path, rows: int) -> list[str]:
    """Return the command of a step: this file, or the stage of that name."""
    if step in OWN:
        return [sys.executable, __file__, "--step", step, "--rows", str(rows),
                "--folder", str(folder)]  # fmt: skip
    settings = [f"inputs.{name}={folder / name}" for name in ("gaia", "tmass")]
    settings += ["inputs.gaia_release=DR3", f"inputs.truth={folder}", "cluster.workers=2"]
    command = [sys.executable, "-m", "pipeline", step, "--root", str(folder / "run")]
    return command + [word for setting in settings for word in ("--set", setting)]


def size_gb(folder: Path) -> float:
    """Return the size of all files below a folder in GB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=7_000_000)
    parser.add_argument("--folder", type=Path, help="where to write; steps made before are kept")
    parser.add_argument("--step", choices=tuple(OWN), help="do one step in this process")
    options = parser.parse_args()
    if options.step:
        OWN[options.step](options.folder, options.rows)
        return
    folder = (options.folder or Path(tempfile.mkdtemp())).resolve()
    try:
        print(f"{options.rows:,} spectra of {options.rows * 5 // 7:,} stars")
        print("step           seconds  of CPU  peak MiB  driver  worker  GB below the folder")
        for step in STEPS:
            done = folder / f"{step}.done"
            if done.exists():
                continue
            use = measure(command_of(step, folder, options.rows))
            line = f"{step:13} {use}{use.driver:8.0f}{use.worker:8.0f}{size_gb(folder):8.2f}"
            print(line, flush=True)
            done.write_text(f"{line} {time.strftime('%H:%M')} load {os.getloadavg()[0]:.1f}\n")
        print((folder / "queries.txt").read_text())
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
