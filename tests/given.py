"""What stages are given: good tables, and paths to things that no stage takes."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from astropy.io import fits

from pipeline.network.card import ModelCard
from pipeline.network.checkpoint import save_model
from pipeline.network.model import build_model
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from tests.networks import TWO_BLOCKS

GAIA = pa.table(
    {
        "source_id": np.arange(20) + (1 << 60),
        "ra": np.linspace(10, 50, 20),
        "dec": np.linspace(-30, 30, 20),
        "phot_g_mean_mag": np.full(20, 14.0),
        "e_bv": np.full(20, 0.1),
    }
)
TMASS = pa.table(
    {
        "designation": [f"J{i}" for i in range(20)],
        "ra": GAIA["ra"],
        "dec": GAIA["dec"],
        "k_m": np.full(20, 12.0),
    }
)
NEIGHBOURS = pa.table(
    {"source_id": GAIA["source_id"], "original_ext_source_id": TMASS["designation"]}
)
DISTANCES = pa.table(
    {"source_id": GAIA["source_id"]}
    | {name: np.full(20, 100.0) for name in ("r_med_geo", "r_lo_geo", "r_hi_geo")}
)
STELLAR = pa.table({"obsid": np.arange(20), "teff": np.full(20, 5e3), "e_bv": np.full(20, 0.1)})
LABELS = pa.table({"source_id": GAIA["source_id"], "label": ["single"] * 20})
TRUTH = pa.table(
    {
        "obsid": np.arange(20),
        "source_id": GAIA["source_id"],
        "kind": ["pair"] * 20,
        "q": np.full(20, 0.8),
    }
)

KINDS = {
    "missing": "is not there|no table at|no source catalogue at|no folder|cannot read",
    "zip": "zip archive|is a file|is no folder",
    "image": "without a table|no binary table|is a file|is no folder",
    "text": "has no column|no column|must have|is a file|is no folder",
    "html": "HTML page|is a file|is no folder",
    "empty": "is empty|is a file|is no folder",
    "broken": "gzip stream is broken|is a file|is no folder",
    "folder": "no table below|is a folder|Is a directory|holds no|is no folder",
    "columns": "has no column|no column|no stellar parameters|must have",
    "spectra": "has no column|no column|no stellar parameters|must have",
}
"""What the message says of a path of each kind: of a table, or of what should be a folder."""


def spoil(kind: str, folder: Path, table: pa.Table) -> Path:
    """Give a path to something of a kind that no stage takes."""
    path = folder / f"given-{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("table.csv", "source_id,ra\n1,2\n")
    elif kind == "image":
        fits.PrimaryHDU(np.zeros((8, 8), np.float32)).writeto(path)
    elif kind == "text":
        path.write_text("Dear colleague,\nplease find the table attached.\n")
    elif kind == "html":
        path.write_text("<!DOCTYPE html>\n<html><body>Log in</body></html>\n")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "broken":
        path.write_bytes(gzip.compress(np.random.default_rng(1).bytes(9999), mtime=0)[:700])
    elif kind == "folder":
        path.mkdir()
    elif kind == "columns":
        pacsv.write_csv(table.drop_columns(table.column_names[-1]), path)
    elif kind == "spectra":
        # This program's own table of spectra, or LAMOST's general catalogue.
        pacsv.write_csv(pa.table({"obsid": [1, 2], "ra_obs": [1.0, 2.0], "snrg": [9.0, 8.0]}), path)
    return path


def save_network(folder: Path) -> Path:
    """Save a small network of random weights."""
    n_pixel = WaveGrid.from_settings(SpectraSettings()).n_pixel
    card = ModelCard(
        network=TWO_BLOCKS, n_pixel=n_pixel, spectra=SpectraSettings(), data="none", split_seed=0
    )
    return save_model(folder, build_model(TWO_BLOCKS, n_pixel, 1), card)
