"""What a network learns from hard labels, soft labels and composites of the same survey.

Usage: ``python benchmarks/science/label_training.py --config OUT/pairspec.toml --root COPY [--seeds
1 2] [--epochs N] [--out docs/real-stars.md]``. COPY is a copy of a finished run of a simulated
survey, whose labels, composites and network are made anew. Each seed is one of the split, of the
composites and of the network, so that every seed has other test stars. Scores are kept in COPY, so
a run that was stopped goes on. Stars are tested that no network of their seed has seen.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from pages import fill

from cluster.connect import connect
from pipeline.core.parquet import read_table
from pipeline.core.root import Root
from pipeline.evaluation.intervals import by_star
from pipeline.network.metrics import weighted_auc
from pipeline.settings.load import Settings, load_settings
from pipeline.stages import run_stage
from schemas.catalogue import PREDICTIONS
from schemas.sample import LABELS

if TYPE_CHECKING:
    from distributed import Client


class Way(NamedTuple):
    """How to train: labels, share of composites, and times the epochs of the others."""

    labels: str
    share: float = 0.0
    longer: int = 1


WAYS = {
    "hard labels": Way("hard"),
    "soft labels": Way("soft"),
    "hard labels and composites": Way("hard", 0.5),
    "soft labels and composites": Way("soft", 0.5),
    "hard labels, twice the epochs": Way("hard", longer=2),
}
Chosen = Callable[[pd.DataFrame], tuple[pd.Series, pd.Series]]


def by_label(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Choose the labels of the test part."""
    test = rows["split"] == "test"
    return test & (rows["label"] == "single"), test & (rows["label"] == "binary")


def by_truth(low: float, high: float) -> Chosen:
    """Choose true single stars and true pairs of some mass ratios."""
    return lambda rows: (rows["kind"] == "single", (rows["q"] >= low) & (rows["q"] < high))


TESTS: dict[str, Chosen] = {
    "labels": by_label,
    "q 0.5-0.71": by_truth(0.5, 0.71),
    "q 0.71-0.93": by_truth(0.71, 0.93),
    "q above 0.5": by_truth(0.5, 1.01),
}


def settings_of(options: argparse.Namespace, seed: int, way: Way) -> Settings:
    """Return the settings of one seed and way."""
    epochs = options.epochs * way.longer
    overrides = [f"{section}.seed={seed}" for section in ("labels", "composites", "training")]
    overrides += [
        f"training.max_epochs={epochs}", f"training.patience={epochs}",
        "training.batch_size=64", "training.threads=1", "cluster.workers=1",
        f"training.labels={way.labels}", f"training.composite_share={way.share}",
    ]  # fmt: skip
    return load_settings(options.config, overrides, root=options.root)


def scores_of(options: argparse.Namespace, seed: int, way: str, client: "Client") -> pd.DataFrame:
    """Log-odds of the spectra that a way does not train on, by row; kept for the next run."""
    kept = options.root / "scores" / f"{way.replace(' ', '-')}-{options.epochs}-{seed}.parquet"
    if kept.exists():
        return pd.read_parquet(kept).set_index("row")
    settings = settings_of(options, seed, WAYS[way])
    begin = time.perf_counter()
    mixed = ("composites",) if WAYS[way].share else ()
    for stage in ("label", *mixed, "train", "infer"):
        report = run_stage(stage, settings, client)
        if stage == "train":
            print(f"seed {seed}, {way}: {report.notes[0]}", flush=True)
    root = Root(settings.root)
    found = read_table(root.table(PREDICTIONS), PREDICTIONS, ["row", "source_id", "logit"])
    star = read_table(root.table(LABELS), LABELS, ["source_id", "label", "split"]).to_pandas()
    star = star.drop_duplicates("source_id")
    rows = found.to_pandas().dropna().merge(star, on="source_id", how="left")
    taught = rows["label"].isin(["single", "binary"]) & (rows["split"] != "test")
    kept.parent.mkdir(exist_ok=True)
    rows[~taught].to_parquet(kept)
    print(f"seed {seed}, {way}: {time.perf_counter() - begin:.0f} s", flush=True)
    return rows[~taught].set_index("row")


def mean_auc(rows: pd.DataFrame, is_pair_B: np.ndarray, way: str, weight_B: np.ndarray) -> float:
    """AUC of a way, mean over the seeds."""
    logit_B, seed_B = rows[way].to_numpy(float), rows["seed"].to_numpy()
    each = (seed_B == seed for seed in np.unique(seed_B))
    return float(np.mean([weighted_auc(logit_B[s], is_pair_B[s], weight_B[s]) for s in each]))


def table(rows: pd.DataFrame, ways: list[str]) -> str:
    """AUC of each way, and what it gains over the first; one column of scores per way."""
    first = ways[0]
    cells: dict[str, list[str]] = {"single stars / pairs": []}
    for choose in TESTS.values():
        single, pair = choose(rows)
        some, is_pair_B = rows[single | pair], pair[single | pair].to_numpy()
        star_B = some["source_id"].to_numpy(np.int64)
        counts = (len(set(star_B[chosen])) for chosen in (~is_pair_B, is_pair_B))
        cells["single stars / pairs"].append(" / ".join(f"{n:,}" for n in counts))
        for way in ways:
            reached = by_star(partial(mean_auc, some, is_pair_B, way), star_B)
            cells.setdefault(way, []).append(str(reached))
        base = partial(mean_auc, some, is_pair_B, first)
        for way in ways[1:]:
            mine = partial(mean_auc, some, is_pair_B, way)
            gain = by_star(lambda w, mine=mine, base=base: mine(w) - base(w), star_B)
            cells.setdefault(f"{way}, less {first}", []).append(
                f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
            )
    lines = ["| training | " + " | ".join(TESTS) + " |", "|---" * (1 + len(TESTS)) + "|"]
    ordered = sorted(cells, key=lambda name: f", less {first}" in name)
    return "\n".join(
        [*lines, *(f"| {name} | " + " | ".join(cells[name]) + " |" for name in ordered)]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="settings of the survey")
    parser.add_argument("--root", type=Path, required=True, help="copy of its finished run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--out", type=Path, help="page whose table to fill in")
    options = parser.parse_args()
    settings = settings_of(options, options.seeds[0], WAYS[options.ways[0]])
    if settings.inputs.truth is None:
        parser.error("the survey of --config has no truth; make one by `pairspec simulate`")
    truth = pd.read_parquet(settings.inputs.truth / "stars.parquet")[["source_id", "kind", "q"]]
    seeds = []
    with connect(settings.cluster) as client:
        for seed in options.seeds:
            found = [scores_of(options, seed, way, client) for way in options.ways]
            columns = {way: one["logit"] for way, one in zip(options.ways, found, strict=True)}
            seeds.append(found[0].drop(columns="logit").assign(seed=seed, **columns))
    rows = pd.concat(seeds).reset_index().merge(truth, on="source_id")
    whole = table(rows, options.ways)
    print(whole)
    if options.out:
        fill(options.out, {"training on labels": whole})


if __name__ == "__main__":
    main()
