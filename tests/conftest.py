"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real LAMOST files (with ``inventory.csv``), or a skip that says why."""
    named = os.environ.get("PAIRSPEC_REAL_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "lamost"
    folder = Path(named) if named else beside
    if not (folder / "inventory.csv").is_file():
        pytest.skip(f"no real spectra: {folder} has no inventory.csv (set PAIRSPEC_REAL_DATA)")
    return folder
