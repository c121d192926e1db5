"""How often real spectra of each kind are called unlike the training spectra.

Usage: ``python benchmarks/science/novelty.py --root FOLDER [--data FOLDER] [--fold N] --figure
FILE``. FOLDER is that of ``real_command_line.py``: all public files, and in ``command-N`` a network
that was trained on stars of the other folds. Runs ``pairspec infer --all`` on all files.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from real_command_line import command
from real_data import add_data
from real_folds import settings_for

from pipeline.core.atomic import write_bytes
from pipeline.core.figures import BINARY, GUIDE, SINGLE, STYLE, as_bytes
from pipeline.core.parquet import read_table
from pipeline.core.root import Root
from pipeline.evaluation.intervals import by_star
from pipeline.network.card import read_card
from pipeline.network.metrics import weighted_mean
from pipeline.network.novelty import Novelty, read_novelty
from pipeline.settings.load import Settings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.stored import prepare, read_blocks
from pipeline.store.store import open_store
from schemas.catalogue import PREDICTIONS
from schemas.observations import OBSERVATIONS
from schemas.quality import QualityFlag

COLUMNS = ["row", "shard", "path", "rv_kms", "obj_class", "subclass", "snr_g", "teff_k", "logg"]
EMISSION = (4341, 4861, 4959, 5007, 6563, 6584, 6717, 6731)
N_MADE = 100


def files_of(settings: Settings) -> pd.DataFrame:
    """Return the files that have a p_b, with what is known of them and their bit."""
    root = Root(settings.root)
    said = read_table(root.table(PREDICTIONS), PREDICTIONS, ["row", "p_b", "quality"])
    seen = read_table(root.table(OBSERVATIONS), OBSERVATIONS, COLUMNS)
    table = seen.join(said, "row", join_type="inner").sort_by("row")
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    frame = frame[frame["p_b"].notna().to_numpy(bool)].reset_index(drop=True)
    bit = frame["quality"].to_numpy(np.int64) & int(QualityFlag.UNLIKE_TRAINING)
    return frame.assign(unlike=bit != 0)


def kinds_of(frame: pd.DataFrame, trained: set[str]) -> dict[str, np.ndarray]:
    """Sort the files by what they show; some are of no kind here."""
    teff, logg, snr = (
        frame[name].to_numpy(np.float64, na_value=np.nan) for name in ("teff_k", "logg", "snr_g")
    )
    obj, sub = (frame[name].fillna("").astype(str) for name in ("obj_class", "subclass"))
    star = (obj == "STAR").to_numpy()
    known = frame["path"].isin(trained).to_numpy()
    dwarf = star & (logg > 3.9) & (teff > 5000) & (teff < 7000)
    odd = sub.isin(["DB", "Carbon", "DoubleStar"]).to_numpy()
    return {
        "dwarfs trained on": dwarf & known,
        "other dwarfs, S/N 25-100": dwarf & ~known & (snr > 25) & (snr < 100),
        "other dwarfs, S/N above 100": dwarf & ~known & (snr > 100),
        "other dwarfs, S/N below 20": dwarf & ~known & (snr < 20),
        "giants, log g below 3.5": star & (logg < 3.5),
        "A and B stars": star & sub.str.match("[AB]").to_numpy(),
        "K5 and K7": star & sub.isin(["K5", "K7"]).to_numpy(),
        "M stars": star & sub.str.contains("M").to_numpy(),
        "white dwarf, carbon, double": star & odd,
        "galaxies, quasars, unknown": ~star,
    }


def scores_of(frame: pd.DataFrame, settings: Settings, novelty: Novelty) -> np.ndarray:
    """Score of each file."""
    store = open_store(Root(settings.root).store)
    blocks = read_blocks(store, frame, settings.ingest.chunk_rows)
    ready = [prepare(block, settings.spectra, None).flux_BL for block in blocks]
    return np.concatenate([novelty.score(np.asarray(flux_BL)) for flux_BL in ready])


def made(settings: Settings) -> dict[str, np.ndarray]:
    """Spectra that no star has: a bare continuum, and the same with emission lines, S/N 20-100."""
    rng = np.random.default_rng(0)
    wave_L = WaveGrid.from_settings(settings.spectra).wave_L
    flat = 1 + rng.uniform(0.01, 0.05, (N_MADE, 1)) * rng.normal(size=(N_MADE, wave_L.size))
    lines = sum(
        rng.uniform(0.3, 3, (N_MADE, 1)) * np.exp(-0.5 * ((wave_L - at) / 3) ** 2)
        for at in EMISSION
    )
    return {
        "made: continuum alone": flat.astype(np.float32),
        "made: emission lines": (flat + lines).astype(np.float32),
    }


def draw(scores: dict[str, np.ndarray], threshold: float) -> bytes:
    """Draw the scores of each kind beside the threshold."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    rng = np.random.default_rng(0)
    with rc_context(STYLE):
        figure = Figure(figsize=(5.0, 0.24 * len(scores) + 0.6), layout="constrained")
        axes = figure.subplots()
        for place, (name, score) in enumerate(scores.items()):
            colour = SINGLE if "dwarfs" in name else BINARY
            at = place + rng.uniform(-0.3, 0.3, score.size)
            axes.plot(np.maximum(score, 0.1), at, ".", ms=1.5, color=colour, rasterized=True)
        axes.axvline(threshold, **GUIDE | {"color": "black"})
        axes.set(xscale="log", xlabel="score", yticks=range(len(scores)), ylim=(len(scores), -1))
        axes.set_yticklabels(list(scores))
        return as_bytes(figure, "png")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data(parser)
    parser.add_argument("--root", type=Path, required=True, help="that of real_command_line.py")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--figure", type=Path, required=True)
    args = parser.parse_args()
    settings = settings_for(args.root, args.data, [])
    folder = args.root / f"command-{args.fold}"
    model = folder / "model"
    novelty = read_novelty(model, read_card(model).novelty_sha256)
    if novelty is None:
        parser.error(f"{model} does not say what its training spectra are like: train it again")
    command("infer", args.root, ["ingest.chunk_rows=128"], "--all", "--model", str(model))
    frame = files_of(settings)
    trained = {str(p.relative_to(folder / "files")) for p in (folder / "files").rglob("*.fits*")}
    score = scores_of(frame, settings, novelty)
    unlike = frame["unlike"].to_numpy(bool)
    if not np.array_equal(unlike, score > novelty.threshold):
        raise ValueError("the bits of the table are not those of the scores")
    found = {name: score[rows] for name, rows in kinds_of(frame, trained).items()}
    found |= {name: novelty.score(flux) for name, flux in made(settings).items()}
    print(f"threshold {novelty.threshold:.3f}; {len(frame)} files with a p_b")
    print("| spectra | number | unlike the training |\n|---|---|---|")
    for name, values in found.items():
        hit = values > novelty.threshold
        share = by_star(lambda w, hit=hit: weighted_mean(hit, w), np.arange(hit.size))
        print(f"| {name} | {hit.size} | {share} |")
    write_bytes(args.figure, draw(found, novelty.threshold))


if __name__ == "__main__":
    main()
