"""The curve of a training: losses and validation AUC against the epoch."""

import json
from io import BytesIO
from pathlib import Path

from pipeline.core.atomic import write_bytes


def write_curve(log: Path, path: Path) -> None:
    """Draw a training log.

    Parameters
    ----------
    log : pathlib.Path
        JSON lines of the trainer, one per epoch.
    path : pathlib.Path
        PNG to write.
    """
    from matplotlib.figure import Figure

    records = [json.loads(line) for line in log.read_text().splitlines()]
    epochs = [record["epoch"] for record in records]
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    losses, aucs = figure.subplots(1, 2)
    for name, label in (("train_loss", "training"), ("validation_loss", "validation")):
        losses.plot(epochs, [r[name] for r in records], marker=".", label=label)
    losses.set(xlabel="epoch", ylabel="cross-entropy")
    losses.legend()
    best = max(records, key=lambda record: record["validation_auc"])
    aucs.plot(epochs, [r["validation_auc"] for r in records], marker=".", color="C1")
    aucs.axvline(best["epoch"], color="0.6", linewidth=1)
    aucs.set(xlabel="epoch", ylabel="validation AUC")
    aucs.set_title(f"best {best['validation_auc']:.4f} in epoch {best['epoch']}", fontsize=9)
    png = BytesIO()
    figure.savefig(png, dpi=130, metadata={"Software": None})
    write_bytes(path, png.getvalue())
