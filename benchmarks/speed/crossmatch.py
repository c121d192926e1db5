"""The cross-match: this project compared with astropy's ``match_to_catalog_sky``.

Usage: ``python benchmarks/speed/crossmatch.py [--observations N] [--sources N] [--workers N]``.
Sources are uniform in 400 fields of 1.5 degrees radius, in plain Parquet, so that partitioning is
part of the time; a twentieth of the observations have a source that moves by up to 10 arcsec a
year. Astropy gets arrays in memory and does not apply proper motion: it misses the moving ones.
Peak memory is that of this process and its workers together (proportional set size, read 5 times
per second).
"""

import argparse
import json
import multiprocessing
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

N_FIELDS = 400
RADIUS_DEG = 1.5
BLOCK = 500_000
SHARD = 4096


def make_sources(number: int, n: int, folder: Path) -> None:
    """Write one file of sources in the columns that the cross-match needs."""
    rng = np.random.default_rng([1, number])
    centre = np.random.default_rng(0).random((N_FIELDS, 2))
    field = rng.integers(N_FIELDS, size=n)
    angle, radius = 2 * np.pi * rng.random(n), RADIUS_DEG * np.sqrt(rng.random(n))
    dec = np.rad2deg(np.arcsin(1.8 * centre[field, 1] - 0.9)) + radius * np.sin(angle)
    ra = np.mod(360 * centre[field, 0] + radius * np.cos(angle) / np.cos(np.deg2rad(dec)), 360)
    speed = np.where(rng.random(n) < 0.05, 10_000 * rng.random(n), 20 * rng.random(n))
    turn = 2 * np.pi * rng.random(n)
    g = 10 + 10 * np.sqrt(rng.random(n))
    columns = {
        "source_id": np.arange(n, dtype=np.int64) + number * BLOCK + (1 << 60),
        "ra": ra, "dec": dec, "ref_epoch": np.full(n, 2016.0),
        "pmra": speed * np.cos(turn), "pmdec": speed * np.sin(turn),
        "parallax": rng.random(n), "parallax_error": np.full(n, 0.02),
        "phot_g_mean_mag": g, "phot_bp_mean_mag": g + 0.4, "phot_rp_mean_mag": g - 0.6,
        "e_bv": 0.1 * rng.random(n),
    }  # fmt: skip
    pq.write_table(pa.table(columns), folder / f"part-{number:04d}.parquet")


def make_targets(n: int, sources: Path, folder: Path) -> np.ndarray:
    """Write observations of sources at their places and times, sorted by field as in a survey.

    Returns
    -------
    ndarray of int64, (B,)
        The source of each row.
    """
    from pipeline.photometry.positions import degrees, propagate
    from pipeline.photometry.targets import TARGETS

    files = sorted(sources.glob("*.parquet"))
    rng = np.random.default_rng(2)
    each = -(-n // len(files))
    names = ["source_id", "ra", "dec", "pmra", "pmdec"]
    picked = [
        table.take(rng.choice(table.num_rows, each))
        for table in (pq.read_table(f, columns=names) for f in files)
    ]
    table = pa.concat_tables(picked).slice(0, n)
    cell = (table["dec"].to_numpy() // 5) * 1000 + table["ra"].to_numpy() // 5
    table = table.take(pa.array(np.argsort(cell, kind="stable")))
    ra, dec, pmra, pmdec = (table[name].to_numpy() for name in names[1:])
    year = 2012 + 12 * rng.random(len(ra))
    ra, dec = degrees(propagate(ra, dec, pmra, pmdec, year - 2016))
    dec = dec + rng.normal(0, 0.1 / 3600, len(dec))
    row = np.arange(len(ra))
    written = pa.table([row, row // SHARD, ra, dec, year], names=TARGETS.names).cast(TARGETS)
    for shard in range(-(-len(ra) // SHARD)):
        part = written.slice(shard * SHARD, SHARD)
        pq.write_table(part, folder / f"part-{shard:06d}.parquet")
    return table["source_id"].to_numpy()


def measured(call: Callable[[], object]) -> tuple[object, float, float]:
    """Return what the call returns, its seconds, and the peak memory in GB."""
    peak, stop = [0.0], threading.Event()

    def watch() -> None:
        me = psutil.Process()
        while not stop.wait(0.2):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            peak[0] = max(peak[0], total / 1e9)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        result = call()
    finally:
        wall = time.perf_counter() - start
        stop.set()
        watcher.join()
    return result, wall, peak[0]


def in_process(function: Callable[..., object], *args: object) -> tuple[object, float, float]:
    """Measure a call in a fresh process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(theirs, function, args))
    process.start()
    result = ours.recv()
    process.join()
    if isinstance(result, str):
        raise SystemExit(result)
    return result


def _child(pipe: object, function: Callable[..., object], args: tuple[object, ...]) -> None:
    try:
        pipe.send(measured(lambda: function(*args)))
    except Exception as error:  # noqa: BLE001 (told to the parent)
        pipe.send(f"{type(error).__name__}: {error}")


def ours(work: Path, workers: int) -> dict[str, float]:
    """Partition both, cross-match, and choose the nearest of every observation."""
    import lsdb

    from cluster.connect import connect
    from cluster.settings import ClusterSettings
    from pipeline.photometry.hats_import import import_parquet
    from pipeline.photometry.matching import MovingMatch
    from pipeline.photometry.nearest import choose_nearest
    from pipeline.photometry.pairs import Pairs, match_catalogues, read_pairs
    from pipeline.photometry.sources import find_catalogue
    from pipeline.photometry.targets import POSITION, TARGETS
    from pipeline.tables.source_columns import GAIA, GAIA_REQUIRED

    aliases = GAIA | {"e_bv": ("e_bv",)}
    reach = 3 + 11 * 9
    times = {}
    with connect(ClusterSettings(workers=workers)) as client:
        start = time.perf_counter()
        found = find_catalogue(str(work / "sources"), aliases, GAIA_REQUIRED)
        catalogue = found.open(client, work, 500_000, 2)
        times["partition sources"] = time.perf_counter() - start
        start = time.perf_counter()
        parts = sorted((work / "targets").glob("*.parquet"))
        folder = import_parquet(
            client, parts, work / "targets_hats", TARGETS.names, POSITION,
            partition_rows=100_000, margin_arcsec=reach,
        )  # fmt: skip
        times["partition observations"] = time.perf_counter() - start
        start = time.perf_counter()
        files = match_catalogues(
            client, catalogue, lsdb.open_catalog(folder),
            MovingMatch(3.0, reach, found.names, 2016.0), Pairs(work / "pairs", "x"), 2,
        )  # fmt: skip
        times["match"] = time.perf_counter() - start
    start = time.perf_counter()
    truth = np.load(work / "truth.npy")
    right = 0
    for shard, paths in files.items():
        pairs = read_pairs(shard, paths)
        ids = pairs["source_id"].to_numpy()
        chosen = choose_nearest(
            pairs["target_row"].to_numpy(), pairs["separation_arcsec"].to_numpy(), ids,
            pairs["phot_g_mean_mag"].to_numpy(), np.zeros(len(ids), bool), 2.0,
        )  # fmt: skip
        right += int((ids[chosen.pair] == truth[chosen.row]).sum())
    times["choose (1 core)"] = time.perf_counter() - start
    return times | {"right": right / len(truth)}


def astropys(work: Path, n_sources: int) -> dict[str, float]:
    """Match all observations to the first sources, all in memory; read the files too."""
    from astropy import units
    from astropy.coordinates import SkyCoord

    files = sorted((work / "sources").glob("*.parquet"))
    sources = pa.concat_tables(
        [pq.read_table(f, columns=["source_id", "ra", "dec"]) for f in files]
    ).slice(0, n_sources)
    targets = pq.read_table(work / "targets")
    here = SkyCoord(*(targets[f"target_{n}_deg"].to_numpy() * units.deg for n in ("ra", "dec")))
    there = SkyCoord(*(sources[name].to_numpy() * units.deg for name in ("ra", "dec")))
    index, separation, _ = here.match_to_catalog_sky(there)
    ids = sources["source_id"].to_numpy()[index]
    truth = np.load(work / "truth.npy")[targets["target_row"].to_numpy()]
    right = (ids == truth) & (separation.arcsec <= 3)
    return {"right": float(right.mean())}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--observations", type=int, default=2_000_000)
    parser.add_argument("--sources", type=int, default=20_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder for the tables; temporary by default")
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(dir=args.work))
    try:
        for name in ("sources", "targets"):
            (work / name).mkdir()
        n_files = -(-args.sources // BLOCK)
        with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
            jobs = [
                (k, min(BLOCK, args.sources - k * BLOCK), work / "sources") for k in range(n_files)
            ]
            pool.starmap(make_sources, jobs)
        truth = make_targets(args.observations, work / "sources", work / "targets")
        np.save(work / "truth.npy", truth)
        print(f"{len(truth):,} observations, {args.sources:,} sources, {args.workers} workers")
        calls = {
            "pairspec": (ours, work, args.workers),
            "astropy": (astropys, work, args.sources),
        }
        for name, (function, *rest) in calls.items():
            result, wall, peak = in_process(function, *rest)
            shown = json.dumps({key: round(value, 4) for key, value in result.items()})
            print(f"{name:10}{wall:8.1f} s{peak:8.2f} GB  {shown}", flush=True)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
