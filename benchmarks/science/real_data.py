"""Where the real spectra are: the option that every benchmark of real stars takes."""

import argparse
import os
from pathlib import Path

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "lamost"


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--data``: by default $PAIRSPEC_REAL_DATA, else beside the project."""
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("PAIRSPEC_REAL_DATA") or BESIDE),
        help="folder with inventory.csv, spectra/ and tables/ (default: %(default)s)",
    )
