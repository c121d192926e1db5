"""The curve of a training: losses and validation AUC against the epoch."""

import json
from collections.abc import Sequence
from pathlib import Path


def write_curve(log: Path, path: Path) -> Sequence[Path]:
    """Draw a training log.

    Parameters
    ----------
    log : pathlib.Path
        JSON lines of the trainer, one per epoch.
    path : pathlib.Path
        PNG to write, with a PDF beside it.

    Returns
    -------
    list of pathlib.Path
        Both files.
    """
    # Here, since a rank of the training draws nothing.
    from pipeline.core.colours import BINARY, SINGLE
    from pipeline.core.figures import legend, new_figure, styled, write_figure

    records = [json.loads(line) for line in log.read_text().splitlines()]
    epochs = [record["epoch"] for record in records]
    with styled():
        figure, (losses, aucs) = new_figure(2, 1.9)
        for part, colour in (("training", SINGLE), ("validation", BINARY)):
            name = "train_loss" if part == "training" else "validation_loss"
            losses.plot(epochs, [r[name] for r in records], "o-", color=colour, label=part)
        losses.set(xlabel="epoch", ylabel="cross-entropy")
        best = max(records, key=lambda record: record["validation_auc"])
        aucs.plot(epochs, [r["validation_auc"] for r in records], "o-", color=BINARY,
                  label="validation")  # fmt: skip
        aucs.plot(best["epoch"], best["validation_auc"], "o", ms=6, mfc="none", color="black",
                  label=f"kept: {best['validation_auc']:.4f} in epoch {best['epoch']}")  # fmt: skip
        aucs.set(xlabel="epoch", ylabel="AUC")
        for axes in (losses, aucs):
            axes.xaxis.get_major_locator().set_params(integer=True)
            legend(axes, columns=2)
    return write_figure(path.parent, path.stem, figure)
