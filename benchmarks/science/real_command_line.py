"""The command line on real stars: composites, train, infer --all on sums written as LAMOST files.

Usage: ``python benchmarks/science/real_command_line.py --root FOLDER [--data FOLDER] [--fold N]
[--set KEY=VALUE ...]``. Trains with ``pairspec`` on stars of a fold of ``real_stars.py``, writes
sums of its test stars as files, and compares p_b of ``pairspec infer --all`` with what the same
network says of the same sums in memory.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from real_data import add_data
from real_files import couple_light, write_files
from real_folds import Stars, parts_of, read_stars, settings_for

from pipeline.composites.exposure import exposure
from pipeline.composites.pairing import draw_couples
from pipeline.core.parquet import read_table
from pipeline.core.root import Root
from pipeline.evaluation.intervals import by_star
from pipeline.network.metrics import weighted_auc
from pipeline.network.predictor import Predictor
from pipeline.settings.infer import InferSettings
from pipeline.settings.load import Settings
from schemas.catalogue import PREDICTIONS
from schemas.observations import OBSERVATIONS

TRAINING = (
    "composites.pool_snr_min=15", "composites.pool_logg_min=3.9", "composites.snr_min=25",
    "sample.teff_max_k=7200", "labels.training_fraction=0.87", "labels.validation_fraction=0.07",
    "composites.test_couples=200", "composites.validation_couples=600",
    "network.average_shift_pixels=1", "training.composite_share=1", "training.noise=0.02",
    "training.learning_rate=1e-3", "training.schedule=cosine", "training.optimizer=adamw",
    "training.weight_decay=0.01", "training.batch_size=64", "training.max_epochs=6",
    "training.threads=1", "ingest.shard_rows=512", "ingest.chunk_rows=128", "cluster.workers=1",
)  # fmt: skip
"""The default network asked with three shifts, and the training of ``real_pair_fit.py``."""


def command(stage: str, root: Path, overrides: list[str], *more: str) -> None:
    """Run one stage of the pipeline in a process of its own."""
    changes = [word for setting in overrides for word in ("--set", setting)]
    subprocess.run(
        [sys.executable, "-m", "pipeline", stage, "--root", str(root), *changes, *more], check=True
    )


def train(root: Path, data: Path, stars: Stars, settings: Settings, more: list[str]) -> None:
    """Give the command line the files of these stars alone, and let it train."""
    table = read_table(
        Root(settings.root).table(OBSERVATIONS), OBSERVATIONS, ["row", "path"]
    ).to_pandas()
    folder = root / "files"
    for path in table.set_index("row")["path"].reindex(stars.pool.row):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to((data / "spectra" / path).resolve())
    given = ["--spectra", str(folder), "--catalogue", str(settings.inputs.catalogue)]
    overrides = [*TRAINING, *more]
    command("ingest", root, overrides, *given)
    command("composites", root, overrides)
    command("train", root, overrides)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("--root", type=Path, required=True, help="that of real_stars.py")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--couples", type=int, default=400, help="to test with")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    settings = settings_for(args.root, args.data, [])
    stars, tested = read_stars(settings)
    part, bright = parts_of(stars.pool, tested, args.fold, 1)
    trained = args.root / f"command-{args.fold}"
    train(trained, args.data, stars.take(part != "test"), settings, args.set)

    rng = np.random.default_rng(args.fold)
    test = stars.take((part == "test") & bright)
    pool = test.pool
    couples = draw_couples(
        rng, args.couples, pool.mass_msun, pool.feh, pool.star, settings.composites
    )
    light, label, used = couple_light(rng, test, couples, settings)
    files = args.root / f"sums-{args.fold}"
    like = next((args.data / "spectra" / "DR5").glob("*.fits.gz"))
    write_files(light, files / "spectra", like, settings)
    command("ingest", files, [], "--spectra", str(files / "spectra"))
    command("infer", files, [], "--all", "--model", str(trained / "model"))
    said = read_table(Root(files).table(PREDICTIONS), PREDICTIONS, ["obsid", "logit"]).to_pandas()
    logit = said.set_index("obsid")["logit"].reindex(np.arange(len(label)) + 1).to_numpy()
    predictor = Predictor(trained / "model", None, InferSettings(precision="float32"))
    flux = exposure(light, None, None, settings.spectra).flux_BL
    direct, _ = predictor.predict(flux)
    known = np.isfinite(logit)
    print(f"{known.sum()} of {len(label)} files with a p_b; largest difference of the logit from "
          f"that in memory {np.abs(logit - direct)[known].max():.4f}")  # fmt: skip
    star = np.repeat(pool.star[couples.primary_D[used]], 2)
    for name, values in (("by files", logit), ("in memory", direct)):
        found = by_star(
            lambda w, values=values: weighted_auc(values[known], label[known] == 1, w), star[known]
        )
        print(f"AUC {name}: {found}")


if __name__ == "__main__":
    main()
