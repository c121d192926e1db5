"""One shard of odd files: whatever a header says, it is a row."""

import gzip
import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.core.root import Root
from pipeline.ingest.shard import IngestJob, ingest_shard
from pipeline.store.manifest import freeze, scan
from pipeline.store.store import ensure_store
from schemas.observations import HEADERS


@pytest.fixture
def ingest(tmp_path):
    """Ingest a folder as one shard; the rows of the headers, by path."""

    def run(folder):
        root = Root(tmp_path / "run")
        manifest = freeze(root.path / "manifest.parquet", lambda: scan(folder), 64)
        ensure_store(root.store, 1, 64, 64, manifest.digest)
        counts = ingest_shard(0, IngestJob(root, folder.resolve())).counts
        rows = pq.read_table(root.part(HEADERS, 0)).to_pylist()
        assert counts["files"] == len(rows)
        return {row["path"]: row for row in rows}

    return run


INT16, INT32, INT64 = 2**15, 2**31, 2**63
FLOAT32, FLOAT64 = 3.5e38, 1.8e308
COLUMNS = {
    "OBSID": ("obsid", INT64), "LMJD": ("lmjd", INT32), "SPID": ("spid", INT16),
    "FIBERID": ("fiberid", INT16), "FIB_MASK": ("fibermask", INT32),
    "SNRU": ("header_snr_u", FLOAT32), "SNRG": ("header_snr_g", FLOAT32),
    "SNRR": ("header_snr_r", FLOAT32), "SNRI": ("header_snr_i", FLOAT32),
    "SNRZ": ("header_snr_z", FLOAT32), "EXPTIME": ("exptime_s", FLOAT32),
    "RA": ("ra_deg", FLOAT64), "DEC": ("dec_deg", FLOAT64),
    "Z": ("header_z", 1.2e33), "Z_ERR": ("header_z_err", 1.2e33),
}  # fmt: skip
"""Columns by keyword, each with the smallest number that is too large for it."""


@pytest.mark.parametrize(
    "number",
    ["40000", "-40000", "2147483648", "9223372036854775808", "9" * 60, "1.5E35", "1E39", "1E400"],
)
def test_a_number_that_its_column_cannot_hold_is_null(number, ingest, tmp_path, write_spectrum):
    folder = tmp_path / "spectra"
    for keyword in COLUMNS:
        path = write_spectrum(folder / f"{keyword}.fits", obsid=7, n=300)
        content = path.read_bytes()
        card = f"{keyword:<8}= {number}".encode().ljust(80)
        at = content.find(card[:9])
        at = at if at > 0 else content.index(b"COEFF0  =")  # which nobody looks at
        path.write_bytes(content[:at] + card + content[at + 80 :])
    rows = ingest(folder)
    value = float(number)
    whole = number.lstrip("-").isdigit()
    for keyword, (column, too_large) in COLUMNS.items():
        row = rows[f"{keyword}.fits"]
        assert row["reason"] is None
        assert row["n_pixel"] == 300
        held = abs(value) < too_large and (keyword != "Z_ERR" or value > 0)
        # Whole numbers and floats are exact up to 2^53, or they are not taken.
        if whole and too_large not in {INT16, INT32, INT64} and abs(value) >= 2**53:
            held = False
        if not whole and too_large in {INT16, INT32, INT64}:
            held = False
        assert row[column] == (pytest.approx(value, rel=1e-6) if held else None)


def test_a_number_needed_for_identity_is_a_refusal(ingest, tmp_path, write_spectrum):
    folder = tmp_path / "spectra"
    write_spectrum(folder / "a.fits", obsid=1, planid=None)
    content = (folder / "a.fits").read_bytes()
    at = content.index(b"OBSID   =")
    card = b"OBSID   = 10000000000000000000".ljust(80)
    (folder / "a.fits").write_bytes(content[:at] + card + content[at + 80 :])
    assert ingest(folder)["a.fits"]["reason"].startswith("missing_identity: ")


def test_names_that_are_no_utf8(ingest, tmp_path, write_spectrum):
    folder = tmp_path / "spectra"
    write_spectrum(folder / "spec-\udcff.fits", obsid=5)
    (folder / "\udcb9\udcfa").mkdir()
    (folder / "\udcb9\udcfa" / "empty.fits").write_bytes(b"")
    (folder / "\udcb9\udcfa" / r"\xb9.fits").write_bytes(gzip.compress(b"no FITS"))
    rows = ingest(folder)
    assert rows[r"spec-\xff.fits"]["obsid"] == 5
    assert rows[r"spec-\xff.fits"]["reason"] is None
    assert rows[r"\xb9\xfa/empty.fits"]["reason"].startswith("empty: the file holds no bytes")
    assert rows[r"\xb9\xfa/\x5cxb9.fits"]["reason"].startswith("not_fits: ")


def test_a_pipe_is_not_waited_for(ingest, tmp_path, write_spectrum):
    folder = tmp_path / "spectra"
    write_spectrum(folder / "a.fits", obsid=5)
    os.mkfifo(folder / "pipe.fits")
    (folder / "zeros.fits").symlink_to("/dev/zero")
    rows = ingest(folder)
    assert rows["pipe.fits"]["reason"].startswith("unreadable: ")
    assert rows["zeros.fits"]["reason"].startswith("unreadable: ")
    assert rows["a.fits"]["obsid"] == 5
    assert np.isfinite(rows["a.fits"]["wave_first_angstrom"])
