"""The tables of ``docs/difficulty.md`` by name, and the settings behind them."""

from functools import partial

from difficulty_tables import (
    Q_EDGES,
    Columns,
    Study,
    best_teff_table,
    catalogue_table,
    ideal_grid,
    known,
    matched,
    middle,
    network_grid,
    overall_table,
    pairs_table,
    table,
    teff_table,
    velocity_table,
)

CALIBRATION = ("calibration_sigma", "join_sigma", "wave_sigma", "flat_sigma", "telluric_residual",
               "sky_residual")  # fmt: skip


def difficulty_tables(studies: dict[str, Study], ideal: Columns) -> dict[str, str]:
    """Return the tables by the names of their markers."""
    return {
        "settings": settings_table(next(iter(studies.values()))),
        "training": training_table(studies),
        "overall": overall_table(studies, ideal),
        "Teff": teff_table(studies),
        "best Teff": best_teff_table(studies),
        "pairs": pairs_table(ideal),
        "catalogue": catalogue_table(next(iter(studies.values()))),
        "velocities": velocity_table(studies),
        **{f"network, scatter {name}": network_grid(study) for name, study in studies.items()},
        "ideal observer, pooled": ideal_grid(ideal, matched),
        "ideal observer, mean": ideal_grid(ideal, known),
        "ideal observer, median": ideal_grid(ideal, partial(middle, digits=1)),
    }


def settings_table(study: Study) -> str:
    """Tabulate what made the figures; all networks were trained alike."""
    training = study.card.training
    if training is None:
        raise ValueError("the card does not say how the network was trained: train it again")
    sizes = {name: columns["label"].size for name, columns in study.columns.items()}
    n_bins = len(Q_EDGES) - 1
    pairs = sum(sizes[f"q{k}"] for k in range(n_bins)) // n_bins
    scatter, instrument = study.simulate.scatter, study.simulate.instrument
    how = (
        f"at most {training.max_epochs} epochs, {training.optimizer}, learning rate "
        f"{training.learning_rate:g} ({training.schedule}), weight decay "
        f"{training.weight_decay:g}, batch {training.batch_size}, patience "
        f"{training.patience}, seed {training.seed}"
    )
    stars = (
        f"line depths {scatter.abundance_sigma:g} by group of lines, chromospheric fill-in "
        f"(median) {scatter.activity_median:g}, rotation (median) {scatter.vsini_median_kms:g} km/s"
    )
    by_bin = f"about {pairs:,} pairs per bin of q, {sizes['singles']:,} single stars"
    errors = ", ".join(f"{name} {getattr(instrument, name):g}" for name in CALIBRATION)
    layers = ", ".join(f"{k} {v}" for k, v in study.card.network.model_dump().items())
    rows = [
        ("network", layers),
        ("trained on", study.card.data),
        ("training", how),
        ("unseen spectra of both classes", f"{sizes['test']:,}"),
        ("for the tables by q and S/N", by_bin),
        ("scatter, when on", stars),
        ("errors of the calibration", errors),
    ]
    return table(("", ""), rows)


def training_table(studies: dict[str, Study]) -> str:
    """Tabulate what each training reached on its own validation and test spectra."""
    rows = []
    for scatter, study in studies.items():
        found = study.card.metrics
        areas = (f"{found[name]:.3f}" for name in ("validation_auc", "test_auc"))
        rows.append((scatter, study.card.model_id, f"{found['epoch']:.0f}", *areas))
    return table(("scatter", "model", "best epoch", "validation AUC", "test AUC"), rows)
