"""The whole pipeline for several seeds of the network, compared with the paper.

    python benchmarks/science/seeds.py OUT/pairspec.toml [--seeds 1 2 3] [--set KEY=VALUE ...]

Needs a survey that was labelled. Each seed trains, infers and evaluates in a root of its own beside
the first, which shares store and tables by links; what is finished is not done again.
"""

import argparse
import json
import shutil
import subprocess
from pathlib import Path

from pipeline.cli.demo import stage_command
from pipeline.core.published import published_path
from pipeline.core.records import read_records, records_path
from pipeline.evaluation.paper import PAPER
from pipeline.settings.load import load_settings
from pipeline.stages import STAGES

SHARED = ("spectra.zarr", "tables", "manifest.parquet", "training_cache", "composites")
SHARED_STAGES = ("ingest", "photometry", "select", "label", "composites")
"""Their records are copied, since a run appends to its own."""


def share(root: Path, own: Path) -> None:
    """Link what does not depend on the network into a root of its own."""
    (own / "ledger").mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        if (root / name).exists() and not (own / name).exists():
            (own / name).symlink_to(root / name)
    paths = [records_path(root, "prepare")]
    for stage in (stage for stage in STAGES if stage.name in SHARED_STAGES):
        paths.append(published_path(root, stage.makes))
        paths += (records_path(root, step) for step in (stage.name, *stage.steps))
    for path in paths:
        if path.exists() and not (own / "ledger" / path.name).exists():
            shutil.copy2(path, own / "ledger")
    for record in (record for path in paths for record in read_records(path).records):
        for name in record["outputs"]:
            if not (own / name).exists():
                (own / name).parent.mkdir(parents=True, exist_ok=True)
                (own / name).symlink_to(root / name)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="settings of a survey that was labelled")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    args = parser.parse_args()
    root = load_settings(args.config).root.resolve()
    lines = []
    for seed in args.seeds:
        own = root.with_name(f"{root.name}-seed-{seed}")
        share(root, own)
        overrides = [f"training.seed={seed}", *args.set]
        for stage in ("train", "infer", "evaluate"):
            subprocess.run(stage_command(stage, args.config, overrides, own), check=True)
        found = json.loads((own / "reports" / "evaluation.json").read_text())
        lines.append(
            f"| {seed} | {found['auc']:.3f} [{found['auc_low']:.3f}, {found['auc_high']:.3f}] | "
            + " | ".join(
                "-" if e is None else f"{e['value']:.3f} [{e['low']:.3f}, {e['high']:.3f}]"
                for e in (found[k] for k in ("auc_truth", "precision_at_0.5", "precision_at_0.8"))
            )
            + " |"
        )
    head = "| seed | AUC on labels | AUC on truth | precision at 0.5, 1:2 | at 0.8 |"
    paper = f"| paper | {PAPER['auc']} | - | {PAPER['precision_at_0.5']} |"
    print(
        "\n".join([head, "|---|---|---|---|---|", *lines, f"{paper} {PAPER['precision_at_0.8']} |"])
    )


if __name__ == "__main__":
    main()
