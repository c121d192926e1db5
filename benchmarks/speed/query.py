"""The ten queries of docs/catalogue.md on 7 million stars, beside pandas and astropy.

    python benchmarks/speed/query.py [--stars 7000000] [--folder DIR] [--repeats 3]

Draws stars from the simulator's populations as a run's HATS folder, with one spectrum and one
observation of each. DuckDB is asked as `pairspec query` asks it, in one open connection; pandas and
`astropy.table.Table` answer the same questions from the same files, of which they read the columns
that they need. All give the same number of rows, which is checked. Times are medians; processor
time, of all threads, is beside them, since it says more on a machine that others use.
"""

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from astropy.table import Table as AstropyTable
from hats.pixel_math.spatial_index import compute_spatial_index
from rates import Rate, keep
from select_sample import POOL, fill

from pipeline.catalogue.hats import count_pixels, describe, plan_partitions
from pipeline.catalogue.query import Tables, connect
from pipeline.catalogue.spectra import ROW_GROUP
from pipeline.core.atomic import write_parquet
from pipeline.core.parquet import table_files
from pipeline.core.root import Root
from pipeline.photometry.naming import designations
from pipeline.settings.catalogue import CatalogueSettings
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.diagram import draw_diagram
from schemas.catalogue import HEALPIX, SPECTRA, STARS
from schemas.observations import OBSERVATIONS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "catalogue.md"
Frame = Any


def write_run(root: Root, n: int) -> None:
    """Write the catalogues of stars and spectra, and the observations, of so many stars."""
    rng, own = np.random.default_rng(5), CatalogueSettings()
    pool = draw_diagram(rng, POOL, SimulateSettings())
    ra = rng.uniform(0, 360, n)
    dec = np.degrees(np.arcsin(rng.uniform(-0.17, 0.87, n)))
    index = compute_spatial_index(ra, dec)
    order = np.argsort(index)
    ra, dec, index = ra[order], dec[order], index[order]
    rows = []
    for number, pixel in enumerate(plan_partitions(count_pixels(index), own.part_stars)):
        first, last = np.searchsorted(index, [pixel.first, pixel.last + 1]).tolist()
        here = slice(first, last)
        known = _draw(rng, pool, index[here], ra[here], dec[here], np.arange(first, last))
        write_parquet(pixel.path(root.table(STARS)), fill(STARS, last - first, known),
                      own.row_group_stars)  # fmt: skip
        rows.append((pixel, last - first))
        for table in (SPECTRA, OBSERVATIONS):
            write_parquet(root.part(table, number), fill(table, last - first, known), ROW_GROUP)
    describe(root.table(STARS).parent, rows, own.part_stars)


def _draw(
    rng: np.random.Generator, pool: Any, index: Any, ra: Any, dec: Any, number: Any
) -> dict[str, object]:
    n, who = number.size, rng.integers(0, POOL, number.size)
    logit = rng.normal(-1, 2, n)
    p_b = pa.array((1 / (1 + np.exp(-logit))).astype("f4"), mask=rng.random(n) < 0.001)
    labelled = rng.random(n) < 0.06
    bits = sum(bit * (rng.random(n) < 0.03) for bit in (1024, 2048, 4096, 8192))
    source = (1 << 60) + number
    label = np.where(rng.random(n) < 0.05, "binary", "single")
    return {
        HEALPIX: index, "ra_deg": ra, "dec_deg": dec, "star_ra_deg": ra, "star_dec_deg": dec,
        "source_id": source, "star_id": [f"Gaia {one}" for one in source.tolist()],
        "designation": designations(ra, dec), "g_mag": rng.uniform(9, 17, n),
        "teff_k": pool.teff_k[who], "logg": pool.logg[who], "feh": pool.feh[who],
        "g_ks_0": pa.array(pool.colour[who], mask=rng.random(n) < 0.02), "m_g": pool.m_g[who],
        "parallax_mas": pool.parallax_mas[who], "snr_g": pool.snr_g[who],
        "label": pa.array(label, mask=~labelled), "delta_m_g": rng.normal(0, 0.3, n),
        "p_b": p_b, "logit": logit, "p_b_best": p_b, "p_b_mean": p_b, "p_b_combined": p_b,
        "n_spectra": 1 + rng.poisson(0.4, n), "n_rv": 1, "in_sample": rng.random(n) < 0.2,
        "delta_rv_max_kms": pa.array(rng.exponential(5, n), mask=rng.random(n) < 0.7),
        "quality": bits + 32768 * labelled, "bad_fraction": rng.random(n), "rv_kms": 0.0,
        "row": number, "shard": number // 4096, "obsid": 100_000_000 + number,
        "mjd_utc": 57_000.0 + rng.uniform(0, 3000, n), "model_id": "benchmark123",
        "path": [f"{one:09d}.fits.gz" for one in number.tolist()],
    }  # fmt: skip


class Reader:
    """The tables of a run as frames of another program."""

    def __init__(self, root: Root, make: Callable[[pa.Table], Frame]) -> None:
        self._root, self._make = root, make

    def __call__(self, table: Any, *columns: str, where: ds.Expression | None = None) -> Frame:
        """Read some columns, and the rows of a simple condition."""
        files = [str(path) for path in table_files(self._root.table(table))]
        return self._make(ds.dataset(files).to_table(columns=list(columns), filter=where))


def _thresholds(read: Reader) -> Sized:
    p_b = np.asarray(read(STARS, "p_b")["p_b"])
    return [[(p_b > 0.5).sum(), (p_b > 0.8).sum(), p_b.size]]


def _surest(read: Reader) -> Sized:
    t = read(STARS, "star_id", "ra_deg", "dec_deg", "g_mag", "p_b_combined", "n_spectra", "quality")
    t = t[np.asarray(t["quality"]) & 32768 == 0]
    best = np.argsort(-np.nan_to_num(np.asarray(t["p_b_combined"], float)))[:10]
    return t.iloc[best] if isinstance(t, pd.DataFrame) else t[best]


def _cone(read: Reader) -> Sized:
    t = read(STARS, "star_id", "ra_deg", "dec_deg", "p_b")
    ra, dec = (np.radians(np.asarray(t[name], float)) for name in ("ra_deg", "dec_deg"))
    half = np.sin((dec - np.radians(30)) / 2) ** 2
    half += np.cos(dec) * np.cos(np.radians(30)) * np.sin((ra - np.radians(150)) / 2) ** 2
    return t[np.degrees(2 * np.arcsin(np.sqrt(half))) * 60 <= 30]


def _bits(read: Reader) -> Sized:
    quality = np.asarray(read(STARS, "quality")["quality"])
    return [[(quality & bit > 0).sum() for bit in (1024, 2048, 4096, 8192)]]


def _shares(read: Reader) -> Sized:
    t = read(STARS, "teff_k", "p_b_combined", "in_sample")
    t = t[np.asarray(t["in_sample"], bool)]
    above = np.asarray(t["p_b_combined"], float) > 0.5
    found = pd.Series(above).groupby(250 * np.floor(np.asarray(t["teff_k"]) / 250)).mean()
    return found.to_list()


def _variable(read: Reader) -> Sized:
    t = read(STARS, "star_id", "n_rv", "delta_rv_max_kms", "p_b", "p_b_combined")
    return t[np.asarray(t["delta_rv_max_kms"], float) > 25]


def _most(read: Reader) -> Sized:
    stars = read(STARS, "star_id", "n_spectra")
    n = np.asarray(stars["n_spectra"])
    name = min(np.asarray(stars["star_id"])[n == n.max()])
    t = read(SPECTRA, "star_id", "obsid", "mjd_utc", "snr_g", "rv_kms", "p_b")
    return t[np.asarray(t["star_id"]) == name]


def _diagram(read: Reader) -> Sized:
    t = read(STARS, "g_ks_0", "m_g", "p_b")
    colour, m_g = (np.asarray(t[name], np.float32) for name in ("g_ks_0", "m_g"))
    known = np.isfinite(colour)
    cells = {"c": _rounded(10 * colour[known]), "m": _rounded(2 * m_g[known])}
    above = np.asarray(t["p_b"], float)[known] > 0.5
    return (
        pd.DataFrame(cells | {"above": above})
        .groupby(["c", "m"], dropna=False)["above"]
        .sum()
        .to_list()
    )


def _rounded(value: Any) -> Any:
    """Round halves away from zero, as DuckDB does."""
    return np.sign(value) * np.floor(np.abs(value) + np.float32(0.5))


def _disagree(read: Reader) -> Sized:
    t = read(STARS, "star_id", "label", "delta_m_g", "p_b_mean", "n_spectra")
    label, p_b = np.asarray(t["label"]), np.asarray(t["p_b_mean"], float)
    return t[((label == "single") & (p_b > 0.8)) | ((label == "binary") & (p_b < 0.2))]


def _without(read: Reader) -> Sized:
    t = read(SPECTRA, "row", "p_b", "bad_fraction", "quality")
    t = t[np.isnan(np.asarray(t["p_b"], float))]
    paths = read(OBSERVATIONS, "row", "path")
    return paths[np.isin(np.asarray(paths["row"]), np.asarray(t["row"]))]


PEERS = (
    _thresholds, _surest, _cone, _bits, _shares, _variable, _most, _diagram, _disagree, _without,
)  # fmt: skip


def _astropy(table: pa.Table) -> AstropyTable:
    return AstropyTable({name: np.asarray(table[name]) for name in table.column_names})


def median_s(work: Callable[[], Sized], repeats: int) -> tuple[float, float, int]:
    """Return the median time, the median processor time and the number of rows of an answer."""
    times, used, rows = [], [], 0
    for _ in range(repeats):
        begin, cpu = time.perf_counter(), time.process_time()
        rows = len(work())
        times.append(time.perf_counter() - begin)
        used.append(time.process_time() - cpu)
    return float(np.median(times)), float(np.median(used)), rows


def ask(tables: Tables, sql: str) -> pa.Table:
    """Return the whole answer of DuckDB."""
    return tables.sql(sql).to_arrow_table()


MAKERS: dict[str, Callable[[pa.Table], Any]] = {
    "pandas": pa.Table.to_pandas,
    "astropy": _astropy,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stars", type=int, default=7_000_000)
    parser.add_argument("--folder", type=Path, help="keep the tables here")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--keep", action="store_true", help="write the result file")
    options = parser.parse_args()
    queries = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        root = Root(Path(options.folder or scratch) / "run")
        if not root.table(STARS).is_dir():
            write_run(root, options.stars)
        print(f"{options.stars:,} stars; seconds, median of {options.repeats}")
        print("query          rows  DuckDB  of CPU  pandas  of CPU astropy  of CPU")
        own = []
        others: dict[str, list[float]] = {name: [] for name in MAKERS}
        begin = time.perf_counter()
        with connect(root.path) as tables:
            opened = time.perf_counter() - begin
            for sql, peer in zip(queries, PEERS, strict=True):
                *took, rows = median_s(lambda sql=sql: ask(tables, sql), options.repeats)
                own.append(took)
                for name, make in ({} if options.alone else MAKERS).items():
                    *seconds, found = median_s(
                        lambda p=peer, m=make: p(Reader(root, m)), options.repeats
                    )
                    took = [*took, *seconds]
                    others[name].append(seconds[0])
                    if found != rows:
                        raise SystemExit(f"{peer.__name__}: {found} rows, DuckDB has {rows}")
                line = "".join(f"{seconds:8.3f}" for seconds in took)
                print(f"{peer.__name__[1:]:11}{rows:8,}{line}", flush=True)
        median, cpu = np.median(own, axis=0)
        print(f"median of the ten: {median:.3f} s ({cpu:.3f} of CPU); opening {opened:.3f} s")
        if options.keep:
            what = ("the ten queries", f"{options.stars:,} stars", "s", [took[0] for took in own])
            keep(
                __file__,
                [Rate(*what, name, found, less_is_more=True) for name, found in others.items()],
            )


if __name__ == "__main__":
    main()
