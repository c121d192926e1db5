"""Shards of the store through zarr-python's own codec pipeline and through that of zarrs (Rust).

Usage: ``python benchmarks/speed/store.py --root demo/run``, after `pairspec ingest`. zarrs is not
among the dependencies: ``pip install zarrs``. Per way and round: spectra per second of processor
time written (and read back, as `ingest` does) and read, and a digest of the files.
"""

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr

from pipeline.store.store import Rows, blank_rows, ensure_store, open_store, write_shard

WAYS = {
    "zarr-python": "zarr.core.codec_pipeline.BatchedCodecPipeline",
    "zarrs": "zarrs.ZarrsCodecPipeline",
}


def full_shard(root: Path, n_rows: int) -> Rows:
    """Return the survey's own rows, repeated until they fill a shard."""
    store = open_store(root / "spectra.zarr")
    valid = np.flatnonzero(store["valid"].to_numpy())
    rows = np.resize(valid, n_rows)
    return {name: store[name].to_numpy()[rows] for name in blank_rows(1)}


def digest(folder: Path) -> str:
    """Digest names and contents of all files."""
    made = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            made.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return made.hexdigest()[:12]


def measure(rows: Rows, chunk_rows: int) -> tuple[float, float, str]:
    """Write and read one shard: spectra per second of processor time, and the files' digest."""
    n_rows = rows["valid"].size
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spectra.zarr"
        ensure_store(path, 1, n_rows, chunk_rows, "benchmark")
        began = time.process_time()
        write_shard(path, 0, rows)
        written = time.process_time()
        store = open_store(path)
        for first in range(0, n_rows, chunk_rows):
            store.isel(row=slice(first, first + chunk_rows)).load()
        return (
            n_rows / (written - began),
            n_rows / (time.process_time() - written),
            digest(path),
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="a run with a store")
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--chunk-rows", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rows = full_shard(args.root, args.rows)
    for number in range(args.rounds):
        for name, pipeline in WAYS.items():
            with zarr.config.set({"codec_pipeline.path": pipeline}):
                write, read, files = measure(rows, args.chunk_rows)
            print(f"round {number}  {name:12} {write:8,.0f} written/s {read:8,.0f} read/s  {files}")


if __name__ == "__main__":
    main()
