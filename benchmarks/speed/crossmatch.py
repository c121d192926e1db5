"""The cross-match: this project compared with astropy's ``match_to_catalog_sky``.

Usage: ``python benchmarks/speed/crossmatch.py [--observations N] [--sources N] [--workers N]``.
Sources are uniform in 400 fields of 1.5 degrees radius, in plain Parquet and in no order; a
twentieth of the observations have a source that moves by up to 10 arcsec a year. Astropy reads the
same files into memory and does not apply proper motion: it misses the moving ones. Each line has
seconds, seconds of CPU of the process with its workers, and peak memory. Peak memory is that of
this process and its workers together (proportional set size, read 5 times per second).
"""

import argparse
import json
import multiprocessing
import resource
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
from rates import Rate, keep

N_FIELDS = 400
RADIUS_DEG = 1.5
BLOCK = 500_000
SHARD = 4096
UNIT = 32 * SHARD


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
    for unit in range(-(-len(ra) // UNIT)):
        pq.write_table(written.slice(unit * UNIT, UNIT), folder / f"part-{unit:06d}.parquet")
    return table["source_id"].to_numpy()


watching_s = [0.0]
"""Seconds of CPU that it took to look at the memory: not what is measured."""


def cpu_s() -> float:
    """Return the seconds of CPU of this process and all its children, ended or not."""
    me, ended = psutil.Process(), resource.getrusage(resource.RUSAGE_CHILDREN)
    total = ended.ru_utime + ended.ru_stime - watching_s[0]
    for process in [me, *me.children(recursive=True)]:
        used = process.cpu_times()
        total += used.user + used.system
    return total


def measured(call: Callable[[], object]) -> tuple[object, float, float, float]:
    """Return what the call returns, its seconds, those of CPU, and the peak memory in GB."""
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
            watching_s[0] = time.thread_time()

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        result = call()
    finally:
        wall = time.perf_counter() - start
        stop.set()
        watcher.join()
    return result, wall, cpu_s(), peak[0]


def in_process(
    function: Callable[..., object], *args: object
) -> tuple[object, float, float, float]:
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


def ours(work: Path, out: Path, workers: int) -> dict[str, float]:
    """Sort the observations, cross-match, and choose the nearest of every observation."""
    from cluster.connect import connect
    from cluster.settings import ClusterSettings
    from pipeline.core.pieces import Pieces
    from pipeline.core.root import Root
    from pipeline.core.run import Run
    from pipeline.photometry.matching import MovingMatch
    from pipeline.photometry.nearest import choose_nearest
    from pipeline.photometry.pairs import Match, match_catalogues, read_pairs
    from pipeline.photometry.sources import find_catalogue
    from pipeline.photometry.target_parts import TargetParts, sort_targets
    from pipeline.settings.load import load_settings
    from pipeline.stages import find_stage, makers
    from pipeline.tables.source_columns import GAIA, GAIA_REQUIRED

    aliases = GAIA | {"e_bv": ("e_bv",)}
    reach = 3 + 11 * 9
    truth = np.load(work / "truth.npy")
    pieces = Pieces.of_rows(-(-len(truth) // SHARD), SHARD, UNIT)
    settings = load_settings(None, [], root=out)
    times, clock = {}, [time.perf_counter(), cpu_s()]

    def told(name: str) -> None:
        now = [time.perf_counter(), cpu_s()]
        times[name], times[f"{name}, CPU"] = now[0] - clock[0], now[1] - clock[1]
        clock[:] = now

    inline = ClusterSettings(kind="inline")
    with connect(ClusterSettings(workers=workers) if workers else inline) as client:
        run = Run(find_stage("photometry"), settings, Root(out), client, makers())
        told("start")
        parts = sorted((work / "targets").glob("*.parquet"))
        rows = settings.photometry.partition_rows
        targets = TargetParts(out / "targets_sorted", 3.0, reach)
        sort_targets(run, parts, targets, rows)
        told("sort observations")
        found = find_catalogue(str(work / "sources"), aliases, GAIA_REQUIRED)
        columns = tuple(found.names.values())
        algorithm = MovingMatch(3.0, reach, found.names, 2016.0)
        match = Match(columns, targets, algorithm, out / "pairs", pieces)
        files, _ = match_catalogues(run, found.blocks(out, rows, targets), match, "match", "x")
        told("match")
    right = 0
    for unit, paths in files.items():
        pairs = read_pairs(pieces.shards(unit), paths)
        ids = pairs["source_id"].to_numpy()
        chosen = choose_nearest(
            pairs["target_row"].to_numpy(), pairs["separation_arcsec"].to_numpy(), ids,
            pairs["phot_g_mean_mag"].to_numpy(), np.zeros(len(ids), bool), 2.0,
        )  # fmt: skip
        right += int((ids[chosen.pair] == truth[chosen.row]).sum())
    told("choose")
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
    parser.add_argument("--workers", type=int, default=2, help="0: this process alone")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write the result file")
    parser.add_argument("--work", type=Path, help="folder for the tables; temporary by default")
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(dir=args.work))
    try:
        for name in ("sources", "targets"):
            (work / name).mkdir()
        n_files = -(-args.sources // BLOCK)
        with multiprocessing.get_context("spawn").Pool(max(args.workers, 1)) as pool:
            jobs = [
                (k, min(BLOCK, args.sources - k * BLOCK), work / "sources") for k in range(n_files)
            ]
            pool.starmap(make_sources, jobs)
        truth = make_targets(args.observations, work / "sources", work / "targets")
        np.save(work / "truth.npy", truth)
        print(f"{len(truth):,} observations, {args.sources:,} sources, {args.workers} workers")
        calls = [
            ("pairspec", ours, work, Path(tempfile.mkdtemp(dir=work)), args.workers)
            if name == "pairspec" else (name, astropys, work, args.sources)
            for name in args.repeats * ("pairspec", "astropy")
        ]  # fmt: skip
        used: dict[str, list[tuple[float, ...]]] = {name: [] for name, *_ in calls}
        for name, function, *rest in calls:
            result, *took = in_process(function, *rest)
            used[name].append(tuple(took))
            wall, cpu, peak = took
            shown = json.dumps({key: round(value, 4) for key, value in result.items()})
            print(f"{name:10}{wall:8.1f} s{cpu:8.1f} s of CPU{peak:8.2f} GB  {shown}", flush=True)
        if args.keep:
            size = f"{len(truth):,} observations, {args.sources:,} sources"
            units = zip(("s", "s of CPU", "GB"), *(zip(*v, strict=True) for v in used.values()),
                        strict=True)  # fmt: skip
            keep(__file__, [
                Rate("cross-match", size, unit, own, "astropy in memory", other, less_is_more=True)
                for unit, own, other in units
            ])  # fmt: skip
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
