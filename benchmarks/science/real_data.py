"""The options that benchmarks of real stars take: where the spectra are, and which folds."""

import argparse
import os
from pathlib import Path

from composite_folds import N_FOLDS

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "lamost"


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--data``: by default $PAIRSPEC_REAL_DATA, else beside the project."""
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("PAIRSPEC_REAL_DATA") or BESIDE),
        help="folder with inventory.csv, spectra/ and tables/ (default: %(default)s)",
    )


def fold_parser(doc: str | None, couples: int = 5_000) -> argparse.ArgumentParser:
    """Return a parser with the options of all that trains and tests by folds.

    Parameters
    ----------
    doc : str, optional
        What the benchmark says of itself.
    couples : int
        By default, to train with.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("--root", type=Path, required=True, help="keeps spectra and scores")
    parser.add_argument("--folds", type=int, default=N_FOLDS, choices=range(1, N_FOLDS + 1))
    parser.add_argument("--couples", type=int, default=couples, help="to train with, a fold")
    return parser
