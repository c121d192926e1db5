"""How often the corrected binary fraction covers the truth, over seeds of a small survey.

    python benchmarks/science/binary_fraction.py MODEL OUT [--seeds 1 2 3] [--stars 2000]
        [--set KEY=VALUE ...]

MODEL is the folder of a network, e.g. demo/run/model. Each seed is a survey of its own below OUT,
on which all stages run but the training; what is finished is not done again. The binary fraction
of the surveys varies with the seed, from 0.2 to 0.6. Prints one row per seed.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from cluster.connect import connect
from pipeline.cli.demo import SHORT
from pipeline.settings.load import load_settings
from pipeline.stages import run_stage
from schemas.validation import VALIDATION

STAGES = ("ingest", "photometry", "select", "label", "infer", "catalogue", "validate")
FRACTION = "binary fraction, corrected, p_b > 0.5"
NAMES = (FRACTION, "observed fraction, p_b > 0.5", "cells in which the truth agrees")


def survey(seed: int, args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Simulate a survey, run the stages, and return the numbers by name."""
    out = args.out / f"seed-{seed}"
    fraction = np.random.default_rng(seed).uniform(0.2, 0.6)
    own = [
        *SHORT,
        f"simulate.out='{out}'",
        f"simulate.n_stars={args.stars}",
        f"simulate.seed={seed}",
        f"simulate.population.binary_fraction={fraction:.3f}",
        "simulate.survey.hats=false",
        f"infer.models=['{args.model.resolve()}']",
        "validation.names=['completeness']",
        *args.set,
    ]
    settings = load_settings(None, own, root=out / "run")
    with connect(settings.for_stage("driver").cluster) as client:
        run_stage("simulate", settings, client)
        settings = load_settings(out / "pairspec.toml", own)
        for stage in STAGES:
            run_stage(stage, settings, client)
    table = pq.read_table(settings.root / VALIDATION.location).to_pylist()
    return {row["quantity"]: row for row in table if row["quantity"] in NAMES}


def line(seed: int, rows: dict[str, dict[str, float]]) -> tuple[str, bool]:
    """Return the row of a seed, and whether its interval covers the truth."""
    found, observed, cells = (rows[name] for name in NAMES)
    covers = found["value_low"] <= found["truth"] <= found["value_high"]
    interval = f"{found['value']:.3f} [{found['value_low']:.3f}, {found['value_high']:.3f}]"
    text = f"| {seed} | {found['n_stars']} | {observed['value']:.3f} | {interval} | "
    text += f"{found['truth']:.3f} | {'yes' if covers else 'no'} | {cells['value']:.2f} |"
    return text, covers


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="folder of a trained network")
    parser.add_argument("out", type=Path, help="folder of the surveys")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(101, 111)))
    parser.add_argument("--stars", type=int, default=2000)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    args = parser.parse_args()
    print("| seed | stars | p_b > 0.5 | corrected | truth | covered | cells that agree |")
    print("|---|---|---|---|---|---|---|")
    covered = 0
    for seed in args.seeds:
        text, covers = line(seed, survey(seed, args))
        covered += covers
        print(text, flush=True)
    print(f"\n{covered} of {len(args.seeds)} intervals cover the truth")


if __name__ == "__main__":
    main()
