"""Ingest of 1, 4 and 16 shards' worth of files: spectra per second and peak memory.

    python benchmarks/speed/ingest.py [FOLDER OF SPECTRA] [--rows 4096]

The files are links to the real ones under new names, as many as needed. Peak memory is what the
operating system counted for the driver and for the largest worker, each size in a fresh process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARDS = (1, 4, 16)


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(spectra: Path, root: Path, rows: int) -> None:
    """Ingest in this process and print what it took as JSON."""
    from cluster.connect import connect
    from pipeline.settings.load import load_settings
    from pipeline.stages import run_stage

    chunk = min(512, rows)
    settings = load_settings(
        None,
        [f"ingest.shard_rows={rows}", f"ingest.chunk_rows={chunk}", "cluster.workers=2"],
        root=root,
        inputs={"spectra": spectra},
    )
    with connect(settings.cluster) as client:
        begin = time.perf_counter()
        report = run_stage("ingest", settings, client)
        seconds = time.perf_counter() - begin
        workers = client.run(peak_mib)
    result = {"seconds": seconds, "worker": max(workers.values()), "driver": peak_mib()}
    sys.stdout.write(json.dumps(result | {"spectra": report.counts["spectra"]}) + "\n")


def fits_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.fits*") if path.is_file())


def link_files(source: Path, folder: Path, n_files: int) -> None:
    for i, path in enumerate(islice(cycle(fits_files(source)), n_files)):
        plan = folder / f"{i // 4000:04d}"
        plan.mkdir(parents=True, exist_ok=True)
        (plan / f"{i:07d}-{path.name}").symlink_to(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("PAIRSPEC_REAL_DATA", HERE.parents[2] / "shared" / "data" / "lamost")
    parser.add_argument(
        "spectra", nargs="?", type=Path, default=Path(default) / "spectra",
        help="folder of LAMOST files (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--rows", type=int, default=4096, help="spectra per shard")
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.root:
        measure(options.spectra, options.root, options.rows)
        return
    if not fits_files(options.spectra):
        parser.error(f"no spectra under {options.spectra}: name a folder of LAMOST files")
    print("shards    files  seconds  files/s  worker MiB  driver MiB")
    for shards in SHARDS:
        with tempfile.TemporaryDirectory() as scratch:
            files = Path(scratch) / "spectra"
            link_files(options.spectra, files, shards * options.rows)
            command = [sys.executable, __file__, str(files), "--rows", str(options.rows)]
            done = subprocess.run(
                [*command, "--root", f"{scratch}/run"], check=True, stdout=subprocess.PIPE
            )
            r = json.loads(done.stdout)
            n = shards * options.rows
            print(
                f"{shards:6d} {n:8d} {r['seconds']:8.1f} {n / r['seconds']:8.0f} "
                f"{r['worker']:11.0f} {r['driver']:11.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
