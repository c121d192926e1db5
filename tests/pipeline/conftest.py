"""Simulated stars: their spectra, and a root with observations and photometry of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.composites.pool import Pool
from pipeline.composites.sums import Stored
from pipeline.core.atomic import write_parquet
from pipeline.core.published import Published, publish
from pipeline.core.root import Root
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.diagram import Diagram, draw_diagram
from pipeline.simulate.examples import labelled_spectra
from pipeline.stars.dwarf_mass import dwarf_mass
from schemas.observations import MANIFEST, OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.quality import PhotometryFlag, QualityFlag
from schemas.table import Table

SHARD = 500
BASE = 1 << 60
"""Source ids above 2^53: as float, neighbours would be one star."""


@pytest.fixture(scope="session")
def pool_and_spectra():
    """Simulated single stars, seen well, with their true masses and M_G."""
    raw = labelled_spectra(400, 5, SimulateSettings(), snr_range=(60.0, 150.0), binary_fraction=0.0)
    mass, m_g = dwarf_mass(raw.teff1_k, raw.mh, 9.0)
    rows, number = np.flatnonzero(np.isfinite(mass)), np.arange(len(raw))
    columns = (raw.teff1_k, raw.logg, raw.mh, raw.rv_kms_B, mass, m_g)
    pool = Pool(number * 0, number, 1000 + number, *columns)
    grid = (raw.log10_first_B, raw.n_pixel_B.astype(np.int32))
    stored = Stored(raw.flux_BN, raw.ivar_BN, *grid, raw.rv_kms_B)
    return pool.take(rows), stored.take(rows)


@pytest.fixture(scope="session")
def diagram() -> Diagram:
    """100,000 stars of the simulator's priors, about 6,000 of them in the training sample."""
    return draw_diagram(np.random.default_rng(5), 100_000, SimulateSettings())


@pytest.fixture(scope="session")
def training(diagram: Diagram) -> pd.DataFrame:
    """Those that pass the paper's cuts of the training sample."""
    d = diagram
    frame = pd.DataFrame({name: getattr(d, name) for name in d.__dataclass_fields__})
    return frame.query(
        "3800 < teff_k < 6500 and logg > 4 and 1.5 < colour < 2.6 and snr_g > 20 "
        "and parallax_mas > 3 and m_g > 4"
    ).reset_index(drop=True)


@pytest.fixture
def build_root(tmp_path: Path) -> Callable[..., Root]:
    """Write a root: ``build_root(observed, photometry)``, data frames with one row per spectrum."""
    return lambda observed, photometry, name="run": _build(tmp_path / name, observed, photometry)


@pytest.fixture
def population_root(build_root: Callable[..., Root], training: pd.DataFrame) -> Root:
    """1,200 training stars, every third of them seen twice, and some that every cut drops."""
    stars = training.head(1200)
    star = np.concatenate([np.arange(1200), np.arange(0, 1200, 3)])
    n = star.size
    observed = stars.loc[star, ["teff_k", "logg", "feh", "snr_g"]].reset_index(drop=True)
    photometry = pd.DataFrame(
        {
            "source_id": BASE + star,
            "g_ks_0": stars["colour"].to_numpy()[star],
            "m_g": stars["m_g"].to_numpy()[star],
            "parallax_mas": stars["parallax_mas"].to_numpy()[star] - 0.035,
            "zero_point_mas": -0.035,
            "flags": 0,
        }
    )
    photometry["source_id"] = photometry["source_id"].astype("Int64")
    observed.loc[n - 40 : n - 31, "teff_k"] = -9999.0
    observed.loc[n - 30 : n - 21, "snr_g"] = 15.0
    photometry.loc[n - 20 : n - 11, "flags"] = int(PhotometryFlag.BLENDED)
    # The last ten have no match at all.
    photometry.loc[n - 10 :, ["source_id", "g_ks_0", "m_g", "parallax_mas"]] = pd.NA
    photometry.loc[n - 10 :, "flags"] = int(PhotometryFlag.NO_GAIA)
    observed["quality"] = 0
    observed.loc[5, "quality"] = int(QualityFlag.SUPERSEDED)
    return build_root(observed, photometry)


def _build(path: Path, observed: pd.DataFrame, photometry: pd.DataFrame) -> Root:
    root, n = Root(path), len(observed)
    row = np.arange(n)
    place = pd.DataFrame({"shard": row // SHARD, "row": row, "obsid": 1_000_000 + row})
    defaults = {"quality": 0, "data_release": "DR10"}
    observed = pd.concat([place, observed], axis=1)
    observed = observed.assign(**{k: v for k, v in defaults.items() if k not in observed})
    photometry = pd.concat([place, photometry], axis=1)
    uncounted = int(QualityFlag.REFUSED | QualityFlag.SUPERSEDED)
    counted = (observed["quality"] & uncounted) == 0
    n_shards = -(-n // SHARD)
    for shard in range(n_shards):
        here = observed["shard"] == shard
        write_parquet(root.part(OBSERVATIONS, shard), _fill(OBSERVATIONS, observed[here]))
        write_parquet(root.part(PHOTOMETRY, shard), _fill(PHOTOMETRY, photometry[here & counted]))
    manifest = _fill(MANIFEST, place.assign(path="x", size_bytes=1))
    notes = {"digest": "test", "shard_rows": str(SHARD)}
    manifest = manifest.replace_schema_metadata(notes)
    write_parquet(path / "manifest.parquet", manifest, row_group_rows=SHARD)
    counts = {"rows": n, "valid": int(counted.sum())}
    publish(path, "observations", Published("test", counts))
    publish(path, "photometry", Published("test", {"spectra": int(counted.sum())}))
    return root


def _fill(table: Table, frame: pd.DataFrame) -> pa.Table:
    arrays = [
        pa.array(frame[f.name], f.type, from_pandas=True, safe=False)
        if f.name in frame
        else pa.nulls(len(frame), f.type)
        for f in table.schema
    ]
    return pa.Table.from_arrays(arrays, schema=table.schema)
